"""The stations: all of them on a map and in a list, and a page for each."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from listings.cards import cards, has_mark
from listings.models import Listing
from listings.shelves import is_harvested_in
from marketplace.accounts.permissions import requires
from marketplace.core import clock, page_cache
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.page_versions import raise_versions
from marketplace.site import station_map, station_pages

bp = Blueprint("stations", __name__)
CARDS = 8


@bp.get("/stations")
@requires("station.show")
def list_stations() -> ResponseReturnValue:
    page_cache.tags("stations")
    prefectures = station_pages.directory(db.session())
    places = [place for prefecture in prefectures for place in prefecture.places]
    chosen = request.args.get("prefecture", "")
    if chosen and chosen not in {prefecture.code for prefecture in prefectures}:
        raise NotFound(f"prefecture {chosen}")
    picture = station_map.prefecture(places, chosen) if chosen else station_map.whole(places)
    prefectures.sort(key=lambda prefecture: prefecture.code != chosen)  # what was asked for stands first
    return render_template("stations/index.html", prefectures=prefectures, places=places, picture=picture, chosen=chosen)


@bp.get("/stations/<code>")
@requires("station.show")
def show_station(code: str) -> ResponseReturnValue:
    page_cache.tags("stations", f"station:{code}")
    session = db.session()
    station = station_pages.get_station(session, code)
    places = [place for prefecture in station_pages.directory(session) for place in prefecture.places]
    in_season = is_harvested_in(clock.today().month)
    known_for = (has_mark().desc(), in_season.desc(), Listing.sold.desc(), Listing.published_at.desc())
    return render_template(
        "stations/show.html",
        station=station,
        today=station_pages.today_at(session, code),
        place=next(place for place in places if place.badge.code == code),
        goods=cards(session, Listing.station_code == code, order=known_for, limit=CARDS),
        sellers=station_pages.sellers_of(session, code),
        picture=station_map.around(places, code),
    )


def parcel_moved(*, station: str, **_what: str) -> None:
    """The listener of `parcel.moved`: pages that say which doors are lit, and what was sent today, are made anew."""
    in_transaction(raise_versions, tags={"home", "stations", f"station:{station}"})
