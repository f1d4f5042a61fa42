"""The front page: what is in season, who is sending today, where the money goes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.telling import ROWS
from listings.cards import Card, cards, has_mark
from listings.following import hearts
from listings.models import Listing
from listings.shelves import is_harvested_in
from listings.states import ListingState
from marketplace.accounts.permissions import requires
from marketplace.core import clock, page_cache
from marketplace.core.db import db
from marketplace.core.formats import language, yuan
from marketplace.core.memory import remembered
from marketplace.core.records import record
from marketplace.core.strata import Layer, Section, section
from marketplace.site import cover, delivery, money, station_pages
from marketplace.site.helping import Helping, helping
from marketplace.site.seasons import SEASONS
from marketplace.site.sheets import sheet_url

bp = Blueprint("home", __name__)
SHOWN: Final = 8
LOOKED_AT: Final = 24


@record
class Headline:
    """Two lines, one fact, and the goods they speak of."""

    when: str
    what: str
    fact: str
    product: Card

    @property
    def name(self) -> str:
        """The product's name without its particulars: 平陆苹果 of “平陆苹果 冰糖心”."""
        return self.product.title.split(" ")[0] if language() == "zh" else self.product.title.split(",")[0]


@record
class Money:
    """The section through what was paid: its title, its layers, and a sentence that says the same."""

    title: str
    drawing: Section
    sentence: str
    caption: str


@dataclass(frozen=True, eq=False)  # the same only as itself: what was rendered of it is kept by it
class Front:
    """What the front page shows. `top` is None in an empty shop, `money` while nothing can be said of it."""

    top: Headline | None
    wide: list[cover.Door]
    narrow: list[cover.Door]
    stations: int
    lit: int
    goods: list[Card]
    sheet: str
    in_season: int
    money: Money | None
    helping: Helping


@bp.get("/")
@requires("shop.browse")
def show() -> ResponseReturnValue:
    page_cache.tags("goods", "stations", "giving", "ledger", "pledges", "presales")
    page = front(db.session())
    hearts_on = hearts.on(db.session(), g.person, page.goods)
    return render_template("site/home.html", page=page, row_words=ROWS, hearts=hearts_on)


@remembered("goods", "stations", "giving", "ledger", "pledges", "presales", kilobytes=140)
def front(session: Session) -> Front:
    today = clock.today()
    places = [place for prefecture in station_pages.directory(session) for place in prefecture.places]
    best = (has_mark().desc(), Listing.sold.desc(), Listing.published_at.desc())
    in_season = cards(session, is_harvested_in(today.month), order=best, limit=LOOKED_AT)
    top = headline(session, today, in_season)
    goods = varied((card for card in in_season if top is None or card.code != top.product.code), SHOWN)
    return Front(
        top=top,
        wide=cover.doors(places, cover.WIDE),
        narrow=cover.doors(places, cover.NARROW),
        stations=len(places),
        lit=sum(place.is_lit for place in places),
        goods=goods,
        sheet=sheet_url({card.kind for card in goods if card.photo is None}),
        in_season=count_in_season(session, today),
        money=money_shown(session, top, today),
        helping=helping(session),
    )


def headline(session: Session, today: date, in_season: list[Card]) -> Headline | None:
    """The month's own headline if its goods are on sale, else the best of the season. None in an empty shop."""
    season = SEASONS[today.month]
    here = (Listing.station_code == season.county, Listing.category_code == season.category)
    own = [card for card in cards(session, *here, order=(Listing.sold.desc(),), limit=4) if card.is_available]
    if own:
        return Headline(str(season.when), str(season.what), first_sentence(session, own[0]), own[0])
    for card in in_season:
        if card.is_available:
            return Headline(_("In season now:"), card.title, first_sentence(session, card), card)
    return None


def first_sentence(session: Session, card: Card) -> str:
    """The beginning of its story; where there is none in the reader's language, the station it is sent from."""
    column = Listing.story_en if language() == "en" else Listing.story_zh
    story = session.scalar(select(column).where(Listing.code == card.code)) or ""
    sentence = story.split("。")[0] + "。" if language() == "zh" else story.split(". ")[0].rstrip(".") + "."
    return sentence if len(sentence) > 1 else _("Sent from %(station)s, where it grew.", station=card.station.name)


def varied(goods: Iterable[Card], number: int) -> list[Card]:
    """The best ones, no kind and no county twice while there is choice."""
    first: list[Card] = []
    later: list[Card] = []
    kinds: set[str] = set()
    counties: set[str] = set()
    for card in goods:
        is_new = card.is_available and card.kind not in kinds and card.county_code not in counties
        (first if is_new else later).append(card)
        if is_new:
            kinds.add(card.kind)
            counties.add(card.county_code)
    return (first + [card for card in later if card.is_available])[:number]


def count_in_season(session: Session, today: date) -> int:
    counted = select(func.count()).select_from(Listing)
    counted = counted.where(Listing.state == ListingState.PUBLISHED, is_harvested_in(today.month))
    return session.scalar(counted) or 0


def money_shown(session: Session, top: Headline | None, today: date) -> Money | None:
    """What the books say of the last 30 days; in a shop without sales, what the rules say of one box."""
    if shares := money.shares_lately(session):
        title = _("Where the money of the last 30 days went")
        layers = [Layer(_("Growers"), shares.sellers), Layer(_("Stations, for their work"), shares.stations)]
        drawing = section([*layers, Layer(_("Couriers"), shares.shipping)])
        return Money(title, drawing, said(drawing), _("From the books. The platform takes nothing."))
    if top is None:
        return None
    drawing = delivery.shares_of(session, top.product.variant, today)
    title = _("Where the money for one box goes")
    caption = _("%(title)s, one box to Taiyuan. The platform takes nothing.", title=top.product.title)
    return Money(title, drawing, said(drawing), caption) if drawing.layers else None


def said(drawing: Section) -> str:
    """The drawing in one sentence."""
    return str(_(", ")).join(f"{layer.name} {yuan(layer.amount_fen)}" for layer in drawing.layers)
