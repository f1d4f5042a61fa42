"""Transfers and reversals: written down first, sent by the worker, told to the floor above when they are answered."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace, subject_of, transition
from marketplace.payments.gateways import (
    Declined,
    GatewayError,
    Invalid,
    NotSupported,
    OutcomeUnknown,
    gateways,
    unknown_unless_answered,
)
from marketplace.payments.reconciliation import switch
from marketplace.payments.transfers.asking import RemoteTransfer, ReversalRequest, TransferRequest
from marketplace.payments.transfers.models import IS_OPEN, GatewayPayee, Reversal, Transfer
from marketplace.payments.transfers.states import ASKED_BEFORE, TransferState

Row = Transfer | Reversal
Kind = type[Transfer] | type[Reversal]
SUCCEEDED: Final = TransferState.SUCCEEDED
FAILED: Final = TransferState.FAILED

on_answered: dict[tuple[str, TransferState], Callable[[Session, Any], None]] = {}
"""(table, `succeeded` or `failed`) -> called with session and row in that transaction; filled by parts/."""


def ask_for(session: Session, *, payee: GatewayPayee, reference: str, booked_under: str, amount: Money) -> None:
    """Have `amount` sent to a payee for `reference`; the caller has booked that it is on its way."""
    row = Transfer(payee_id=payee.id, reference=reference, booked_under=booked_under)
    begin(session, row, amount, why=reference)


def ask_back(session: Session, *, transfer: Transfer, cause: str, amount: Money) -> None:
    """Have `amount` of a transfer taken back; nothing is booked before it has come."""
    begin(session, Reversal(transfer_id=transfer.id, cause=cause), amount, why=cause)


def begin(session: Session, row: Row, amount: Money, *, why: str) -> None:
    row.fen, row.currency = amount.fen, amount.currency
    session.add(row)
    session.flush()
    leave_trace(session, row, None, TransferState.REQUESTED, actor="system", why=why)


def send_transfer() -> bool:
    """The worker's step: one transfer that is due; True if there was one."""
    return send_one(Transfer)


def send_reversal() -> bool:
    return send_one(Reversal)


def send_one(kind: Kind) -> bool:
    row = in_transaction(take, kind=kind)
    if row is None:
        return False
    try:
        submit(kind, row)
    except Exception:
        logging.getLogger(__name__).exception("%s %s", kind.__tablename__, row)
    return True


@cache
def due(kind: Kind, may_begin: bool) -> Any:
    return outbox.due(kind, IS_OPEN if may_begin else and_(IS_OPEN, kind.state.in_(ASKED_BEFORE)))


def take(session: Session, *, kind: Kind) -> int | None:
    """While payouts are closed no transfer is begun, and none is tried in vain: it goes out as soon as they open."""
    is_new = select(kind.id).where(kind.state == TransferState.REQUESTED).limit(1)
    may_begin = session.scalar(is_new) is not None and (kind is Reversal or switch.payouts_are_open(session))
    rows = outbox.take(session, due(kind, may_begin))
    return rows[0].id if rows else None


def submit(kind: Kind, row: int) -> None:
    """Outside any transaction. Whatever is not a refusal leaves it open: it is asked again with the same key."""
    asked = in_transaction(begin_submission, kind=kind, row=row)
    if asked is None:
        return
    try:
        with unknown_unless_answered(f"{kind.__tablename__} {row}"):
            remote = answer_to(asked)
    except (Declined, Invalid, NotSupported) as refusal:
        in_transaction(fail, kind=kind, row=row, why=type(refusal).__name__)
    except GatewayError:
        in_transaction(leave_unknown, kind=kind, row=row)
        raise
    else:
        in_transaction(arrive, kind=kind, row=row, remote=remote, why="answer")


class NeverArrived(Declined):
    """Asked for a day ago, and the gateway has nothing of it."""


@record
class Submission:
    """What the gateway is asked for. With a key too old to be repeated, what that key made is looked for."""

    gateway: str
    request: TransferRequest | ReversalRequest
    key: str
    since: datetime
    may_be_sent: bool


