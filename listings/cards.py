"""What a product shows of itself in a grid or a list: one row of one prepared statement, whatever page it is on."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import BindParameter, ColumnElement, Row, and_, bindparam, case, func, select
from sqlalchemy.orm import Session

from listings.models import Certificate, Listing, Media, Variant
from listings.states import ListingState
from marketplace.core import clock
from marketplace.core.db import Columns, rows
from marketplace.core.formats import language, measure_price, month_range
from marketplace.core.records import record
from marketplace.stations.badges import StationBadge, badge
from marketplace.stations.models import County, Station

NEW_CROP: Final = "当年新货"
RAW_CROPS: Final = frozenset(  # what is sold as it was gathered; vinegar, juice and crisps are made in any month
    (
        *("fruit-apple", "fruit-pear", "fruit-stone", "fruit-berry", "fruit-melon"),
        *("veg-root", "veg-fresh", "veg-mushroom", "nut-walnut", "nut-jujube"),
        *("grain-millet", "grain-buckwheat", "grain-bean", "grain-mix", "oil-spice", "herb-root"),
    )
)


@record
class Photo:
    public_id: str
    width: int
    height: int

    def url(self, width: int) -> str:
        return f"/media/{self.public_id}-{width}.webp"


@record
class Card:
    """Everything that templates/ui/product.html asks for."""

    code: str
    title: str
    kind: str
    photo: Photo | None
    county_code: str
    station: StationBadge
    fact: str
    variant: str
    price_fen: int
    unit: str
    per: str
    is_available: bool
    gone_words: str

    @property
    def url(self) -> str:
        return f"/listings/{self.code}"


def cards(session: Session, *which: ColumnElement[bool], order: Sequence[Any], limit: int) -> list[Card]:
    """Published listings for which all of `which` hold, as cards in the reader's language: two statements."""
    wanted = select(Listing.id).where(Listing.state == ListingState.PUBLISHED, *which)
    return cards_of(session, [row.id for row in rows(session, wanted.order_by(*order, Listing.id).limit(limit))])


def cards_of(session: Session, listings: Sequence[int]) -> list[Card]:
    """Cards of these listings (by id) in this order, in the reader's language. Those without a pack are left out."""
    words, today = language(), clock.today()
    found = rows(session, rows_of_cards(), ids=listings) if listings else ()
    made = {row.id: card(row, words, today) for row in found}
    return [made[listing] for listing in listings if listing in made]


@cache  # putting it together takes longer than running it
def rows_of_cards() -> Columns:
    """A row for each listing of `ids`, with the first of its packs that can be had, else its first pack."""
    pack = packs(bindparam("ids", expanding=True)).subquery("pack")
    first_picture = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1)
    picture = first_picture.correlate(Listing).scalar_subquery()
    return (
        select(Listing.id, Listing.code, Listing.title_zh, Listing.title_en, Listing.drawing)
        .add_columns(Listing.tags, Listing.harvest_months, Listing.category_code)
        .add_columns(Station.code.label("station"), Station.name_zh, Station.name_en, County.is_deep_poverty)
        .add_columns(has_mark().label("has_mark"))
        .add_columns(
            Media.public_id.label("photo"),
            Media.width,
            Media.height,
            *(column for column in pack.c if column.name != "listing_id"),
        )
        .join(pack, and_(pack.c.listing_id == Listing.id, pack.c.place == 1))
        .join(Station, Station.code == Listing.station_code)
        .join(County, County.code == Station.code)
        .outerjoin(Media, Media.id == picture)
    )


def has_mark() -> ColumnElement[bool]:
    """Whether a listing has a geographical indication: what its county is known for. A seller's mere statement is none."""
    mark = select(Certificate.id).where(Certificate.listing_id == Listing.id, Certificate.status != "stated")
    return mark.where(Certificate.kind == "geographical_indication").correlate(Listing).exists()


def packs(wanted: BindParameter[Any]) -> Columns:
    is_sold_out = case((Variant.on_hand - Variant.reserved >= Variant.minimum_quantity, 0), else_=1)
    place = func.row_number().over(partition_by=Variant.listing_id, order_by=(is_sold_out, Variant.position))
    return (
        select(Variant.listing_id, Variant.code.label("variant"), Variant.price_fen, Variant.unit_zh, Variant.unit_en)
        .add_columns(Variant.measure, Variant.measure_amount, Variant.piece_zh)
        .add_columns(is_sold_out.label("is_sold_out"), place.label("place"))
        .where(Variant.listing_id.in_(wanted), Variant.is_offered)
    )


def card(row: Row[Any], words: str, today: date) -> Card:
    """The card in one language: "zh" or "en". What has no English yet is shown in Chinese."""
    in_english = words == "en"
    return Card(
        code=row.code,
        title=row.title_en if in_english and row.title_en else row.title_zh,
        kind=row.drawing,
        photo=Photo(row.photo, row.width, row.height) if row.photo else None,
        county_code=row.station,
        station=badge(row, words),
        fact=fact(row, today),
        variant=row.variant,
        price_fen=row.price_fen,
        unit=row.unit_en if in_english and row.unit_en else row.unit_zh,
        per=measure_price(row.price_fen, row.measure, row.measure_amount or 0, row.piece_zh, words),
        is_available=not row.is_sold_out,
        gone_words=gone(row.harvest_months, today) if row.is_sold_out else "",
    )


def fact(row: Row[Any], today: date) -> str:
    """The one fact of origin that says most."""
    if row.has_mark:
        return str(_("Geographical indication"))
    if NEW_CROP in row.tags:
        return str(_("This year's crop"))
    is_fresh = row.category_code in RAW_CROPS and today.month in row.harvest_months
    return str(_("Harvested this month")) if is_fresh else ""


def gone(harvest_months: Sequence[int], today: date) -> str:
    """What a sold-out card says: when there will be more, if the calendar knows."""
    if not harvest_months:
        return str(_("Sold out"))
    following = min(harvest_months, key=lambda month: (month - today.month - 1) % 12)
    return str(_("Sold out, more in %(month)s", month=month_range(following, following, language())))
