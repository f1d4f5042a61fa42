"""What the bank says of each payment: it has arrived, or it came back and its owner is owed again."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import subject_of, transition
from marketplace.orders.batches.approving import IN_TRANSIT, account_of, hold, move, post
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import BatchState, LineState
from marketplace.payments.transfers import sending


class NotSent(StaleState):
    message = _l("This payment has not been sent, or its answer is here already.")


class PaidByTheGateway(Refusal):
    message = _l("The payment provider makes this payment and answers by itself.")


def confirm(session: Session, *, batch: str, line: str, reference: str, actor: str, by_gateway: bool = False) -> None:
    """The payee has it. `payout_paid:<line>`; the last answer closes the batch.

    Raises NotSent, NotFound, and PaidByTheGateway for what its own transfer pays."""
    row, payment = sent_line(session, batch, line, by_gateway=by_gateway)
    answer(session, row, payment, LineState.CONFIRMED, actor, reference)
    amount = Money(payment.fen, payment.currency)
    post(session, row, payment, "payout_paid", {IN_TRANSIT: amount, ("gateway_clearing", row.gateway): -amount})
    close_if_answered(session, row, actor)


def send_back(session: Session, *, batch: str, line: str, reason: str, actor: str, by_gateway: bool = False) -> None:
    """It could not be paid: owed again, and due in the next batch. `payout_failed:<line>`. Raises as `confirm`."""
    row, payment = sent_line(session, batch, line, by_gateway=by_gateway)
    answer(session, row, payment, LineState.RETURNED, actor, reason)
    amount = Money(payment.fen, payment.currency)
    post(session, row, payment, "payout_failed", {IN_TRANSIT: amount, account_of(payment): -amount})
    close_if_answered(session, row, actor)


def sent_line(session: Session, batch: str, line: str, *, by_gateway: bool) -> tuple[SettlementBatch, BatchLine]:
    """The batch, locked, and its line, which is on its way."""
    row = hold(session, batch)
    wanted = select(BatchLine).where(BatchLine.public_id == line, BatchLine.batch_id == row.id)
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(line)
    if found.state is not LineState.SENT:
        raise NotSent(line)
    if not by_gateway and sending.of_reference(session, line) is not None:
        raise PaidByTheGateway(line)
    return row, found


def answer(session: Session, batch: SettlementBatch, line: BatchLine, to: LineState, actor: str, said: str) -> None:
    """Write the bank's word down. Raises NotSent for a line that is not, or was answered by somebody else meanwhile."""
    told: dict[str, Any] = {"bank_said": said, "answered_at": clock.now()}
    try:
        transition(session, line, to, expected=LineState.SENT, actor=actor, why=said, station=batch.station_code, **told)
    except StaleState:
        raise NotSent(line.public_id) from None
    audit.record(session, actor=actor, action=f"settlement.{to}", subject=subject_of(line), why=said, fen=line.fen)


def close_if_answered(session: Session, batch: SettlementBatch, actor: str) -> None:
    waits = exists().where(BatchLine.batch_id == batch.id, BatchLine.state == LineState.SENT)
    if not session.scalar(select(waits)):
        move(session, batch, BatchState.CLOSED, BatchState.SENT, actor, "every payment is answered")
