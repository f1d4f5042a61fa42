"""/matching-funds/<token>: the page of whoever promised a matching fund: what it does, how far it is, and paying it in."""

from typing import Final

from flask import Blueprint, flash, g, redirect, render_template
from flask.typing import ResponseReturnValue

from crowdfund.campaigns.matching import paying_in, queries
from crowdfund.campaigns.matching.queries import Shown
from crowdfund.campaigns.matching.traces import Origin
from crowdfund.campaigns.states import FundState
from crowdfund.campaigns.views.public import shared
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import address as where_from
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from marketplace.payments import attempts, refunds
from marketplace.payments.disputes import standing
from marketplace.payments.gateways import GatewayError
from marketplace.payments.states import OPEN, AttemptState

PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
WAITING: Final = OPEN - {AttemptState.REQUIRES_ACTION}  # nothing to be pressed: the gateway is asked
UNSENT: Final = {AttemptState.CREATED, AttemptState.SUBMITTING, AttemptState.UNKNOWN}

bp = Blueprint("sponsors", __name__, url_prefix="/matching-funds")


@bp.get("/<token>")
@requires("matching_fund.pay")
def show_fund(token: str) -> ResponseReturnValue:
    session = db.session()
    shown = queries.by_link(session, token)
    known = {"purpose": paying_in.PURPOSE, "reference": shown.row.public_id}
    current, sent_back = attempts.current(session, **known), refunds.of(session, **known)
    told = {
        "shown": shown,
        "offer": queries.offer_of(shown.row),
        "is_waiting": shown.row.state is FundState.DRAFT and current is not None and current.state in WAITING,
        "is_disputed": standing.is_disputed(session, **known),
        "is_awaited": paying_in.is_awaited(session, shown.row),
        "has_failed": shown.row.state is FundState.DRAFT and attempts.last_failed(session, **known),
        "refunds": sent_back,
        "was_charged": bool(current or sent_back),  # or may be yet: the cashier's page is open somewhere
        **shared(shown.kind),
    }
    return render_template("campaigns/sponsor.html", **told), 200, PRIVATE


@bp.post("/<token>/payment")
@requires("matching_fund.pay")
def create_payment(token: str) -> ResponseReturnValue:
    """To the cashier: on with the open attempt, or with a new one; nowhere where the money would only come back."""
    shown = queries.by_link(db.session(), token)
    try:
        return redirect(attempt_page(shown), 303)
    except attempts.AlreadyPaying as taken:
        return redirect(taken.redirect_url or shown.url, 303)
    except (GatewayError, paying_in.NotAwaited) as refusal:
        flash(refusal.message, "failed")
    return redirect(shown.url, 303)


def attempt_page(shown: Shown) -> str:
    session, fund, person = db.session(), shown.row.public_id, g.person.id if g.person else None
    current = attempts.current(session, purpose=paying_in.PURPOSE, reference=fund)
    if current and current.state in UNSENT and paying_in.is_awaited(session, shown.row):
        attempt = current.public_id
    else:
        attempt = in_transaction(paying_in.start, fund=fund, person_id=person, origin=Origin(network=where_from()))
    back = f"{settings().base_url.rstrip('/')}{shown.url}"
    return attempts.submit(attempt, return_url=back, description=shown.title)
