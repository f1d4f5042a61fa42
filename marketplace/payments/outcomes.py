"""What a gateway's answer causes: one code path for webhook, return, sweeper and cancellation.

Each function is one transaction: known and acted on, or neither. A fact that cannot be used is recorded all the same."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, Protocol

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, outbox
from marketplace.core.db import Columns, rows
from marketplace.core.encryption import fingerprint
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books
from marketplace.payments import refunds
from marketplace.payments.disputes import standing
from marketplace.payments.gateways import RemotePayment, RemoteRefund
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import ATTEMPT, OPEN, REFUND, AttemptState, RefundState

MONEY_IS_THERE: Final = frozenset({AttemptState.SUCCEEDED, AttemptState.QUARANTINE})


class Settles(Protocol):
    """What a purpose does with its money: True if it was used; False sends it back to the payer."""

    def __call__(self, session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool: ...


class Credits(Protocol):
    """Whose account the money of a purpose goes into the moment it is there; None if it cannot be used any more."""

    def __call__(self, session: Session, /, *, reference: str) -> books.Account | None: ...


on_succeeded: dict[str, Settles] = {}  # purpose -> handler, filled by parts/
credited: dict[str, Credits] = {}  # purpose -> account, filled by parts/; other purposes share out of buyer_clearing
CLEARING: Final[books.Account] = ("buyer_clearing", "")


class Unmatched(LookupError):
    """The gateway speaks of something we do not have; perhaps ours is not committed yet."""


def apply_payment(session: Session, *, remote: RemotePayment, gateway: str, why: str) -> AttemptState:
    """Bring the attempt to what the gateway says is true; returns the state it has then. Raises Unmatched."""
    attempt = session.scalar(locked_attempt(), {"attempt": remote.attempt})
    if attempt is None or attempt.gateway != gateway:
        raise Unmatched(remote.remote_id)
    if attempt.remote_id not in {None, remote.remote_id}:
        return receive_from_elsewhere(session, attempt, remote)
    told: dict[str, Any] = {"remote_id": remote.remote_id, "raw_status": remote.raw_status}
    told["redirect_url"] = remote.redirect_url or attempt.redirect_url
    if remote.payer:
        told["payer"] = payer_key(gateway, remote.payer)
    has_moved = attempt.state not in MONEY_IS_THERE and remote.status is not attempt.state
    if has_moved and remote.status is AttemptState.SUCCEEDED:
        return receive(session, attempt, remote, why, told)
    if has_moved and remote.status in ATTEMPT[attempt.state]:  # anything else is older than what we know
        transition(session, attempt, remote.status, expected=attempt.state, actor=gateway, why=why, **told)
    else:
        for name, value in told.items():
            setattr(attempt, name, value)
    return attempt.state


def payer_key(gateway: str, payer: str) -> str:
    """What payments with one card have in common: it can be compared and not read."""
    return fingerprint(f"{gateway}:{payer}", "attempt.payer")


@cache
def locked_attempt() -> Select[Attempt]:
    return select(Attempt).where(Attempt.public_id == bindparam("attempt")).with_for_update()


def receive(session: Session, attempt: Attempt, remote: RemotePayment, why: str, told: Mapping[str, Any]) -> AttemptState:
    """The money is at the gateway. It goes where the purpose takes it, back to the payer, or into suspense.

    `told` is what of the gateway's answer is kept at the attempt."""
    mismatch = differences(attempt, remote)
    moved: dict[str, Any] = {"expected": attempt.state, "actor": attempt.gateway, **told}
    if mismatch:
        transition(session, attempt, AttemptState.QUARANTINE, why=mismatch, **moved)
        park(session, attempt, remote)
        return attempt.state
    others = states_of_others(session, attempt)
    attempt.is_surplus = attempt.is_surplus or AttemptState.SUCCEEDED in others
    if others & OPEN and not attempt.is_surplus:
        make_way(session, attempt)
    transition(session, attempt, AttemptState.SUCCEEDED, why=why, **moved)
    taken_back = standing.gone(session, attempt)  # the bank's decision may be known before the payment itself
    account = None if attempt.is_surplus or taken_back else account_for(session, attempt)
    capture(session, attempt, account or CLEARING)
    used = account is not None and on_succeeded[attempt.purpose](
        session, reference=attempt.reference, amount=attempt.amount, attempt=attempt.public_id
    )
    if not used:
        attempt.is_surplus = attempt.is_surplus or not taken_back  # what it was meant for may be paid by another try
        give_back(session, attempt, account or CLEARING)
    outbox.put(session, "payment.succeeded", purpose=attempt.purpose, reference=attempt.reference, used=used)
    return attempt.state


def account_for(session: Session, attempt: Attempt) -> books.Account | None:
    asked = credited.get(attempt.purpose)
    return asked(session, reference=attempt.reference) if asked else CLEARING


def differences(attempt: Attempt, remote: RemotePayment) -> str:
    """Why this money is not what we asked for, or nothing."""
    wrong = []
    if remote.amount != attempt.amount:
        wrong.append(f"amount {remote.amount.fen} {remote.amount.currency}")
    if remote.book != attempt.book:
        wrong.append(f"{remote.book} money")
    return ", ".join(wrong)


