"""/pledges/<tracking code>: the half hour in which a card is kept, the seven steps, the certificate."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from crowdfund.pledges import holding, queries, telling
from crowdfund.pledges.forms import DeclarationForm
from crowdfund.pledges.models import Pledge
from crowdfund.pledges.refusals import CancelledBefore, EndedBefore, TooLateToCancel
from crowdfund.pledges.states import MAY_BE_CANCELLED, PROMISED, PledgeState as P
from crowdfund.pledges.views.public import show_refusal
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, Refusal, StaleState
from marketplace.core.formats import language

bp = Blueprint("pledge_tracking", __name__, url_prefix="/pledges")


@bp.get("/<code>")
@requires("pledge.show")
def show_pledge(code: str) -> ResponseReturnValue:
    return pledge_page(holding.find_pledge(db.session(), code))


def pledge_page(pledge: Pledge, form: DeclarationForm | None = None, status: int = 200) -> ResponseReturnValue:
    shown = queries.tracking(db.session(), pledge)
    card = holding.card_of(pledge)
    if is_kept(pledge):
        return render_template(
            "pledges/held.html",
            pledge=pledge,
            card=card,
            programme=shown.programme,
            form=form or DeclarationForm(),
            may_cancel=not shown.voucher.cancellations,
            telling=telling,
        ), status
    is_over = pledge.state is P.HELD  # and nobody has cleared it away yet
    page = render_template(
        "pledges/tracking.html",
        shown=shown,
        pledge=pledge,
        card=card,
        sentence=telling.sentence(shown, card) if not is_over else over(card.alias_en, card.alias_zh),
        stops=telling.stops(shown, card),
        is_new=pledge.state in {P.PROVISIONAL, P.ON_HOLD},
        has_ended=is_over or pledge.state in {P.EXPIRED, P.CANCELLED, P.REVOKED, P.REASSIGNED},
        may_cancel=not is_over and pledge.state in MAY_BE_CANCELLED and not shown.voucher.cancellations,
        has_certificate=pledge.state in PROMISED,
        last_day=telling.last_day(shown),
        telling=telling,
    )
    return page, status


def is_kept(pledge: Pledge) -> bool:
    return pledge.state is P.HELD and pledge.hold_until > clock.now()


def over(alias_en: str, alias_zh: str) -> str:
    name = alias_en if language() == "en" else alias_zh
    return str(_("The half hour is over; %(name)s waits on the list again", name=name))


@bp.post("/<code>/declaration")
@requires("pledge.make")
def create_declaration(code: str) -> ResponseReturnValue:
    """The saver is no relation: now it is the bank's turn. Whoever comes after the half hour is told so."""
    pledge = holding.find_pledge(db.session(), code)
    form = DeclarationForm(request.form)
    if is_kept(pledge) and not form.validate():
        return pledge_page(pledge, form, 422)
    phone, account = str(form.phone.data or ""), None
    if g.person:
        account = db.session.scalar(select(Person.phone_fingerprint).where(Person.id == g.person.id))
    try:
        was_in_time = in_transaction(holding.declare, code=code, phone=phone, account_phone_hash=account)
    except (IllegalTransition, StaleState):
        was_in_time = False
    if not was_in_time:
        return pledge_page(holding.find_pledge(db.session(), code), status=409)
    return redirect(url_for(".show_pledge", code=pledge.tracking_code), 303)


@bp.get("/<code>/cancellation")
@requires("pledge.show")
def show_cancellation(code: str) -> ResponseReturnValue:
    """Asks once more: it can be done once only. Where it cannot be done any more, that is said at once."""
    pledge = holding.find_pledge(db.session(), code)
    refusal = holding.why_not_cancelled(db.session(), pledge)
    if refusal is not None:
        flash(refusal.message, "failed")
        return redirect(url_for(".show_pledge", code=pledge.tracking_code), 303)
    return render_template("pledges/cancel.html", pledge=pledge, card=holding.card_of(pledge), telling=telling)


@bp.post("/<code>/cancellation")
@requires("pledge.make")
def create_cancellation(code: str) -> ResponseReturnValue:
    try:
        in_transaction(holding.cancel, code=code)
    except (CancelledBefore, EndedBefore, TooLateToCancel) as refusal:
        flash(refusal.message, "failed")
    except (IllegalTransition, StaleState):
        flash(StaleState.message, "note")
    return redirect(url_for(".show_pledge", code=code), 303)


@bp.get("/<code>/certificate")
@requires("pledge.show")
def show_certificate(code: str) -> ResponseReturnValue:
    """A thank-you to keep: not a donation receipt, since the partner is who gives."""
    pledge = holding.find_pledge(db.session(), code)
    if pledge.state not in PROMISED:
        raise NotFound("certificate")
    shown = queries.tracking(db.session(), pledge)
    return render_template(
        "pledges/certificate.html", shown=shown, pledge=pledge, card=holding.card_of(pledge), telling=telling
    )


bp.register_error_handler(Refusal, show_refusal)
