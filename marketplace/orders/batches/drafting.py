"""A batch for one station: the station itself and the sellers whose goods it sends, each with what they are owed."""

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace, subject_of
from marketplace.orders.batches import owed
from marketplace.orders.batches.models import BatchLine, PayoutAccount, SettlementBatch
from marketplace.orders.batches.states import BatchState, LeftOut, LineState
from marketplace.payments.gateways import chosen_gateway


class NothingToPay(Refusal):
    message = _l("There is nobody here who can be paid now.")


def draft(session: Session, *, station: str, drafter_id: int) -> str:
    """Write down who gets what; returns the batch's number. Who cannot be paid is named with the reason and left out.

    The amounts are frozen; what is owed less when the batch is approved or sent drops out then. A debt of an earlier refund
    is in the balance already, so it is netted by itself. Raises NotFound, NothingToPay, PaymentsClosed."""
    gateway = chosen_gateway()
    names = owed.payees_of(session, station, gateway.book)
    if ("station", station) not in names:
        raise NotFound(station)
    accounts = owed.hold_accounts(session, names)
    fen = owed.owed_to(session, names, gateway.book)
    waiting = owed.under_way(session, names, gateway.book)
    lines = [
        line_for(owner, name, fen[owner], accounts.get(owner), is_under_way=owner in waiting)
        for owner, name in names.items()
        if fen[owner]
    ]
    if all(line.left_out for line in lines):
        raise NothingToPay(station)
    batch = SettlementBatch(station_code=station, book=gateway.book, gateway=gateway.name, drafter_id=drafter_id)
    session.add(batch)
    session.flush()
    actor = f"person:{drafter_id}"
    leave_trace(session, batch, None, BatchState.DRAFTED, actor=actor, why="drafted", station=station)
    for line in lines:
        line.batch_id, line.book = batch.id, batch.book
        session.add(line)
        session.flush()
        leave_trace(session, line, None, LineState.DUE, actor=actor, why=line.left_out or "drafted", station=station)
    total = sum(line.fen for line in lines if not line.left_out)
    audit.record(session, actor=actor, action="settlement.drafted", subject=subject_of(batch), fen=total)
    return batch.public_id


def line_for(owner: owed.Owner, name: str, fen: int, account: PayoutAccount | None, *, is_under_way: bool) -> BatchLine:
    kind, whose = owner
    line = BatchLine(owner_kind=kind, owner=whose, owner_name=name, fen=fen)
    line.left_out = LeftOut.UNDER_WAY if is_under_way else owed.why_not(account, fen)
    if account is not None:
        line.holder, line.bank, line.number = account.holder, account.bank, account.number
        line.last4, line.account_revision = account.last4, account.revision
    return line