def states_of_others(session: Session, attempt: Attempt) -> set[AttemptState]:
    """Of the other tries to pay the same. Where one has succeeded already, this money is surplus."""
    asked = {"purpose": attempt.purpose, "reference": attempt.reference, "mine": attempt.id}
    return {other.state for other in rows(session, other_attempts(), **asked)}


@cache
def other_attempts() -> Columns:
    same = select(Attempt.state).where(Attempt.purpose == bindparam("purpose"), Attempt.reference == bindparam("reference"))
    return same.where(Attempt.id != bindparam("mine"), ~Attempt.is_surplus)


def make_way(session: Session, attempt: Attempt) -> None:
    """Another try may be open in a second tab: this one was paid, so the sweeper cancels that, and its money is surplus."""
    others = update(Attempt).where(Attempt.purpose == attempt.purpose, Attempt.reference == attempt.reference)
    others = others.where(Attempt.id != attempt.id, Attempt.state.in_(OPEN))
    session.execute(others.values(is_surplus=True, tries=0, next_at=clock.now()))


def receive_from_elsewhere(session: Session, attempt: Attempt, remote: RemotePayment) -> AttemptState:
    """A second payment under the name of one attempt: the attempt stays what it is, the money is not lost."""
    if remote.status is AttemptState.SUCCEEDED and not books.is_posted(session, suspense_key(remote)):
        park(session, attempt, remote)
    return attempt.state


def capture(session: Session, attempt: Attempt, account: books.Account) -> None:
    moved: dict[books.Account, Money] = {
        ("gateway_clearing", attempt.gateway): attempt.amount,
        account: -attempt.amount,
    }
    books.post(session, key=f"capture:{attempt.public_id}", book=attempt.book, reference=attempt.reference, lines=moved)


def park(session: Session, attempt: Attempt, remote: RemotePayment) -> None:
    """Money that is not what we asked for waits in suspense for a person."""
    moved: dict[books.Account, Money] = {
        ("gateway_clearing", attempt.gateway): remote.amount,
        ("suspense", ""): -remote.amount,
    }
    books.post(session, key=suspense_key(remote), book=remote.book, reference=attempt.reference, lines=moved)
    subject, why = f"attempt:{attempt.public_id}", f"payment {remote.remote_id}"
    audit.record(session, actor=attempt.gateway, action="payment.quarantined", subject=subject, why=why)
    logging.getLogger(__name__).error("payment in quarantine: %s, %s", attempt.public_id, remote.remote_id)


def suspense_key(remote: RemotePayment) -> str:
    return f"suspense:{remote.remote_id}"


def give_back(session: Session, attempt: Attempt, account: books.Account) -> None:
    """Nobody can use this money: it goes into suspense, and from there back by itself.

    What a bank has given the payer lessens the province's loss instead: `dispute_kept:<attempt>`."""
    moved: dict[books.Account, Money] = {account: attempt.amount, ("suspense", ""): -attempt.amount}
    books.post(session, key=f"surplus:{attempt.public_id}", book=attempt.book, reference=attempt.reference, lines=moved)
    kept = Money(min(standing.gone(session, attempt), attempt.fen), attempt.currency)
    if kept:
        lines: dict[books.Account, Money] = {("suspense", ""): kept, standing.LOSS: -kept}
        key = f"dispute_kept:{attempt.public_id}"
        books.post(session, key=key, book=attempt.book, reference=attempt.reference, lines=lines)
    if kept != attempt.amount:
        shares = {("suspense", ""): attempt.amount - kept}
        refunds.request_for(session, attempt, reason_key="surplus", shares=shares, reason="surplus", is_surplus=True)


def apply_refund(session: Session, *, remote: RemoteRefund, why: str) -> RefundState:
    """Bring the refund to what the gateway says is true. Raises Unmatched."""
    its = Refund.public_id == remote.refund if remote.refund else Refund.remote_id == remote.remote_id
    refund = session.scalar(select(Refund).where(its).with_for_update())
    if refund is None:
        raise Unmatched(remote.remote_id)
    attempt = session.get_one(Attempt, refund.attempt_id)
    refund.remote_id = refund.remote_id or remote.remote_id
    refund.raw_status = remote.raw_status
    if remote.status not in REFUND[refund.state]:
        return refund.state
    expected = (Money(refund.fen, refund.currency), refund.remote_id, attempt.book)
    if (remote.amount, remote.remote_id, remote.book) != expected:
        raise ValueError(f"refund {refund.public_id}: the gateway says {remote}")
    was_done = refund.state is RefundState.SUCCEEDED
    transition(session, refund, remote.status, expected=refund.state, actor=attempt.gateway, why=why)
    consequence: dict[RefundState, Callable[..., None]] = {
        RefundState.SUCCEEDED: refunds.post_done,
        RefundState.FAILED: refunds.post_failed,
    }
    if remote.status in consequence:
        consequence[remote.status](session, refund, attempt, was_done=was_done)
    return refund.state
