"""The stations: all of them on a map and in a list, and a page for each."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from crowdfund.campaigns import queries as campaigns, telling
from crowdfund.campaigns.queries import Named
from listings.cards import Card, cards, has_mark
from listings.following import hearts
from listings.models import Listing
from listings.shelves import is_harvested_in
from marketplace.accounts.permissions import requires
from marketplace.core import clock, page_cache
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.memory import remembered
from marketplace.core.page_versions import raise_versions
from marketplace.orders.cases import quality
from marketplace.orders.cases.quality import Quality
from marketplace.site import station_map, station_pages
from marketplace.site.station_pages import Place, Prefecture, SellerStory, StationDetails, Today

bp = Blueprint("stations", __name__)
CARDS = 8


@dataclass(frozen=True, eq=False)  # the same only as itself: what was rendered of it is kept by it
class All:
    """All stations; those of the chosen prefecture, if there is one, stand first."""

    prefectures: list[Prefecture]
    chosen: str
    picture: station_map.Picture

    @property
    def lit(self) -> int:
        return sum(place.is_lit for prefecture in self.prefectures for place in prefecture.places)


@dataclass(frozen=True, eq=False)
class One:
    """A station, its place among the others, what it did today, and its best goods."""

    station: StationDetails
    place: Place
    today: Today
    goods: list[Card]
    sellers: list[SellerStory]
    campaigns: tuple[Named, ...]
    picture: station_map.Picture
    quality: Quality | None


@bp.get("/stations")
@requires("station.show")
def list_stations() -> ResponseReturnValue:
    page_cache.tags("stations")
    return render_template("stations/index.html", page=everywhere(db.session(), request.args.get("prefecture", "")))


@remembered("stations", kilobytes=120)
def everywhere(session: Session, chosen: str) -> All:
    """Raises NotFound for a prefecture that is none."""
    prefectures = station_pages.directory(session)
    places = places_of(prefectures)
    if chosen and chosen not in {prefecture.code for prefecture in prefectures}:
        raise NotFound(f"prefecture {chosen}")
    picture = station_map.prefecture(places, chosen) if chosen else station_map.whole(places)
    return All(sorted(prefectures, key=lambda prefecture: prefecture.code != chosen), chosen, picture)


@bp.get("/stations/<code>")
@requires("station.show")
def show_station(code: str) -> ResponseReturnValue:
    page_cache.tags("stations", f"station:{code}")
    page = one(db.session(), code)
    hearts_on = hearts.on(db.session(), g.person, page.goods)
    return render_template("stations/show.html", page=page, campaign_kinds=telling.KINDS, hearts=hearts_on)


@remembered("stations", kilobytes=80, by=lambda _page, code: (f"station:{code}",))
def one(session: Session, code: str) -> One:
    """Raises NotFound."""
    station = station_pages.get_station(session, code)
    places = places_of(station_pages.directory(session))
    in_season = is_harvested_in(clock.today().month)
    known_for = (has_mark().desc(), in_season.desc(), Listing.sold.desc(), Listing.published_at.desc())
    return One(
        station=station,
        place=next(place for place in places if place.badge.code == code),
        today=station_pages.today_at(session, code),
        goods=cards(session, Listing.station_code == code, order=known_for, limit=CARDS),
        sellers=station_pages.sellers_of(session, code),
        campaigns=campaigns.running_at(session, code),
        picture=station_map.around(places, code),
        quality=quality.of_owner(session, "station", code),
    )


def places_of(prefectures: Iterable[Prefecture]) -> list[Place]:
    return [place for prefecture in prefectures for place in prefecture.places]


def parcel_moved(*, station: str, **_what: str) -> None:
    """The listener of `parcel.moved`: pages that say which doors are lit, and what was sent today, are made anew."""
    in_transaction(raise_versions, tags={"home", "stations", f"station:{station}"})
