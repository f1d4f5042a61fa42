"""/operator/suspense: money that is not what we asked for, looked through, exported, sent back with a reason."""

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import tidy
from marketplace.payments import suspense
from marketplace.payments.disputes.standing import PaymentIsDisputed
from marketplace.payments.gateways import current_book
from marketplace.payments.operator import export, parked
from marketplace.payments.operator.forms import ParkedForm, WhyForm
from marketplace.payments.operator.parked import Asked
from marketplace.payments.operator.views import NOTHING, actor, page, taken_away

bp = Blueprint("operator_suspense", __name__, url_prefix="/operator")


@bp.get("/suspense")
@requires("payment.look_into")
def list_suspense() -> ResponseReturnValue:
    return suspense_page()


def suspense_page(why: WhyForm | None = None, of: str = "", status: int = 200) -> ResponseReturnValue:
    """`of`: the payment whose form was refused, with what was typed."""
    session = db.session()
    form = ParkedForm(request.args)
    is_right = form.validate()
    found = parked.page(session, asked(form)) if is_right else NOTHING
    held = suspense.balance(session, book=current_book())
    shown = {"form": form, "found": found, "held": held, "why": why or WhyForm(), "of": of, "before": asked(form).before}
    return page("operator/suspense.html", status if is_right else 422, **shown)


def asked(form: ParkedForm) -> Asked:
    given = {name: value for name, value in form.data.items() if value}
    return Asked(**given, before=tidy(request.args.get("before", "")))


@bp.post("/suspense.csv")
@requires("payment.look_into")
def export_suspense() -> ResponseReturnValue:
    form = ParkedForm(request.args)
    if not form.validate():
        return suspense_page()
    return taken_away("suspense", form.typed, export.lines(export.PARKED, parked.every(db.session(), asked(form))))


@bp.post("/suspense/<payment>/refund")
@requires("payment.correct")
def create_suspense_refund(payment: str) -> ResponseReturnValue:
    form = WhyForm(request.form)
    if not form.validate():
        return suspense_page(form, payment, 422)
    given = {"payment": payment, "actor": actor(), "why": str(form.why.data)}
    key = form.idempotency(f"suspense:{g.person.id}:{payment}")
    try:
        in_transaction(idempotency.once, suspense.send_back, idempotency=key, **given)
    except (suspense.AlreadyGoingBack, suspense.OfTheOtherBook, PaymentIsDisputed) as refusal:
        form.why.errors = [refusal.message]
        return suspense_page(form, payment, refusal.status)
    flash(_("It is on its way back to whoever paid."), "done")
    return redirect(url_for(".list_suspense"), 303)
