"""Another person approves a batch, and it is sent: by a file for the bank, or by transfers. Those are the gateway's where it
knows the payee, and made by hand for all others.

At both moments what is owed is looked at again while the accounts are held: a refund that came between makes it smaller,
and such a line is left out with the reason, never overdrawn."""

from collections.abc import Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import subject_of, transition
from marketplace.ledger import books
from marketplace.orders.batches import at_gateway, bank_file, owed
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import BatchState, LeftOut, LineState
from marketplace.payments.reconciliation import switch
from marketplace.payments.transfers import sending

IN_TRANSIT: Final[books.Account] = ("payout_in_transit", "")
WAYS: Final = ("file", "transfer")


class SamePerson(Refusal):
    status = 403
    message = _l("You drafted this batch, so you cannot approve it. Another person must.")


def approve(session: Session, *, batch: str, approver_id: int) -> None:
    """Agree to what another person drafted; with nothing left to pay it is over. Raises SamePerson, StaleState, NotFound."""
    row = hold(session, batch)
    if row.drafter_id == approver_id:
        raise SamePerson(batch)
    actor = f"person:{approver_id}"
    move(session, row, BatchState.APPROVED, BatchState.DRAFTED, actor, "approved", approver_id=approver_id)
    lines = look_again(session, row, actor)
    tell_audit(session, row, "approved", actor, lines)
    if not lines:
        end_empty(session, row, actor)


def send(session: Session, *, batch: str, way: str, actor: str) -> None:
    """What is owed leaves the payees' accounts for transit. `way` is `file` or `transfer`: what the gateway can pay itself
    is asked of it by the worker, and is never in the file.

    Raises StaleState, NotFound, PayoutsAreClosed."""
    if way not in WAYS:
        raise NotFound(way)
    row = hold(session, batch)
    if row.state is not BatchState.APPROVED:
        raise StaleState(f"{batch} is {row.state}")
    switch.refuse_closed_payouts(session)
    lines = look_again(session, row, actor)
    if not lines:
        end_empty(session, row, actor)
        return
    row.sent_at = clock.now()
    known_there = at_gateway.payees_of(session, row) if way == "transfer" else {}
    others = [line for line in lines if (line.owner_kind, line.owner) not in known_there]
    file = bank_file.digest(bank_file.content(row, others)) if others else ""
    sent = {"way": way, "sent_at": row.sent_at, "file_sha256": file}
    move(session, row, BatchState.SENT, BatchState.APPROVED, actor, way, **sent)
    tell_audit(session, row, "sent", actor, lines, way=way, sha256=file)
    for line in lines:
        transition(session, line, LineState.SENT, expected=LineState.DUE, actor=actor, why=way, station=row.station_code)
        amount = Money(line.fen, line.currency)
        post(session, row, line, "payout", {account_of(line): amount, IN_TRANSIT: -amount})
        if payee := known_there.get((line.owner_kind, line.owner)):
            named = {"reference": line.public_id, "booked_under": row.public_id}
            sending.ask_for(session, payee=payee, **named, amount=amount)


def tell_audit(
    session: Session, batch: SettlementBatch, done: str, actor: str, lines: Sequence[BatchLine], **detail: str
) -> None:
    action, fen = f"settlement.{done}", sum(line.fen for line in lines)
    audit.record(session, actor=actor, action=action, subject=subject_of(batch), fen=fen, **detail)


def look_again(session: Session, batch: SettlementBatch, actor: str) -> list[BatchLine]:
    """The lines that may still be paid, their owners' accounts held; the others are left out from now on."""
    lines = paying(session, batch)
    owners = [(line.owner_kind, line.owner) for line in lines]
    accounts, fen = owed.hold_accounts(session, owners), owed.owed_to(session, owners, batch.book)
    for line in lines:
        line.left_out = owed.why_no_more(line, accounts, fen)
        if line.left_out:
            leave_out(session, line, actor)
    session.flush()
    return [line for line in lines if not line.left_out]


def leave_out(session: Session, line: BatchLine, actor: str) -> None:
    action = "settlement.left_out"
    audit.record(session, actor=actor, action=action, subject=subject_of(line), why=line.left_out.value, fen=line.fen)


def end_empty(session: Session, batch: SettlementBatch, actor: str) -> None:
    """Every line was left out: nothing is sent, and nobody has to answer."""
    why = "nothing left to pay"
    if batch.state is BatchState.APPROVED:
        move(session, batch, BatchState.SENT, BatchState.APPROVED, actor, why, sent_at=clock.now())
    move(session, batch, BatchState.CLOSED, BatchState.SENT, actor, why)


def paying(session: Session, batch: SettlementBatch) -> Sequence[BatchLine]:
    """The lines that pay somebody, in the order of their owners."""
    mine = select(BatchLine).where(BatchLine.batch_id == batch.id, BatchLine.left_out == LeftOut.NO)
    return session.scalars(mine.order_by(BatchLine.owner_kind, BatchLine.owner)).all()


def by_hand(session: Session, batch: SettlementBatch) -> Sequence[BatchLine]:
    """Of those the lines that no transfer of the gateway's pays."""
    transferred = at_gateway.transfers_of(session, batch)
    return [line for line in paying(session, batch) if line.public_id not in transferred]


def hold(session: Session, batch: str) -> SettlementBatch:
    """The batch, its row locked. Raises NotFound."""
    wanted = select(SettlementBatch).where(SettlementBatch.public_id == batch).with_for_update()
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(batch)
    return found


def move(
    session: Session, row: SettlementBatch, to: BatchState, expected: BatchState, actor: str, why: str, **also: Any
) -> None:
    """Raises StaleState also where the step is no longer the next one: somebody else was there first."""
    if row.state is not expected:
        raise StaleState(f"{row.public_id} is {row.state}")
    transition(session, row, to, expected=expected, actor=actor, why=why, station=row.station_code, **also)


def account_of(line: BatchLine) -> books.Account:
    return owed.payable(line.owner_kind), line.owner


def post(session: Session, batch: SettlementBatch, line: BatchLine, kind: str, lines: dict[books.Account, Money]) -> None:
    """Such as `payout_paid:<line>`; its reference is the batch, so that no order's money changes."""
    books.post(session, key=f"{kind}:{line.public_id}", book=batch.book, reference=batch.public_id, lines=lines)
