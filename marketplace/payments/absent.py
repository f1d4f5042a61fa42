"""A refund of which the gateway never heard, and whose key is too old to be sent again: a person lets it go.

Its money is then owed as before, and whoever decided on it may decide again."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.db import in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.payments import outcomes, refunds
from marketplace.payments.gateways import RefundRequest, gateways, unknown_unless_answered
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState


class StillBeingSent(Refusal):
    message = _l("This refund is still being sent by itself.")


@record
class Asked:
    """What the gateway is asked about."""

    row: int
    gateway: str
    request: RefundRequest


def let_go(*, refund: str, actor: str, why: str) -> RefundState:
    """Ask the gateway once more: what it has of it is booked, what it has not is given up; the state it is in then.

    Outside any transaction. Raises NotFound, StillBeingSent, and GatewayError where there is no answer."""
    asked = in_transaction(look, refund=refund)
    with unknown_unless_answered(f"refund {refund}"):
        found = gateways().get(asked.gateway).find_refund(asked.request)
    if found is not None:
        return in_transaction(outcomes.apply_refund, remote=found, why="found")
    return in_transaction(give_up, row=asked.row, actor=actor, why=why)


def look(session: Session, *, refund: str) -> Asked:
    """Raises NotFound, StillBeingSent."""
    row = session.scalar(select(Refund).where(Refund.public_id == refund).with_for_update())
    if row is None:
        raise NotFound(refund)
    attempt = session.get_one(Attempt, row.attempt_id)
    payment = row.remote_payment or attempt.remote_id
    if payment is None or not is_stuck(row):
        raise StillBeingSent(refund)
    return Asked(row.id, attempt.gateway, RefundRequest(refund, payment, Money(row.fen, row.currency)))


def is_stuck(row: Refund) -> bool:
    """Nothing more happens to it by itself."""
    return row.state is RefundState.UNKNOWN and not row.key_is_fresh


def give_up(session: Session, *, row: int, actor: str, why: str) -> RefundState:
    """It has failed; money that was never ours is sent on its way anew at once, but for what a bank gave the payer."""
    refund = session.get_one(Refund, row, with_for_update=True)
    if not is_stuck(refund):
        raise StillBeingSent(refund.public_id)
    audit.record(session, actor=actor, action="refund.let_go", subject=f"refund:{refund.public_id}", why=why)
    refunds.fail(session, refund=row, why="never arrived at the gateway")
    if refund.reason_key.partition(":")[0] == "surplus":
        attempt = session.get_one(Attempt, refund.attempt_id, with_for_update=True)
        fen = min(refund.fen, refunds.left_in_suspense(session, attempt))  # a bank may have given it to the payer meanwhile
        if fen > 0:
            shares = {("suspense", ""): Money(fen, refund.currency)}
            key = f"surplus:{refund.public_id}"
            refunds.request_for(session, attempt, reason_key=key, shares=shares, reason=refund.reason, is_surplus=True)
    return refund.state
