"""Tries to have something paid: the row is committed first, the gateway asked after, the answer applied in a transaction."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from marketplace.core import clock, ids
from marketplace.core.db import Columns, in_transaction, insert_or_ignore, rows
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace, transition
from marketplace.payments import outcomes
from marketplace.payments.gateways import (
    Declined,
    GatewayError,
    Invalid,
    NotSupported,
    PaymentRequest,
    chosen_gateway,
    gateways,
    unknown_unless_answered,
)
from marketplace.payments.models import Attempt
from marketplace.payments.states import OPEN, AttemptState

SYSTEM: Final = "system"
GIVEN_UP: Final = frozenset({AttemptState.CANCELLED, AttemptState.EXPIRED})
PATIENCE: Final = timedelta(minutes=2)  # after this the sweeper asks the gateway itself


class AlreadyPaying(Refusal):
    """An attempt for this is open or has succeeded; `redirect_url` leads on where it can be finished, else it is empty."""

    message = _l("This is being paid already.")

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.public_id)
        self.attempt = attempt.public_id
        self.state = attempt.state
        self.redirect_url = attempt.redirect_url if attempt.state is AttemptState.REQUIRES_ACTION else ""


def start(session: Session, *, purpose: str, reference: str, amount: Money, pay_by: datetime | None = None) -> str:
    """Open an attempt; returns its public id, to be given to `submit` once this transaction is committed.

    Raises AlreadyPaying, PaymentsClosed."""
    gateway, attempt = chosen_gateway(), ids.public_id()
    whose = {"public_id": attempt, "purpose": purpose, "reference": reference, "pay_by": pay_by}
    sums = {"gateway": gateway.name, "book": gateway.book, "fen": amount.fen, "currency": amount.currency}
    if not insert_or_ignore(session, Attempt, {**whose, **sums, "next_at": clock.now() + PATIENCE}):
        raise AlreadyPaying(get_current(session, purpose=purpose, reference=reference))  # one is let in by the database
    leave_trace(session, Attempt(public_id=attempt), None, AttemptState.CREATED, actor=SYSTEM, why="started")
    return attempt


def current(session: Session, *, purpose: str, reference: str) -> Attempt | None:
    """The attempt that is open or has succeeded, if there is one."""
    return session.scalar(taken(), {"purpose": purpose, "reference": reference})


def open_one(session: Session, *, purpose: str, reference: str) -> str | None:
    """The public id of the attempt that may still be paid."""
    found = rows(session, ids_of_open(), purpose=purpose, reference=reference)
    return found[0].public_id if found else None


@cache
def ids_of_open() -> Columns:
    mine = select(Attempt.public_id).where(Attempt.purpose == bindparam("purpose"), Attempt.state.in_(OPEN))
    return mine.where(Attempt.reference == bindparam("reference"), ~Attempt.is_surplus)


def last_failed(session: Session, *, purpose: str, reference: str) -> bool:
    """Whether the latest attempt was declined and none was made since."""
    mine = select(Attempt.state).where(Attempt.purpose == purpose, Attempt.reference == reference)
    return session.scalar(mine.order_by(Attempt.id.desc()).limit(1)) is AttemptState.FAILED


def get_current(session: Session, *, purpose: str, reference: str) -> Attempt:
    return session.scalars(taken(), {"purpose": purpose, "reference": reference}).one()


@cache
def taken() -> Select[Attempt]:
    mine = select(Attempt).where(Attempt.purpose == bindparam("purpose"), Attempt.reference == bindparam("reference"))
    return mine.where(Attempt.state.in_(OPEN | {AttemptState.SUCCEEDED}), ~Attempt.is_surplus)


def submit(attempt: str, *, return_url: str, description: str, for_later: bool = False) -> str:
    """Ask the gateway; returns where the payer goes next. Outside any transaction; may be repeated.

    One that is over sends the payer to `return_url`. Raises Declined, Invalid, NotSupported (the attempt has failed),
    OutcomeUnknown (it is open, the sweeper resolves it)."""
    asked = in_transaction(begin_submission, attempt=attempt)
    if asked is None:
        return return_url
    gateway_name, amount, pay_by = asked
    request = PaymentRequest(attempt, amount, description, return_url, pay_by, for_later)
    try:
        with unknown_unless_answered(f"attempt {attempt}"):
            remote = gateways().get(gateway_name).start_payment(request, key=f"attempt:{attempt}:create")
    except (Declined, Invalid, NotSupported) as refusal:
        in_transaction(move, attempt=attempt, to=AttemptState.FAILED, why=type(refusal).__name__)
        raise
    except GatewayError:
        in_transaction(move, attempt=attempt, to=AttemptState.UNKNOWN, why="no answer")
        raise
    state = in_transaction(outcomes.apply_payment, remote=remote, gateway=gateway_name, why="answer")
    if state in GIVEN_UP:  # while the gateway was being asked: nobody may be led to pay this any more
        cancel_remote(attempt, gateway_name, remote.remote_id)
        return return_url
    return remote.redirect_url or return_url


def begin_submission(session: Session, *, attempt: str) -> tuple[str, Money, datetime | None] | None:
    (row,) = rows(session, locked_attempt(), attempt=attempt)
    if row.state not in OPEN:
        return None
    if row.state is AttemptState.CREATED:
        mine = Attempt(public_id=attempt)
        transition(session, mine, AttemptState.SUBMITTING, expected=AttemptState.CREATED, actor=SYSTEM, why="asked")
    return row.gateway, Money(row.fen, row.currency), row.pay_by


@cache
def locked_attempt() -> Columns:
    mine = select(Attempt.state, Attempt.gateway, Attempt.fen, Attempt.currency, Attempt.pay_by)
    return mine.where(Attempt.public_id == bindparam("attempt")).with_for_update()


def move(session: Session, *, attempt: str, to: AttemptState, why: str) -> None:
    """Along the table if the attempt still stands where it was submitted; a webhook may have been faster."""
    row = get(session, attempt)
    if row.state is AttemptState.SUBMITTING:
        transition(session, row, to, expected=row.state, actor=SYSTEM, why=why)


def cancel(attempt: str, *, is_overdue: bool = False) -> AttemptState:
    """Ask the gateway that this attempt can no longer be paid, and apply what it says; returns the state that is true.

    One that is cancelled because it took too long has expired. Outside any transaction. Raises OutcomeUnknown when the
    gateway does not answer: then nothing may be assumed."""
    known = in_transaction(describe, attempt=attempt)
    if known.state is AttemptState.CREATED:
        return in_transaction(withdraw, attempt=attempt)
    if known.state not in OPEN:
        return known.state
    remote_id = known.remote_id or find_remote(attempt, known)
    if remote_id is None:
        return in_transaction(withdraw, attempt=attempt)
    return cancel_remote(attempt, known.gateway, remote_id, is_overdue=is_overdue)


def find_remote(attempt: str, known: "Known") -> str | None:
    with unknown_unless_answered(f"attempt {attempt}"):
        remote = gateways().get(known.gateway).find_payment(attempt, since=known.created_at)
    return remote.remote_id if remote else None


def cancel_remote(attempt: str, gateway_name: str, remote_id: str, *, is_overdue: bool = False) -> AttemptState:
    with unknown_unless_answered(f"attempt {attempt}"):
        remote = gateways().get(gateway_name).cancel_payment(remote_id, key=f"attempt:{attempt}:cancel")
    if is_overdue and remote.status is AttemptState.CANCELLED:
        remote = replace(remote, status=AttemptState.EXPIRED)
    return in_transaction(outcomes.apply_payment, remote=remote, gateway=gateway_name, why="cancelled by us")


class Known(NamedTuple):
    """What is needed to ask the gateway about an attempt."""

    gateway: str
    remote_id: str | None
    state: AttemptState
    created_at: datetime


def describe(session: Session, *, attempt: str) -> Known:
    row = get(session, attempt)
    return Known(row.gateway, row.remote_id, row.state, row.created_at)


def withdraw(session: Session, *, attempt: str) -> AttemptState:
    """The gateway never heard of it: nobody can have paid."""
    row = get(session, attempt)
    if row.state is AttemptState.SUBMITTING:
        transition(session, row, AttemptState.UNKNOWN, expected=row.state, actor=SYSTEM, why="never arrived")
    if row.state in {AttemptState.CREATED, AttemptState.UNKNOWN}:
        transition(session, row, AttemptState.CANCELLED, expected=row.state, actor=SYSTEM, why="never arrived")
    return row.state


def get(session: Session, attempt: str) -> Attempt:
    return session.scalars(select(Attempt).where(Attempt.public_id == attempt).with_for_update()).one()
