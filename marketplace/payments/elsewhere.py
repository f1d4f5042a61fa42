"""A refund that somebody made on the gateway's own pages: it is recorded as it is, and nothing of it is sent once more.

Nobody here decided on it, so what waits in suspense bears it first, then what a campaign still has of the gift, and the
province the rest, as of a lost dispute (ADR 65). What of an order was not sent by then comes off that loss as
`orders.disputed.keep` says."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, ids
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books
from marketplace.payments import outcomes, refunds, suspense
from marketplace.payments.disputes import netting
from marketplace.payments.disputes.standing import ELSEWHERE, LOSS
from marketplace.payments.gateways import PaymentGateway, RemotePayment, RemoteRefund
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

bearers: dict[str, Callable[..., Mapping[books.Account, Money]]] = {}
"""purpose -> called with session, reference, refund and amount in the transaction that hears of it: whose money it was, at
most so much. What nobody bears is the province's loss."""

recorded: dict[str, Callable[..., None]] = {}
"""purpose -> called with session and reference once it is written down: what is done with money that waits there."""


def payment_of(gateway: PaymentGateway, remote: RemoteRefund) -> RemotePayment | None:
    """The payment of a refund that bears no name of ours; None for one that does. Outside any transaction."""
    return None if remote.refund or not remote.payment else gateway.fetch_payment(remote.payment)


def apply(session: Session, *, remote: RemoteRefund, payment: RemotePayment | None, gateway: str, why: str) -> RefundState:
    """As `outcomes.apply_refund`; one that was made elsewhere is recorded first. Raises outcomes.Unmatched."""
    if payment is None:
        return outcomes.apply_refund(session, remote=remote, why=why)
    held = select(Attempt).where(Attempt.public_id == payment.attempt, Attempt.gateway == gateway).with_for_update()
    attempt = session.scalar(held)
    if attempt is None or not is_booked(session, attempt, payment):
        raise outcomes.Unmatched(remote.remote_id)
    if session.scalar(select(Refund.id).where(Refund.remote_id == remote.remote_id)) is None:
        record(session, attempt, payment, remote, why)
    return outcomes.apply_refund(session, remote=remote, why=why)


def is_booked(session: Session, attempt: Attempt, payment: RemotePayment) -> bool:
    """This very payment: a second one under the name of an attempt is another, and perhaps not heard of yet."""
    keys = [outcomes.suspense_key(payment)]
    if payment.remote_id == attempt.remote_id:
        keys.append(f"capture:{attempt.public_id}")
    return any(books.is_posted(session, key) for key in keys)


def record(session: Session, attempt: Attempt, payment: RemotePayment, remote: RemoteRefund, why: str) -> None:
    """Written down as asked for and sent, whatever is left of the payment: it has happened."""
    parked = suspense.find(session, payment.remote_id)
    refund = Refund(attempt_id=attempt.id, reason_key=f"{ELSEWHERE}:{remote.remote_id}", reason=ELSEWHERE)
    refund.public_id = ids.public_id()
    refund.fen, refund.currency, refund.remote_id = remote.amount.fen, remote.amount.currency, remote.remote_id
    refund.remote_payment = payment.remote_id if parked else None
    waits = waiting(session, attempt, payment, parked)
    shares = borne(session, refund, attempt, waits=max(waits, 0))
    refunds.book_request(session, refund, attempt, shares=shares, actor=attempt.gateway)
    if attempt.purpose in refunds.on_requested:
        refunds.on_requested[attempt.purpose](session, reference=attempt.reference)
    whose, step = attempt.gateway, RefundState.SUBMITTING
    transition(session, refund, step, expected=refund.state, actor=whose, why=why, first_asked_at=clock.now())
    subject, there = f"refund:{refund.public_id}", remote.remote_id
    audit.record(session, actor=whose, action="refund.made_elsewhere", subject=subject, why=there, fen=refund.fen)
    if attempt.purpose in recorded and not attempt.is_surplus and not parked:
        recorded[attempt.purpose](session, reference=attempt.reference)


def borne(session: Session, refund: Refund, attempt: Attempt, *, waits: int) -> dict[books.Account, Money]:
    """By whom, together all of it; `waits`: fen of this payment in suspense."""
    shares: dict[books.Account, Money] = {netting.SUSPENSE: Money(min(waits, refund.fen), refund.currency)}
    rest = Money(refund.fen - min(waits, refund.fen), refund.currency)
    asked = None if attempt.is_surplus or refund.remote_payment else bearers.get(attempt.purpose)
    if asked and rest:
        shares |= asked(session, reference=attempt.reference, refund=refund.public_id, amount=rest)
    return shares | {LOSS: Money(refund.fen - sum(share.fen for share in shares.values()), refund.currency)}


def waiting(session: Session, attempt: Attempt, payment: RemotePayment, parked: Any) -> int:
    """In suspense under this payment, in the smallest unit of its currency."""
    is_its_own = payment.remote_id == attempt.remote_id and payment.amount.currency == attempt.currency
    if parked and not is_its_own:  # no bank disputes it under this name, or in this currency
        back = select(func.coalesce(func.sum(Refund.fen), 0)).where(Refund.remote_payment == payment.remote_id)
        return -int(parked.amount) - int(session.scalar(back.where(Refund.state != RefundState.FAILED)) or 0)
    return netting.of(session, attempt).waits_fen if netting.is_nobodys(session, attempt) else 0
