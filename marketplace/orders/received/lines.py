"""The lines of an order that its buyer has: arrived, and not wholly given back. What was sent for nothing instead of
something else is spoken of at the line that was bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.customer_reviews.writing import Received
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.transitions import EventRow
from marketplace.orders import fulfilment
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import ParcelState as S

ARRIVED: Final = (S.DELIVERED, S.PICKED_UP, S.SETTLED)
LOST: Final = (
    select(EventRow.id).where(EventRow.subject == "parcel:" + Parcel.public_id, EventRow.to_state == S.LOST).exists()
)


@dataclass(frozen=True)
class ReceivedLine:
    """As pages show it."""

    public_id: str
    listing_code: str
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    drawing: str
    media_public_id: str | None
    station_code: str
    delivered_at: datetime


def of_order(session: Session, number: str) -> Sequence[ReceivedLine]:
    """One statement."""
    names = ("public_id", "listing_code", "title_zh", "title_en", "unit_zh", "unit_en", "drawing", "media_public_id")
    wanted = select(*(getattr(OrderLine, name) for name in names), Parcel.station_code, Parcel.delivered_at)
    wanted = received(wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).join(Order, Order.id == Parcel.order_id))
    return [ReceivedLine(*row) for row in session.execute(wanted.where(Order.number == number).order_by(OrderLine.id))]


def received(wanted: Any) -> Any:
    """A statement about lines with their parcels and orders: only those that their buyer has some of."""
    some = (OrderLine.refunded_quantity < OrderLine.quantity) & (
        OrderLine.missing_quantity + OrderLine.replaced_quantity < OrderLine.quantity
    )
    return wanted.where(Parcel.state.in_(ARRIVED), Parcel.delivered_at.is_not(None), ~LOST, ~Order.is_exchange, some)


def get_received(session: Session, *, number: str, line: str) -> Received:
    """For a command: nothing happens to the line meanwhile. Raises NotFound."""
    wanted = select(Parcel.public_id).join(OrderLine, OrderLine.parcel_id == Parcel.id)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).where(Order.number == number, OrderLine.public_id == line)
    parcel = session.scalar(wanted)
    if parcel is None:
        raise NotFound(line)
    order = fulfilment.get_parcel(session, parcel, station=None).order
    whole = select(OrderLine).join(Parcel, Parcel.id == OrderLine.parcel_id).join(Order, Order.id == Parcel.order_id)
    bought = session.scalar(received(whole.where(OrderLine.public_id == line)))
    if bought is None:
        raise NotFound(line)
    return Received(
        order_line=line,
        listing=bought.listing_code,
        unit_zh=bought.unit_zh,
        unit_en=bought.unit_en,
        bought_on=clock.local(order.placed_at).date(),
        author_id=order.buyer_id,
        author_name=name_of(session, order),
    )


def name_of(session: Session, order: Order) -> str:
    """Of the account, else of whoever the parcel was for."""
    buyer = session.get(Person, order.buyer_id) if order.buyer_id else None
    return buyer.name if buyer and buyer.name else order.recipient
