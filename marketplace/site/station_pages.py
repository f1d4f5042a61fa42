"""What the pages of the stations show: each function a fixed number of statements."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from listings.models import Listing
from listings.states import ListingState
from marketplace.core import clock
from marketplace.core.db import Columns, rows
from marketplace.core.errors import NotFound
from marketplace.core.formats import language
from marketplace.core.memory import remembered
from marketplace.core.records import record
from marketplace.orders.cases import quality
from marketplace.orders.cases.quality import Quality
from marketplace.orders.models import Parcel
from marketplace.stations import map as maps
from marketplace.stations.badges import StationBadge, badge
from marketplace.stations.models import County, Seller, Station

LATELY: Final = timedelta(days=30)


@record
class Place:
    """A station in the list of all."""

    badge: StationBadge
    prefecture_code: str
    prefecture: str
    goods: int
    sent_lately: int
    is_lit: bool  # has accepted or sent something today


@record
class Prefecture:
    code: str
    name: str
    places: tuple[Place, ...]


@record
class StationDetails:
    """A station in the reader's language."""

    badge: StationBadge
    county: str
    prefecture: str
    level: str  # national, provincial
    exit_year: int
    introduction: str
    address: str
    opening_hours: str
    phone: str
    head: str
    free_shipping_from_fen: int
    daily_capacity: int
    is_demo: bool


@record
class SellerStory:
    name: str
    kind: str
    village: str  # in Chinese: it has no English name here
    since: int
    story: str
    quality: Quality | None


@record
class Today:
    sent: int
    accepted: int
    last_sent_at: datetime | None


@remembered("stations", "goods")
def directory(session: Session) -> tuple[Prefecture, ...]:
    """All stations by prefecture: one statement."""
    words = language()
    places = [place(row, words) for row in rows(session, all_places())]
    by_code: dict[str, list[Place]] = {}
    for each in places:
        by_code.setdefault(each.prefecture_code, []).append(each)
    return tuple(Prefecture(code, found[0].prefecture, tuple(found)) for code, found in by_code.items())


def all_places() -> Columns:
    goods = (
        select(Listing.station_code, func.count().label("goods"))
        .where(Listing.state == ListingState.PUBLISHED)
        .group_by(Listing.station_code)
        .subquery()
    )
    today, lately = clock.start_of(clock.today()), clock.now() - LATELY
    moved_today = case((func.max(Parcel.accepted_at) >= today, 1), (func.max(Parcel.dispatched_at) >= today, 1), else_=0)
    sent = func.sum(case((Parcel.dispatched_at >= lately, 1), else_=0))
    parcels = (
        select(Parcel.station_code, sent.label("sent_lately"), moved_today.label("is_lit"))
        .where((Parcel.dispatched_at >= lately) | (Parcel.accepted_at >= lately))
        .group_by(Parcel.station_code)
        .subquery()
    )
    return (
        select(Station.code.label("station"), Station.name_zh, Station.name_en, County.is_deep_poverty)
        .add_columns(County.prefecture_code, County.prefecture_zh, County.prefecture_en)
        .add_columns(func.coalesce(goods.c.goods, 0).label("goods"))
        .add_columns(func.coalesce(parcels.c.sent_lately, 0).label("sent_lately"))
        .add_columns(func.coalesce(parcels.c.is_lit, 0).label("is_lit"))
        .join(County, County.code == Station.code)
        .outerjoin(goods, goods.c.station_code == Station.code)
        .outerjoin(parcels, parcels.c.station_code == Station.code)
        .order_by(County.prefecture_code, Station.code)
    )


def place(row: Row[Any], words: str) -> Place:
    prefecture = getattr(row, f"prefecture_{words}")
    return Place(badge(row, words), row.prefecture_code, prefecture, row.goods, row.sent_lately, bool(row.is_lit))


def get_station(session: Session, code: str) -> StationDetails:
    """Raises NotFound."""
    if code not in maps.province().shapes:  # whatever was typed never reaches the database
        raise NotFound(f"station {code!r}")
    wanted = (
        select(Station.code.label("station"), Station.name_zh, Station.name_en, County.is_deep_poverty)
        .add_columns(County.name_zh.label("county_zh"), County.name_en.label("county_en"), County.level, County.exit_year)
        .add_columns(County.prefecture_zh, County.prefecture_en, Station.introduction_zh, Station.introduction_en)
        .add_columns(Station.address_zh, Station.address_en, Station.opening_hours_zh, Station.opening_hours_en)
        .add_columns(Station.head_zh, Station.head_en, Station.phone, Station.free_shipping_from_fen, Station.is_demo)
        .add_columns(Station.daily_capacity)
        .join(County, County.code == Station.code)
        .where(Station.code == code)
    )
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound(f"station {code}")
    words = language()
    texts = ("county", "prefecture", "introduction", "address", "opening_hours", "head")
    same = ("level", "exit_year", "phone", "free_shipping_from_fen", "daily_capacity", "is_demo")
    return StationDetails(
        badge=badge(row, words),
        **{name: getattr(row, f"{name}_{words}") for name in texts},
        **{name: getattr(row, name) for name in same},
    )


def today_at(session: Session, code: str) -> Today:
    """What the station has done today."""
    start = clock.start_of(clock.today())
    figures = select(
        func.coalesce(func.sum(case((Parcel.dispatched_at >= start, 1), else_=0)), 0),
        func.coalesce(func.sum(case((Parcel.accepted_at >= start, 1), else_=0)), 0),
        func.max(Parcel.dispatched_at),
    ).where(Parcel.station_code == code)
    return Today(*session.execute(figures).one())


def sellers_of(session: Session, code: str, limit: int = 6) -> list[SellerStory]:
    """Those who have sold there longest."""
    words = language()
    wanted: Columns = (
        select(Seller.name_zh, Seller.name_en, Seller.kind, Seller.village_zh, Seller.since)
        .add_columns(Seller.story_zh, Seller.story_en)
        .where(Seller.station_code == code)
        .order_by(Seller.since, Seller.person_id)
        .limit(limit)
    )
    rows = session.execute(quality.beside_sellers(wanted))
    return [
        SellerStory(
            getattr(row, f"name_{words}"),
            row.kind,
            row.village_zh,
            row.since,
            getattr(row, f"story_{words}"),
            quality.of_figures(row[-len(quality.FIGURES) :]),
        )
        for row in rows
    ]
