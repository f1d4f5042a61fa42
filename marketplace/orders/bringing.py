"""What a seller has to bring to the station: their own lines of parcels that are not packed, by station and by day."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.formats import in_language
from marketplace.core.records import record
from marketplace.orders import remaining
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import GOES_AHEAD, ParcelState as S
from marketplace.stations.models import Station

TO_BRING: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING)
LONGEST: Final = 500


@record
class Thing:
    """So many of one pack, for these parcels."""

    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    quantity: int
    parcels: tuple[str, ...]


@record
class Day:
    """What goes into parcels that leave their station by this day."""

    leave_by: date
    things: tuple[Thing, ...]


@record
class AtStation:
    name: str
    address: str
    phone: str
    days: tuple[Day, ...]


def lines(session: Session, seller: str) -> Sequence[Any]:
    """A seller's lines to bring, by station, day and pack, what was refunded or brought left out: one statement."""
    left = remaining.packs_due() - OrderLine.received_quantity
    wanted = (
        select(OrderLine.variant_code, OrderLine.title_zh, OrderLine.title_en, OrderLine.unit_zh, OrderLine.unit_en)
        .add_columns(left.label("quantity"))
        .add_columns(Parcel.number, Parcel.leave_by, Order.number.label("order_number"))
        .add_columns(Station.code, Station.name_zh, Station.name_en, Station.address_zh, Station.address_en, Station.phone)
        .join(Parcel, Parcel.id == OrderLine.parcel_id)
        .join(Order, Order.id == Parcel.order_id)
        .join(Station, Station.code == Parcel.station_code)
        .where(OrderLine.seller_public_id == seller, Parcel.state.in_(TO_BRING))
        .where(Order.state.in_(GOES_AHEAD), left > 0)
        .order_by(Station.code, Parcel.leave_by, OrderLine.variant_code, OrderLine.id)
    )
    return session.execute(wanted.limit(LONGEST)).all()


def by_station(rows: Sequence[Any]) -> list[AtStation]:
    return [at_station(list(group)) for _code, group in groupby(rows, key=attrgetter("code"))]


def at_station(rows: Sequence[Any]) -> AtStation:
    first = rows[0]
    name, address = in_language(first.name_zh, first.name_en), in_language(first.address_zh, first.address_en)
    return AtStation(name, address, first.phone, tuple(by_day(rows)))


def by_day(rows: Iterable[Any]) -> list[Day]:
    """The rows of one or several stations, soonest first."""
    in_order = sorted(rows, key=attrgetter("leave_by", "variant_code"))
    return [Day(day, tuple(things(group))) for day, group in groupby(in_order, key=attrgetter("leave_by"))]


def things(rows: Iterable[Any]) -> list[Thing]:
    """Added up by pack, whatever it was called when it was ordered."""
    return [thing(list(group)) for _code, group in groupby(rows, key=attrgetter("variant_code"))]


def thing(rows: Sequence[Any]) -> Thing:
    last = rows[-1]
    parcels = tuple(dict.fromkeys(f"{row.order_number}-{row.number}" for row in rows))
    return Thing(last.title_zh, last.title_en, last.unit_zh, last.unit_en, sum(row.quantity for row in rows), parcels)
