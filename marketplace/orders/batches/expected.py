"""When a seller has their money: what is under way to them, what came last, and when what is kept is theirs at the earliest.

Batches are made by people, on no fixed day: so a page names only days that somebody or something has set."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.records import record
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import LeftOut, LineState
from marketplace.orders.cases import stopping
from marketplace.orders.institutions import payments
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.settlement import SETTLES_AFTER
from marketplace.orders.states import ARRIVED


@record
class Payment:
    """The newest payment to somebody that did not come back; on which day it was drafted, sent or confirmed."""

    state: LineState
    fen: int
    day: date


def newest(session: Session, seller: str, *, book: str) -> Payment | None:
    wanted = select(
        BatchLine.state, BatchLine.fen, BatchLine.answered_at, SettlementBatch.drafted_at, SettlementBatch.sent_at
    )
    wanted = wanted.join(SettlementBatch, SettlementBatch.id == BatchLine.batch_id)
    wanted = wanted.where(BatchLine.owner_kind == "seller", BatchLine.owner == seller, BatchLine.book == book)
    wanted = wanted.where(BatchLine.left_out == LeftOut.NO, BatchLine.state != LineState.RETURNED)
    row = session.execute(wanted.where(BatchLine.bounced_at.is_(None)).order_by(BatchLine.id.desc()).limit(1)).first()
    if row is None:
        return None
    days = {LineState.DUE: row.drafted_at, LineState.SENT: row.sent_at, LineState.CONFIRMED: row.answered_at}
    return Payment(row.state, row.fen, clock.local(days[row.state]).date())


def next_settled(session: Session, seller: str, *, book: str) -> date | None:
    """The day on which the first of their parcels settles by itself; None while nothing has arrived that could."""
    wanted = select(Parcel.delivered_at).join(OrderLine, OrderLine.parcel_id == Parcel.id)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).where(OrderLine.seller_public_id == seller)
    wanted = wanted.where(Order.book == book, Order.paid_at.is_not(None), Parcel.state.in_(sorted(ARRIVED)))
    wanted = wanted.where(Parcel.delivered_at.is_not(None), Parcel.id.not_in(stopping.stopped_parcels()))
    wanted = wanted.where(~Order.is_exchange, Order.number.not_in(payments.disputed_orders()))
    first: datetime | None = session.scalar(wanted.order_by(Parcel.delivered_at).limit(1))
    return clock.local(max(first + SETTLES_AFTER, clock.now())).date() if first else None
