"""/operator/kept-goods: parcels kept back for a lost dispute that was won on appeal, and what is done for their buyers."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import tidy
from marketplace.orders import kept
from marketplace.payments.gateways import current_book
from marketplace.payments.operator.forms import WhyForm

bp = Blueprint("kept_goods", __name__, url_prefix="/operator/kept-goods")


@bp.get("")
@requires("payment.look_into")
def list_kept() -> ResponseReturnValue:
    return kept_page(WhyForm())


def kept_page(form: WhyForm, of: str = "", status: int = 200) -> ResponseReturnValue:
    """`of`: the parcel or case whose form was refused, with what was typed."""
    before = tidy(request.args.get("before", ""))
    shown = {"found": kept.page(db.session(), before), "before": before, "form": form, "of": of}
    may_act = bool(g.person.roles & {"operator", "finance_operator"})
    body = render_template("operator/kept.html", book=current_book(), may_act=may_act, **shown)
    return body, status, {"Cache-Control": "no-store"}


@bp.post("/<name>/refund")
@requires("payment.correct")
def create_refund(name: str) -> ResponseReturnValue:
    form = WhyForm(request.form)
    if not form.validate():
        return kept_page(form, name, 422)
    given = {"name": name, "actor": f"person:{g.person.public_id}", "why": str(form.why.data)}
    key = form.idempotency(f"kept:{g.person.id}:{name}")
    try:
        in_transaction(idempotency.once, kept.give_back, idempotency=key, **given)
    except kept.NothingKept as refusal:
        flash(refusal.message, "note")
    else:
        flash(_("Done. The money is on its way to the buyer."), "done")
    return redirect(url_for(".list_kept"), 303)
