"""A bank transfer is written down by one person and confirmed by another; then it is a payment like any other.

An attempt of the gateway `bank` takes it, so that books, refunds and the audit know nothing new: `capture:<attempt>` moves
it to `gateway_clearing` of the bank, and the purpose's handler uses it or gives it back. What goes back of it is no
machine's to send: a refund stays `requested` until a transfer for it is confirmed in the same way."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, ids
from marketplace.core.db import add_row
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace, transition
from marketplace.payments import outcomes, refunds
from marketplace.payments.by_bank.models import BankTransfer
from marketplace.payments.by_bank.states import BANK, BankTransferState as S, Way
from marketplace.payments.gateways import RemotePayment, current_book
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import OPEN, AttemptState, RefundState


class KnownAlready(Refusal):
    status = 422
    message = _l("A transfer with this number of the bank is written down already.")


class SamePerson(Refusal):
    status = 403
    message = _l("You wrote this transfer down, so you cannot confirm it. Another person must.")


def record(
    session: Session, *, of: Way, purpose: str, reference: str, fen: int, number: str, on: date, person_id: int
) -> str:
    """Write down what the bank says; returns its public id. Nothing is booked by that. Raises KnownAlready."""
    public_id = ids.public_id()
    about = {"public_id": public_id, "way": of, "purpose": purpose, "reference": reference, "book": current_book()}
    told = {"fen": fen, "bank_reference": number, "moved_on": on, "recorder_id": person_id}
    try:
        with session.begin_nested():
            add_row(session, BankTransfer, {**about, **told})
    except IntegrityError:
        raise KnownAlready(number) from None
    actor = f"person:{person_id}"
    leave_trace(session, BankTransfer(public_id=public_id), None, S.RECORDED, actor=actor, why=f"{purpose}:{reference}")
    note(session, public_id, actor, "recorded", fen=fen, number=number)
    return public_id


def record_refund(session: Session, *, refund: str, number: str, on: date, person_id: int) -> str:
    """It was sent at the bank's counter. Raises NotFound for what a machine sends or has arrived, KnownAlready."""
    row, attempt = waiting_refund(session, refund)
    given: dict[str, Any] = {"fen": row.fen, "number": number, "on": on, "person_id": person_id}
    return record(session, of=Way.OUT, purpose=attempt.purpose, reference=refund, **given)


def confirm(session: Session, *, transfer: str, person_id: int) -> None:
    """Another person has found it at the bank: it is booked. Raises NotFound, SamePerson, StaleState."""
    row = get(session, transfer)
    if row.recorder_id == person_id:
        raise SamePerson(transfer)
    decide(session, row, S.CONFIRMED, person_id)
    if row.way is Way.IN:
        receive(session, row)
    else:
        conclude(session, row)


def withdraw(session: Session, *, transfer: str, person_id: int) -> None:
    """It was a mistake; whoever made it may say so too. Raises NotFound, StaleState."""
    decide(session, get(session, transfer), S.WITHDRAWN, person_id)


def decide(session: Session, row: BankTransfer, to: S, person_id: int) -> None:
    actor = f"person:{person_id}"
    decided: dict[str, Any] = {"decider_id": person_id, "decided_at": clock.now()}
    transition(session, row, to, expected=S.RECORDED, actor=actor, why=to.value, **decided)
    note(session, row.public_id, actor, to.value, fen=row.fen)


def note(session: Session, transfer: str, actor: str, what: str, **figures: Any) -> None:
    audit.record(session, actor=actor, action=f"bank_transfer.{what}", subject=f"bank_transfer:{transfer}", **figures)


def receive(session: Session, row: BankTransfer) -> None:
    """A try at the cashier's that is open makes way; where one has succeeded, this money is surplus and goes back."""
    others = select(Attempt).where(Attempt.purpose == row.purpose, Attempt.reference == row.reference, ~Attempt.is_surplus)
    states = {other.state for other in session.scalars(others.with_for_update())}
    if AttemptState.SUCCEEDED not in states:
        overtaken = update(Attempt).where(Attempt.purpose == row.purpose, Attempt.reference == row.reference)
        overtaken = overtaken.where(Attempt.state.in_(OPEN)).values(is_surplus=True, tries=0, next_at=clock.now())
        session.execute(overtaken.execution_options(synchronize_session=False))
        session.expire_all()
    attempt, amount = ids.public_id(), Money(row.fen, row.currency)
    about = {"public_id": attempt, "purpose": row.purpose, "reference": row.reference, "gateway": BANK, "book": row.book}
    is_surplus = AttemptState.SUCCEEDED in states
    add_row(session, Attempt, {**about, "fen": row.fen, "currency": row.currency, "is_surplus": is_surplus})
    mine = session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one()
    leave_trace(session, mine, None, AttemptState.CREATED, actor=BANK, why=f"bank_transfer:{row.public_id}")
    transition(session, mine, AttemptState.SUBMITTING, expected=AttemptState.CREATED, actor=BANK, why="confirmed")
    paid = RemotePayment(remote_of(row), attempt, amount, AttemptState.SUCCEEDED, "confirmed", as_book(row.book))
    outcomes.apply_payment(session, remote=paid, gateway=BANK, why=f"bank_transfer:{row.public_id}")


def as_book(book: str) -> Any:
    return book


def remote_of(row: BankTransfer) -> str:
    """What the attempt or the refund calls it."""
    return f"bank:{row.public_id}"


def conclude(session: Session, row: BankTransfer) -> None:
    """`refund_done:<refund>`."""
    refund, attempt = waiting_refund(session, row.reference)
    told: dict[str, Any] = {"actor": BANK, "why": f"bank_transfer:{row.public_id}"}
    transition(session, refund, RefundState.SUBMITTING, expected=RefundState.REQUESTED, **told)
    done: dict[str, Any] = {"remote_id": remote_of(row), "raw_status": "confirmed"}
    transition(session, refund, RefundState.SUCCEEDED, expected=RefundState.SUBMITTING, **told, **done)
    refunds.post_done(session, refund, attempt, was_done=False)


def waiting_refund(session: Session, refund: str) -> tuple[Refund, Attempt]:
    """Locked. Raises NotFound."""
    wanted = select(Refund).where(Refund.public_id == refund, Refund.state == RefundState.REQUESTED)
    row = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    attempt = session.get(Attempt, row.attempt_id) if row is not None else None
    if row is None or attempt is None or attempt.gateway != BANK:
        raise NotFound(refund)
    return row, attempt


def paid_for(session: Session, transfer: str) -> str:
    """The reference of the payment that it is, or of which it sends something back. Raises NotFound."""
    row = get(session, transfer)
    if row.way is Way.IN:
        return row.reference
    paid = select(Attempt.reference).join(Refund, Refund.attempt_id == Attempt.id)
    return session.scalars(paid.where(Refund.public_id == row.reference)).one()


def get(session: Session, transfer: str) -> BankTransfer:
    """Locked. Raises NotFound."""
    wanted = select(BankTransfer).where(BankTransfer.public_id == transfer).with_for_update()
    row = session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(transfer)
    return row
