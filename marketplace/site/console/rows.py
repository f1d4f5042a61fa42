"""The rows behind each number of the console, the newest first, page by page: two statements, the sum and a page."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, PublicRow
from listings.models import Listing
from listings.states import ListingState
from marketplace.core.db import Columns
from marketplace.core.formats import in_language
from marketplace.core.paging import Page, cut
from marketplace.core.records import record
from marketplace.orders.models import Order, Parcel
from marketplace.site.console import figures, trade
from marketplace.site.console.periods import Period
from marketplace.stations.models import Station

PAGE: Final = 50
MOST: Final = 200


@record
class Counted:
    """All that a list holds, also beyond this page."""

    number: int
    fen: int


@record
class List:
    counted: Counted
    found: Page[Any]


def orders(session: Session, period: Period, book: str, before: str = "") -> List:
    """After the order `before`."""
    which = trade.taken(period.since, period.until, book)
    summed = select(func.count(Order.id), func.coalesce(func.sum(Order.total_fen), 0)).where(*which)
    wanted = listed_orders().where(*which)
    if before:
        placed, number = edge(Order.number == before, Order.placed_at, Order.id)
        wanted = wanted.where((Order.placed_at < placed) | ((Order.placed_at == placed) & (Order.id < number)))
    wanted = wanted.order_by(Order.placed_at.desc(), Order.id.desc())
    return List(counted(session, summed), page(session, wanted, "number"))


def listed_orders() -> Columns:
    """Nothing of whom they are for: who has to know that finds it where the parcel is handled."""
    parcels = select(func.count(Parcel.id)).where(Parcel.order_id == Order.id).scalar_subquery()
    wanted: Columns = select(Order.number, Order.placed_at, Order.state, Order.total_fen, parcels.label("parcels"))
    return wanted


def parcels(
    session: Session, which: str, period: Period, book: str, station: str = "", before: str = ""
) -> tuple[List, int]:
    """After the parcel `before`; and how many of all were sent in time."""
    chosen = trade.WHICH[which][1](period, book)
    if station:
        chosen = (*chosen, Parcel.station_code == station)
    in_time = func.coalesce(func.sum(case((trade.in_time(), 1), else_=0)), 0)
    summed = select(func.count(Parcel.id), in_time).join(Order, Order.id == Parcel.order_id).where(*chosen)
    number, done = session.execute(summed).one()
    wanted = listed_parcels().where(*chosen)
    if before:
        placed, row = edge(Parcel.public_id == before, Order.placed_at, Parcel.id)
        wanted = wanted.where((Order.placed_at < placed) | ((Order.placed_at == placed) & (Parcel.id < row)))
    wanted = wanted.order_by(Order.placed_at.desc(), Parcel.id.desc())
    return List(Counted(number, 0), page(session, wanted, "public_id")), int(done)


def listed_parcels() -> Columns:
    wanted: Columns = select(Parcel.public_id, Parcel.number, Parcel.state, Parcel.dispatched_at, Parcel.station_code)
    wanted = wanted.add_columns(Order.number.label("order_number"), Order.placed_at, Station.name_zh, Station.name_en)
    wanted = wanted.add_columns(trade.in_time().label("in_time"), Station.phone)
    return wanted.join(Order, Order.id == Parcel.order_id).join(Station, Station.code == Parcel.station_code)


def gifts(session: Session, period: Period, book: str, before: str = "") -> tuple[List, int]:
    """As everybody may read them; and what was added to them by matching."""
    sums = figures.gifts(session, period, book)
    wanted: Columns = select(PublicRow.id, PublicRow.at, PublicRow.kind, PublicRow.fen, PublicRow.who)
    wanted = wanted.add_columns(Campaign.public_id.label("campaign"), Campaign.title_zh, Campaign.title_en)
    wanted = wanted.join(Campaign, Campaign.id == PublicRow.campaign_id).where(*figures.given(period, book))
    if before.isascii() and before.isdigit():
        wanted = wanted.where(PublicRow.id < int(before[:18]))
    found = page(session, wanted.order_by(PublicRow.id.desc()), "id")
    return List(Counted(sums.number, sums.fen), found), sums.matched_fen


def goods_in_review(session: Session) -> Sequence[Any]:
    """What waits for its station's review, the longest first, with whom to call. One statement."""
    wanted: Columns = select(Listing.code, Listing.title_zh, Listing.title_en, Listing.seller_name, Listing.submitted_at)
    wanted = wanted.add_columns(Station.name_zh, Station.name_en, Station.phone)
    wanted = wanted.join(Station, Station.code == Listing.station_code).where(Listing.state == ListingState.SUBMITTED)
    return session.execute(wanted.order_by(Listing.submitted_at, Listing.id).limit(MOST)).all()


def edge(which: Any, *columns: Any) -> list[Any]:
    """These columns of the row that ended the page before, as SQL; nothing is beyond a row that is not there."""
    found = select(*columns).select_from(Order).outerjoin(Parcel, Parcel.order_id == Order.id).where(which).limit(1)
    return [found.with_only_columns(column).scalar_subquery().correlate(None) for column in columns]


def counted(session: Session, summed: Any) -> Counted:
    number, fen = session.execute(summed).one()
    return Counted(number, int(fen))


def page(session: Session, wanted: Columns, name: str) -> Page[Any]:
    rows: Sequence[Any] = session.execute(wanted.limit(PAGE + 1)).all()
    named = attrgetter(name)
    return cut(rows, PAGE, lambda row: str(named(row)))


def station_name(session: Session, code: str) -> str:
    """Empty for what is no station."""
    row = session.execute(select(Station.name_zh, Station.name_en).where(Station.code == code)).first()
    return in_language(row.name_zh, row.name_en) if row else ""
