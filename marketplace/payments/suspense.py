"""Money that came and is not what we asked for: it waits, by payment, until a person sends it back.

What came twice or too late goes back by itself; where that did not arrive, it waits here too."""

from collections.abc import Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments import refunds
from marketplace.payments.disputes import standing
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.reconciliation.models import GatewayMovement
from marketplace.payments.states import RefundState

ACCOUNT: Final[books.Account] = ("suspense", "")


class OfTheOtherBook(Refusal):
    message = _l("Test money and real money were mixed up here. It has to be sent back on the provider's own pages.")


class AlreadyGoingBack(StaleState):
    message = _l("This money is on its way back already.")


def send_back(session: Session, *, payment: str, actor: str, why: str) -> str:
    """All that came with this payment (the gateway's id) goes back to whoever paid; returns the refund's public id.

    One that did not arrive may be sent once more. Raises NotFound, AlreadyGoingBack, OfTheOtherBook, PaymentIsDisputed."""
    parked = find(session, payment)
    attempt = attempt_of(session, payment)
    if attempt is None:
        raise NotFound(payment)
    if parked is None:
        return send_surplus_again(session, attempt, actor=actor, why=why)
    if parked.book != attempt.book:
        raise OfTheOtherBook(payment)
    standing.refuse_disputed_payment(session, attempt)
    if standing.gone(session, attempt):
        raise AlreadyGoingBack(payment)
    before = tries(session, payment)
    if any(state is not RefundState.FAILED for state in before):
        raise AlreadyGoingBack(payment)
    amount = Money(-parked.amount, parked.commodity)
    refund = Refund(attempt_id=attempt.id, reason_key=f"suspense:{payment}:{len(before)}", reason=why, fen=amount.fen)
    refund.currency, refund.remote_payment = amount.currency, payment
    public_id = refunds.book_request(session, refund, attempt, shares={ACCOUNT: amount}, actor=actor)
    tell_audit(session, public_id, amount, actor=actor, why=why)
    return public_id


def send_surplus_again(session: Session, attempt: Attempt, *, actor: str, why: str) -> str:
    """What is left of it. Raises as `send_back`."""
    if not books.is_posted(session, f"surplus:{attempt.public_id}"):
        raise NotFound(attempt.public_id)
    standing.refuse_disputed_payment(session, attempt)
    amount = Money(refunds.left_in_suspense(session, attempt), attempt.currency)
    if amount.fen <= 0:
        raise AlreadyGoingBack(attempt.public_id)
    mine = select(func.count()).where(Refund.attempt_id == attempt.id, Refund.reason_key.startswith("surplus"))
    key = f"surplus:{session.scalar(mine)}"
    given: dict[str, Any] = {"reason_key": key, "shares": {ACCOUNT: amount}, "reason": why}
    public_id = refunds.request_for(session, attempt, **given, is_surplus=True)
    tell_audit(session, public_id, amount, actor=actor, why=why)
    return public_id


def tell_audit(session: Session, refund: str, amount: Money, *, actor: str, why: str) -> None:
    audit.record(session, actor=actor, action="suspense.sent_back", subject=f"refund:{refund}", why=why, fen=amount.fen)


def find(session: Session, payment: str) -> Any:
    """(amount, commodity, book) of what came, credit negative."""
    wanted = select(Line.amount, Line.commodity, Entry.book).join(Entry, Entry.id == Line.entry_id)
    wanted = wanted.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(LedgerAccount.kind == "suspense")
    return session.execute(wanted.where(Entry.key == f"suspense:{payment}")).first()


def attempt_of(session: Session, payment: str) -> Attempt | None:
    """The attempt it was paid for, its row locked; the gateway's movement tells where it came under another's name."""
    own = select(Attempt).where(Attempt.remote_id == payment)
    named = select(GatewayMovement.ours).where(GatewayMovement.matched_entry == f"suspense:{payment}")
    for wanted in (own, select(Attempt).where(Attempt.public_id.in_(named))):
        if found := session.scalar(wanted.with_for_update()):
            return found
    return None


def tries(session: Session, payment: str) -> Sequence[RefundState]:
    return session.scalars(select(Refund.state).where(Refund.remote_payment == payment)).all()


def balance(session: Session, *, book: str) -> dict[str, int]:
    """What waits in suspense now by currency, in its smallest unit."""
    wanted = select(Line.commodity, func.sum(Line.amount)).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    wanted = wanted.where(LedgerAccount.kind == "suspense", LedgerAccount.book == book).group_by(Line.commodity)
    return {commodity: -int(amount) for commodity, amount in session.execute(wanted)}
