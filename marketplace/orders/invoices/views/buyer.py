"""/orders/<number>/invoice: what a buyer wants on it, and what became of it."""

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.orders import access
from marketplace.orders.invoices import queries, requesting
from marketplace.orders.invoices.forms import InvoiceForm
from marketplace.orders.models import Order

NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("invoices", __name__)


@bp.get("/orders/<number>/invoice")
@requires("order.follow")
def show_request(number: str) -> ResponseReturnValue:
    return page(access.get_visible(db.session(), number), InvoiceForm())


@bp.post("/orders/<number>/invoice")
@requires("order.follow")
def create_request(number: str) -> ResponseReturnValue:
    order = access.get_visible(db.session(), number)
    form = InvoiceForm(request.form)
    if not form.validate():
        return page(order, form, 422)
    given = {"number": number, "wanted": form.wanted, "actor": access.actor()}
    try:
        in_transaction(idempotency.once, requesting.request, idempotency=form.idempotency(f"invoice:{number}"), **given)
    except (requesting.AlreadyRequested, requesting.TooLateForInvoice) as refusal:
        form.form_errors.append(refusal.message)
        return page(order, form, refusal.status)
    flash(_("Done. Growers and stations see what you want on the invoice."), "done")
    return redirect(url_for(".show_request", number=number), 303)


def page(order: Order, form: InvoiceForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    shown = queries.of_order(session, order.number)
    is_requested = queries.is_requested(session, order.number)
    may = not is_requested and requesting.may_be_requested(session, order)
    given = {"order": order, "form": form, "invoices": shown, "is_requested": is_requested, "may_be_requested": may}
    return render_template("invoices/request.html", **given), status, NO_STORE