def begin_submission(session: Session, *, kind: Kind, row: int) -> Submission | None:
    """None where nothing is to be asked any more, and as long as nothing may be paid out."""
    held = hold(session, kind, row)
    is_first = held.state is TransferState.REQUESTED
    if is_first and kind is Transfer and not switch.payouts_are_open(session):
        return None
    if is_first:
        asked: Any = {"actor": "system", "why": "asked", "first_asked_at": clock.now()}
        transition(session, held, TransferState.SUBMITTING, expected=held.state, **asked)
    return submission(session, held) if held.state in ASKED_BEFORE else None


def submission(session: Session, row: Row) -> Submission:
    payee, key = payee_of(session, row), f"{row.__tablename__}:{row.public_id}:create"
    return Submission(payee.gateway, request_of(session, row, payee), key, row.created_at, row.key_is_fresh)


def request_of(session: Session, row: Row, payee: GatewayPayee) -> TransferRequest | ReversalRequest:
    if isinstance(row, Transfer):
        return TransferRequest(row.public_id, str(payee.remote_id), row.amount, row.booked_under)
    transfer = session.get_one(Transfer, row.transfer_id)
    return ReversalRequest(row.public_id, str(transfer.remote_id), row.amount)


def answer_to(asked: Submission) -> RemoteTransfer:
    """Where the key is too old and the gateway knows nothing of it, a transfer raises OutcomeUnknown: a person has to look
    (`absent`), for it would be paid once more. A reversal raises NeverArrived: what it did not bring stays owed."""
    gateway, request = gateways().get(asked.gateway), asked.request
    if not asked.may_be_sent:
        found = look_for(asked)
        if found is None:
            raise (NeverArrived if isinstance(request, ReversalRequest) else OutcomeUnknown)(asked.key)
        return found
    if isinstance(request, TransferRequest):
        return gateway.transfer(request, key=asked.key)
    return gateway.reverse_transfer(request, key=asked.key)


def look_for(asked: Submission) -> RemoteTransfer | None:
    gateway, request = gateways().get(asked.gateway), asked.request
    if isinstance(request, TransferRequest):
        return gateway.find_transfer(request, since=asked.since)
    return gateway.find_reversal(request)


def arrive(session: Session, *, kind: Kind, row: int, remote: RemoteTransfer, why: str) -> None:
    """The gateway has moved it. Raises ValueError where it has moved something else."""
    held = hold(session, kind, row)
    if held.state not in ASKED_BEFORE:
        return
    payee = payee_of(session, held)
    if (remote.ours, remote.amount, remote.book) != (held.public_id, held.amount, payee.book):
        raise ValueError(f"{subject_of(held)}: the gateway says {remote}")
    transition(session, held, SUCCEEDED, expected=held.state, actor=payee.gateway, why=why, remote_id=remote.remote_id)
    on_answered[kind.__tablename__, SUCCEEDED](session, held)


def fail(session: Session, *, kind: Kind, row: int, why: str) -> None:
    """The gateway refused for good."""
    held = hold(session, kind, row)
    if held.state not in ASKED_BEFORE:
        return
    gateway = payee_of(session, held).gateway
    transition(session, held, FAILED, expected=held.state, actor=gateway, why=why, said=why)
    audit.record(session, actor=gateway, action=f"{kind.__tablename__}.failed", subject=subject_of(held), why=why)
    on_answered[kind.__tablename__, FAILED](session, held)


def leave_unknown(session: Session, *, kind: Kind, row: int) -> None:
    held = hold(session, kind, row)
    if held.state is TransferState.SUBMITTING:
        transition(session, held, TransferState.UNKNOWN, expected=held.state, actor="system", why="no answer")


def hold(session: Session, kind: Kind, row: int) -> Row:
    held: Row = session.get_one(kind, row, with_for_update=True, populate_existing=True)  # type: ignore[assignment]
    return held


def payee_of(session: Session, row: Row) -> GatewayPayee:
    transfer = row if isinstance(row, Transfer) else session.get_one(Transfer, row.transfer_id)
    return session.get_one(GatewayPayee, transfer.payee_id)


def of_reference(session: Session, reference: str) -> Transfer | None:
    """The transfer that pays this, if one does."""
    return session.scalar(select(Transfer).where(Transfer.reference == reference))
