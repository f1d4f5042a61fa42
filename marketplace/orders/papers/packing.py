"""Packing sheets: what goes into which parcel, by grower, by station or by buyer. Two statements, however many orders."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from marketplace.core import csv_rows
from marketplace.core.db import Columns
from marketplace.core.formats import in_language, mask_name, mask_phone
from marketplace.orders import remaining
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.quoting import PICKUP
from marketplace.orders.receiving import offered
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.receiving.states import SubstituteState
from marketplace.orders.states import GOES_AHEAD, ParcelState as S

TO_PACK: Final = (S.ACCEPTED, S.COLLECTING, S.PACKED)


class By(StrEnum):
    SELLER = "seller"
    STATION = "station"
    BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of one parcel: what is still to go into it."""

    sequence: int  # in which it was ordered
    label: str
    seller: str  # public id: two growers of a village may have one name
    seller_name: str
    title: str
    unit: str
    packs: int
    is_here: bool  # all of it was brought
    shelf: str
    city: str  # empty for what is fetched here
    leave_by: date
    recipient: str = ""
    phone: str = ""
    is_gift: bool = False  # without prices, with its card


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading, and what they come to by pack."""

    heading: str
    rows: tuple[Row, ...]

    @property
    def totals(self) -> list[tuple[str, str, int]]:
        found: dict[tuple[str, str], int] = {}
        for row in self.rows:
            found[row.title, row.unit] = found.get((row.title, row.unit), 0) + row.packs
        return sorted((title, unit, packs) for (title, unit), packs in found.items())


def groups(session: Session, station: str, by: By) -> list[Group]:
    """By seller: of each grower, pack by pack. By station: all of it, by shelf. By buyer: order by order.

    What is alike stays in the order in which it was ordered."""
    rows = read(session, station, with_names=by is By.BUYER)
    order, heading = ORDERS[by]
    return [Group(words, tuple(mine)) for (words, _whose), mine in groupby(sorted(rows, key=order), heading)]


def by_shelf(row: Row) -> tuple[Any, ...]:
    return not row.shelf, row.shelf, row.leave_by


ORDERS: Final = {
    By.SELLER: (
        lambda row: (row.seller_name, row.seller, row.title, row.unit, row.leave_by),
        lambda row: (row.seller_name, row.seller),
    ),
    By.STATION: (by_shelf, lambda _row: ("", "")),
    By.BUYER: (
        lambda row: row.leave_by,
        lambda row: (f"{row.label.rpartition('-')[0]}  {row.recipient} {row.phone}", ""),
    ),
}


def read(session: Session, station: str, *, with_names: bool) -> list[Row]:
    """`with_names`: recipients, masked; they are decrypted only where they are shown."""
    packs = remaining.packs_due()
    own = rows_of(session, station, packs, OrderLine, OrderLine.received_quantity >= packs, with_names=with_names)
    accepted = Substitute.state == SubstituteState.ACCEPTED
    left = Substitute.packs - offered.given_back()
    instead = rows_of(session, station, left, Substitute, accepted, accepted, with_names=with_names)
    return sorted(own + instead, key=attrgetter("sequence"))


def rows_of(
    session: Session,
    station: str,
    packs: Any,
    named: Any,
    is_here: ColumnElement[bool],
    *which: ColumnElement[bool],
    with_names: bool,
) -> list[Row]:
    """`named`: the table whose names and units are those of the packs; a line, or what is sent instead of it."""
    names = (Order.recipient, Order.phone) if with_names else ()
    wanted: Columns = (
        select(Order.id, Order.number, Parcel.number, OrderLine.seller_public_id, OrderLine.seller_name)
        .add_columns(named.title_zh, named.title_en, named.unit_zh, named.unit_en, packs, is_here, Parcel.shelf)
        .add_columns(Order.is_gift, Parcel.delivery, Order.city, Parcel.leave_by, *names)
        .select_from(OrderLine)
        .join(Parcel, Parcel.id == OrderLine.parcel_id)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.station_code == station, Parcel.state.in_(TO_PACK), Order.state.in_(GOES_AHEAD), packs > 0)
        .where(*which)
        .order_by(Order.id, OrderLine.id)
    )
    if named is Substitute:
        wanted = wanted.join(Substitute, Substitute.order_line_id == OrderLine.id)
    return [row_of(*found) for found in session.execute(wanted)]


def row_of(sequence: int, number: str, position: int, seller: str, name: str, *found: Any) -> Row:
    zh, en, unit_zh, unit_en, packs, is_here, shelf, is_gift, delivery, city, day, *who = found
    goods = (in_language(zh, en), in_language(unit_zh, unit_en), packs, bool(is_here))
    masked = (mask_name(who[0]), mask_phone(who[1])) if who else ()
    where = "" if delivery == PICKUP else city
    return replace(Row(sequence, f"{number}-{position}", seller, name, *goods, shelf, where, day, *masked), is_gift=is_gift)


def as_csv(found: list[Group]) -> Iterator[bytes]:
    """For a table program, in the reader's language, while it is made."""
    heads = (
        _("Heading"),
        _("Parcel"),
        _("Shelf"),
        _("Grower"),
        _("Contents"),
        _("Pack size"),
        _("Quantity"),
        _("To"),
        _("By"),
    )
    yield ("\ufeff" + csv_rows.row(heads)).encode()
    for group in found:
        for row in group.rows:
            where = (row.label, row.shelf, row.seller_name, row.title, row.unit, str(row.packs))
            yield csv_rows.row((group.heading, *where, row.city or _("pickup here"), row.leave_by.isoformat())).encode()
