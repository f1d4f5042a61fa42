"""The lines of an order that its buyer has: arrived, and not wholly given back. Where the buyer took something else, that
is what they received (adr/0034); what was sent for nothing after a case is spoken of at the line that was bought."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select
from sqlalchemy.orm import Session

from listings.customer_reviews import queries
from listings.customer_reviews.states import ReviewState
from listings.customer_reviews.writing import OwnGoods, Received
from listings.models import Listing, Variant
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.orders import fulfilment
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.receiving import named
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.states import ParcelState as S

ARRIVED: Final = (S.DELIVERED, S.PICKED_UP, S.SETTLED)
LOST: Final = (
    select(EventRow.id).where(EventRow.subject == "parcel:" + Parcel.public_id, EventRow.to_state == S.LOST).exists()
)


@record
class BoughtLine:
    """As pages show it; only what `is_received` may be reviewed."""

    public_id: str
    listing_code: str
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    drawing: str
    media_public_id: str | None
    station_code: str
    is_received: bool


def of_order(session: Session, number: str) -> Sequence[BoughtLine]:
    """One statement."""
    found = session.execute(goods().where(Order.number == number).order_by(OrderLine.id))
    return [BoughtLine(*row) for row in found]


def goods() -> Columns:
    """SQL: the columns of a BoughtLine. A line that is sent as something else is called like it, and has its drawing."""
    is_other = and_(Listing.code.is_not(None), Listing.code != OrderLine.listing_code)
    drawing = case((is_other, Listing.drawing), else_=OrderLine.drawing)
    photo = case((is_other, None), else_=OrderLine.media_public_id)
    listing = func.coalesce(Listing.code, OrderLine.listing_code).label("listing_code")
    wanted: Columns = select(OrderLine.public_id, listing, *named.NAMES, drawing, photo, Parcel.station_code, is_received())
    wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).join(Order, Order.id == Parcel.order_id)
    wanted = wanted.outerjoin(Substitute, named.SENT_INSTEAD)
    return wanted.outerjoin(Variant, Variant.code == Substitute.variant_code).outerjoin(
        Listing, Listing.id == Variant.listing_id
    )


def is_received() -> ColumnElement[bool]:
    """SQL about a line with its parcel and order: its buyer has some of it, or of what they took instead of all of it."""
    is_there = and_(Parcel.state.in_(ARRIVED), Parcel.delivered_at.is_not(None), ~LOST, ~Order.is_exchange)
    came = OrderLine.missing_quantity + OrderLine.replaced_quantity < OrderLine.quantity
    instead = select(Substitute.id).where(named.SENT_INSTEAD).correlate(OrderLine).exists()
    return and_(is_there, or_(came, instead), OrderLine.refunded_quantity < OrderLine.quantity)


def reviews_of(session: Session, order: Order) -> dict[str, ReviewState | None]:
    """By line that was received or reviewed, how its review stands; None where nobody has written one yet: two statements.

    What was taken away cannot be written again, so that it is left out."""
    bought = of_order(session, order.number)
    known = queries.of_lines(session, [line.public_id for line in bought])
    found = {line.public_id: known.get(line.public_id) for line in bought if line.is_received or line.public_id in known}
    return {line: state for line, state in found.items() if state is not ReviewState.WITHDRAWN}


def get_received(session: Session, *, number: str, line: str) -> Received:
    """For a command: nothing happens to the line meanwhile. Raises NotFound, OwnGoods."""
    wanted = select(Parcel.public_id).join(OrderLine, OrderLine.parcel_id == Parcel.id)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).where(Order.number == number, OrderLine.public_id == line)
    parcel = session.scalar(wanted)
    if parcel is None:
        raise NotFound(line)
    order = fulfilment.get_parcel(session, parcel, station=None).order
    whole = select(OrderLine).join(Parcel, Parcel.id == OrderLine.parcel_id).join(Order, Order.id == Parcel.order_id)
    bought = session.scalar(whole.where(OrderLine.public_id == line, is_received()))
    if bought is None:
        raise NotFound(line)
    came: Row[Any] = session.execute(goods().where(OrderLine.id == bought.id)).one()
    if order.phone == phone_of(session, bought.seller_public_id):
        raise OwnGoods(line)
    return Received(
        order_line=line,
        listing=came.listing_code,
        unit_zh=came.unit_zh,
        unit_en=came.unit_en,
        bought_on=clock.local(order.placed_at).date(),
        author_id=order.buyer_id,
        author_name=name_of(session, order),
    )


def phone_of(session: Session, seller: str) -> str | None:
    """A grower who orders without an account, to their own telephone, is still the grower."""
    return session.scalar(select(Person.phone).where(Person.public_id == seller))


def name_of(session: Session, order: Order) -> str:
    """Of the account, else of whoever the parcel was for."""
    buyer = session.get(Person, order.buyer_id) if order.buyer_id else None
    return buyer.name if buyer and buyer.name else order.recipient
