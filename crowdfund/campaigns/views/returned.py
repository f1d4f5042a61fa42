"""/charity/returned-gifts: what did not arrive when a called-off campaign gave it back is sent once more, with a reason.

For the officers of its organisation, and for the province."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from crowdfund.campaigns import stranded
from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.views.frame import APPROVER, OFFICER, reach
from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import tidy
from marketplace.payments.disputes.standing import PaymentIsDisputed
from marketplace.payments.gateways import current_book
from marketplace.payments.operator.forms import WhyForm

bp = Blueprint("returned_gifts", __name__, url_prefix="/charity/returned-gifts")


@bp.get("")
@requires("gift_return.follow")
def list_gifts() -> ResponseReturnValue:
    return gifts_page(WhyForm())


def gifts_page(form: WhyForm, of: str = "", status: int = 200) -> ResponseReturnValue:
    """`of`: the gift whose form was refused, with what was typed."""
    session, theirs = db.session(), reach(OFFICER, APPROVER)
    before = tidy(request.args.get("before", ""))
    at = select(Organisation.name_zh).where(Organisation.code.in_(theirs or ())).order_by(Organisation.code).limit(1)
    body = render_template(
        "charity/returned.html",
        found=stranded.page(session, theirs, before),
        form=form,
        of=of,
        before=before,
        senders=senders(),
        is_province=theirs is None,
        organisation_name=session.scalar(at) or "",
        today=clock.today(),
        book=current_book(),
    )
    return body, status, {"Cache-Control": "no-store"}


def senders() -> list[str] | None:
    """The organisations whose gifts the visitor may send; None: all. Approvers and auditors look and touch nothing."""
    if g.station is None:
        return None if g.person.roles & {"operator", "finance_operator"} else []
    return reach(OFFICER)


@bp.post("/<gift>/refund")
@requires("gift_return.send")
def create_refund(gift: str) -> ResponseReturnValue:
    form = WhyForm(request.form)
    if not form.validate():
        return gifts_page(form, gift, 422)
    given = {"gift": gift, "organisations": reach(OFFICER), "actor": f"person:{g.person.id}", "why": str(form.why.data)}
    key = form.idempotency(f"gift_return:{g.person.id}:{gift}")
    try:
        in_transaction(idempotency.once, stranded.send_again, idempotency=key, **given)
    except (stranded.NotStranded, PaymentIsDisputed) as refusal:
        flash(refusal.message, "note")
    else:
        flash(_("It is on its way back to the giver."), "done")
    return redirect(url_for(".list_gifts"), 303)
