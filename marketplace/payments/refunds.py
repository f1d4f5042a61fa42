"""Money on its way back: booked when it is asked for, sent by the worker, confirmed or returned to its source."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ColumnElement, bindparam, cast, func, select
from sqlalchemy.orm import Session, aliased

from marketplace.core import audit, clock, outbox
from marketplace.core.db import Columns, rows
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger import books
from marketplace.payments.by_bank.states import BANK
from marketplace.payments.disputes import netting, standing
from marketplace.payments.gateways import RefundRequest
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState

IN_TRANSIT: books.Account = ("refund_in_transit", "")
OUT_OF_LOSS: Final = "loss"  # keys of refunds that no line of an order pays
ASKED_BEFORE: Final = frozenset({RefundState.SUBMITTING, RefundState.UNKNOWN})


on_requested: dict[str, Callable[..., None]] = {}
"""purpose -> called with session and reference when some of its money has begun to go back, in that transaction."""

on_failed: dict[str, Callable[..., None]] = {}
"""purpose -> called with session, reference, refund and amount when its shares came back, in that transaction."""


class RefundTooLarge(Refusal):
    message = _l("You cannot refund more than was paid.")


def request(
    session: Session,
    *,
    purpose: str,
    reference: str,
    reason_key: str,
    amount: Money,
    shares: Mapping[books.Account, Money],
    reason: str,
) -> str:
    """Refund `amount` of what was paid for `reference`, taken from `shares` (which add up to it); returns the refund's id.

    `reason_key` names the cause (parcel:<id>): one cause refunds once, asking again gives the same refund.
    Raises NotFound where nothing was paid, RefundTooLarge where more would go back than came, PaymentIsDisputed."""
    paid = select(Attempt).where(Attempt.purpose == purpose, Attempt.reference == reference)
    attempt = session.scalar(paid.where(Attempt.state == AttemptState.SUCCEEDED, ~Attempt.is_surplus).with_for_update())
    if attempt is None:
        raise NotFound(reference)
    if sum(share.fen for share in shares.values()) != amount.fen:
        raise ValueError(f"{reference}: the shares are not {amount.fen}")
    return request_for(session, attempt, reason_key=reason_key, shares=shares, reason=reason)


def request_for(
    session: Session,
    attempt: Attempt,
    *,
    reason_key: str,
    shares: Mapping[books.Account, Money],
    reason: str,
    is_surplus: bool = False,
) -> str:
    """As `request`, for an attempt whose row the caller has locked."""
    known = session.scalar(select(Refund).where(Refund.attempt_id == attempt.id, Refund.reason_key == reason_key))
    if known:
        return known.public_id
    if not is_surplus:  # what nobody can use is recorded in any case, and waits while it is disputed
        standing.refuse_disputed_payment(session, attempt)
    fen = sum(share.fen for share in shares.values())
    if fen > left_of(session, attempt):
        raise RefundTooLarge(attempt.public_id)
    refund = Refund(attempt_id=attempt.id, reason_key=reason_key, reason=reason, fen=fen, currency=attempt.currency)
    public_id = book_request(session, refund, attempt, shares=shares, actor="system")
    if attempt.purpose in on_requested:
        on_requested[attempt.purpose](session, reference=attempt.reference)
    return public_id


def left_of(session: Session, attempt: Attempt) -> int:
    """Fen of this payment that neither a refund nor a bank has taken."""
    session.flush()
    return int(rows(session, left_of_payment(), attempt=attempt.id)[0].fen)


@cache
def left_of_payment() -> Columns:
    return select(left().label("fen")).where(Attempt.id == bindparam("attempt"))


def left() -> ColumnElement[int]:
    """SQL: as `left_of`, of the `Attempt` of the statement around it."""
    back = aliased(Refund)
    gone = select(func.coalesce(func.sum(back.fen), 0)).where(back.attempt_id == Attempt.id)
    gone = gone.where(back.state != RefundState.FAILED, back.remote_payment.is_(None)).correlate(Attempt)
    return cast(Attempt.fen - gone.scalar_subquery() - standing.lost(Attempt.id), BigInteger)


def left_in_suspense(session: Session, attempt: Attempt) -> int:
    """Fen of money that nobody could use which can be sent back now."""
    return min(left_of(session, attempt), netting.of(session, attempt).waits_fen)


def book_request(
    session: Session, refund: Refund, attempt: Attempt, *, shares: Mapping[books.Account, Money], actor: str
) -> str:
    """The money leaves `shares` and is in transit from here on. Whoever calls has made sure that it may."""
    refund.shares = [[kind, owner, share.fen] for (kind, owner), share in shares.items() if share]
    session.add(refund)
    session.flush()
    leave_trace(session, refund, None, RefundState.REQUESTED, actor=actor, why=refund.reason)
    lines = {**shares, IN_TRANSIT: Money(-refund.fen, refund.currency)}
    books.post(session, key=f"refund:{refund.public_id}", book=attempt.book, reference=attempt.reference, lines=lines)
    return refund.public_id


def post_done(session: Session, refund: Refund, attempt: Attempt, *, was_done: bool) -> None:
    """The gateway has sent it."""
    amount = Money(refund.fen, refund.currency)
    lines = {IN_TRANSIT: amount, ("gateway_clearing", attempt.gateway): -amount}
    books.post(session, key=f"refund_done:{refund.public_id}", book=attempt.book, reference=attempt.reference, lines=lines)
    outbox.put(session, "refund.succeeded", purpose=attempt.purpose, reference=attempt.reference, refund=refund.public_id)


def post_failed(session: Session, refund: Refund, attempt: Attempt, *, was_done: bool) -> None:
    """It did not arrive: the same shares go back to whom they were taken from, and a person has to look."""
    is_nobodys = refund.remote_payment in {None, attempt.remote_id} and netting.is_nobodys(session, attempt)
    if is_nobodys:
        session.refresh(attempt, with_for_update=True)  # before all else, as money that comes in: a bank may be deciding
    amount = Money(refund.fen, refund.currency)
    source: books.Account = ("gateway_clearing", attempt.gateway) if was_done else IN_TRANSIT
    lines = {(kind, owner): Money(-fen, refund.currency) for kind, owner, fen in refund.shares} | {source: amount}
    books.post(session, key=f"refund_failed:{refund.public_id}", book=attempt.book, reference=attempt.reference, lines=lines)
    if attempt.purpose in on_failed:
        on_failed[attempt.purpose](session, reference=attempt.reference, refund=refund.public_id, amount=amount)
    if is_nobodys:
        netting.net(session, attempt, cause=refund.public_id)
    subject, why = f"refund:{refund.public_id}", refund.reason
    audit.record(session, actor=attempt.gateway, action="refund.failed", subject=subject, why=why, fen=refund.fen)


@record
class Submission:
    """What the worker asks the gateway for. With a key too old to be repeated, it looks for what that key made."""

    gateway: str
    request: RefundRequest
    may_be_sent: bool


def begin_submission(session: Session, *, refund: int) -> Submission | None:
    """What to ask for, or None where nothing is to be sent any more."""
    row = session.get_one(Refund, refund, with_for_update=True)
    attempt = session.get_one(Attempt, row.attempt_id, with_for_update=True)
    if row.state in {RefundState.REQUESTED, RefundState.SUBMITTING} and standing.is_payment_disputed(session, attempt):
        return None  # its payer may get it from the bank; when that is decided it goes on
    if attempt.gateway == BANK:
        return None  # people send it, and confirm that they have
    is_first = row.state is RefundState.REQUESTED
    if is_first and is_with_its_payer(session, row, attempt):
        transition(session, row, RefundState.SUBMITTING, expected=row.state, actor="system", why="asked")
        fail(session, refund=refund, why="the payer has it from the bank")
        return None
    if is_first:
        asked: Any = {"actor": "system", "why": "asked", "first_asked_at": clock.now()}
        transition(session, row, RefundState.SUBMITTING, expected=row.state, **asked)
    payment = row.remote_payment or attempt.remote_id
    if row.state not in ASKED_BEFORE or payment is None:
        return None
    request = RefundRequest(row.public_id, payment, Money(row.fen, row.currency))
    return Submission(attempt.gateway, request, row.key_is_fresh)


def is_with_its_payer(session: Session, row: Refund, attempt: Attempt) -> bool:
    """A bank has given it to them meanwhile."""
    if row.remote_payment is None:
        return left_of(session, attempt) < 0
    return row.remote_payment == attempt.remote_id and standing.gone(session, attempt) > 0


def leave_unknown(session: Session, *, refund: int) -> None:
    """The gateway did not answer: it may have sent the money, so it is asked again with the same key."""
    row = session.get_one(Refund, refund, with_for_update=True)
    if row.state is RefundState.SUBMITTING:
        transition(session, row, RefundState.UNKNOWN, expected=row.state, actor="system", why="no answer")


def fail(session: Session, *, refund: int, why: str) -> None:
    """The gateway refused for good."""
    row = session.get_one(Refund, refund, with_for_update=True)
    if row.state in ASKED_BEFORE:
        transition(session, row, RefundState.FAILED, expected=row.state, actor="system", why=why)
        post_failed(session, row, session.get_one(Attempt, row.attempt_id), was_done=False)


def of(session: Session, *, purpose: str, reference: str) -> Sequence[Refund]:
    """The refunds of one order, gift or presale, oldest first; for pages."""
    mine = select(Refund).join(Attempt, Attempt.id == Refund.attempt_id)
    mine = mine.where(Attempt.purpose == purpose, Attempt.reference == reference)
    return session.scalars(mine.order_by(Refund.id)).all()
