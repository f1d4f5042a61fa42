"""One thing for sale as its page shows it: words, packs, tiers, papers, origin. A fixed number of statements."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from listings import measures
from listings.cards import Card, Photo, cards, gone
from listings.customer_reviews.figures import Figures
from listings.customer_reviews.models import FeedbackCount
from listings.models import Category, Listing, Media, PriceTier, Variant
from listings.states import ListingState
from listings.vouching import Checked, Paper, last_check, papers_of
from marketplace.core import clock
from marketplace.core.db import Columns, rows
from marketplace.core.errors import NotFound
from marketplace.core.formats import language, measure_price, price_per_kilogram
from marketplace.core.memory import remembered
from marketplace.core.records import record
from marketplace.stations.badges import StationBadge, badge
from marketplace.stations.models import County, Seller, Station

MOST_AT_ONCE: Final = 9999  # of one pack in one order, whatever the stock
NEIGHBOURS: Final = 4


@record
class Tier:
    """From so many packs on, each costs this."""

    from_quantity: int
    price_fen: int
    per: str


@record
class Pack:
    code: str
    unit: str
    word: str  # what one is called: 箱, box
    words: str  # several: 箱, boxes
    price_fen: int
    per: str  # "¥7.96/斤", or empty
    per_kilogram: str  # "¥15.92/kg", or empty
    net_weight_grams: int
    minimum: int
    available: int
    tiers: tuple[Tier, ...]
    measure: str  # weight, volume, piece, none
    measure_amount: int | None  # grams, millilitres or pieces in the pack
    piece: str  # the measure word of pieces

    @property
    def is_available(self) -> bool:
        return self.available >= self.minimum

    @property
    def most(self) -> int:
        return min(self.available, MOST_AT_ONCE)

    def named(self, number: int) -> str:
        """ "box" or "boxes"."""
        return self.word if number == 1 else self.words


@record
class Product:
    listing_id: int
    code: str
    title: str
    story: str
    story_language: str  # of the story itself, which may have no English
    kind: str
    photos: tuple[Photo, ...]
    category: tuple[str, str]  # code, name
    parent: str
    station: StationBadge
    prefecture: str
    free_shipping_from_fen: int
    seller: str  # in Chinese where there is no other name
    village: str  # in Chinese
    tags: tuple[str, ...]
    harvest_months: tuple[int, ...]
    shelf_life_days: int | None
    storage: str
    return_policy: str
    service_fee_per_mille: int
    is_age_restricted: bool
    is_demo: bool
    packs: tuple[Pack, ...]
    papers: tuple[Paper, ...]
    checked: Checked | None
    gone_words: str  # empty while some pack can be had
    feedback: Figures

    @property
    def county_code(self) -> str:
        return self.station.code

    def pack(self, code: str) -> Pack:
        """The pack of that code; without one the first that can be had, else the first. Raises NotFound."""
        if code:
            for pack in self.packs:
                if pack.code == code:
                    return pack
            raise NotFound(code)
        return next((pack for pack in self.packs if pack.is_available), self.packs[0])


def get_product(session: Session, code: str) -> Product:
    """A published listing with all that belongs to it: five statements. Raises NotFound for anything not on sale."""
    row = next(iter(rows(session, row_of_product(), wanted=code)), None)
    packs = packs_of(session, row.id) if row else ()
    if row is None or not packs:
        raise NotFound(code)
    return product(row, packs, photos_of(session, row.id), papers_of(session, row.id), last_check(session, row.id))


def has_had(session: Session, code: str, variant: str) -> bool:
    """Whether this listing offers, or once offered, this pack: letters lead to packs that others have followed."""
    mine = select(Variant.id).join(Listing, Listing.id == Variant.listing_id).where(Listing.code == code)
    return bool(rows(session, mine.where(Variant.code == variant)))


@cache  # putting it together takes longer than running it
def row_of_product() -> Columns:
    return (
        select(*Listing.__table__.c)
        .add_columns(Category.name_zh.label("category_zh"), Category.name_en.label("category_en"))
        .add_columns(Category.parent_code, Category.service_fee_per_mille, Category.is_age_restricted)
        .add_columns(Station.code.label("station"), Station.name_zh, Station.name_en, Station.free_shipping_from_fen)
        .add_columns(County.is_deep_poverty, County.prefecture_zh, County.prefecture_en)
        .add_columns(Seller.name_en.label("seller_en"), *FeedbackCount.__table__.c)
        .join(Category, Category.code == Listing.category_code)
        .join(Station, Station.code == Listing.station_code)
        .join(County, County.code == Station.code)
        .outerjoin(Seller, Seller.person_id == Listing.seller_id)
        .outerjoin(FeedbackCount, FeedbackCount.listing_id == Listing.id)
        .where(Listing.code == bindparam("wanted"), Listing.state == ListingState.PUBLISHED)
    )


def product(
    row: Row[Any], packs: tuple[Pack, ...], photos: tuple[Photo, ...], papers: tuple[Paper, ...], checked: Checked | None
) -> Product:
    words = language()
    in_english = words == "en"
    story = row.story_en if in_english and row.story_en else row.story_zh
    return Product(
        listing_id=row.id,
        code=row.code,
        title=row.title_en if in_english and row.title_en else row.title_zh,
        story=story,
        story_language="en" if in_english and row.story_en else "zh",
        kind=row.drawing,
        photos=photos,
        category=(row.category_code, getattr(row, f"category_{words}")),
        parent=row.parent_code or row.category_code,
        station=badge(row, words),
        prefecture=getattr(row, f"prefecture_{words}"),
        free_shipping_from_fen=row.free_shipping_from_fen,
        seller=row.seller_en if in_english and row.seller_en else row.seller_name,
        village=row.origin_village_zh,
        tags=tuple(row.tags),
        harvest_months=tuple(row.harvest_months),
        shelf_life_days=row.shelf_life_days,
        storage=row.storage_en if in_english and row.storage_en else row.storage_zh,
        return_policy=row.return_policy,
        service_fee_per_mille=row.service_fee_per_mille,
        is_age_restricted=row.is_age_restricted,
        is_demo=row.is_demo,
        packs=packs,
        papers=papers,
        checked=checked,
        gone_words="" if any(pack.is_available for pack in packs) else gone(row.harvest_months, clock.today()),
        feedback=Figures.of(row),
    )


def packs_of(session: Session, listing: int) -> tuple[Pack, ...]:
    """The offered packs in their order, with their tiers: two statements."""
    words = language()
    by_variant: dict[int, list[Any]] = {}
    for tier in rows(session, rows_of_tiers(), wanted=listing):
        by_variant.setdefault(tier.variant_id, []).append(tier)
    variants = rows(session, rows_of_variants(), wanted=listing)
    return tuple(pack(row, by_variant.get(row.id, []), words) for row in variants)


@cache
def rows_of_variants() -> Columns:
    offered = select(*Variant.__table__.c).where(Variant.listing_id == bindparam("wanted"), Variant.is_offered)
    return offered.order_by(Variant.position, Variant.id)


@cache
def rows_of_tiers() -> Columns:
    tiers = select(PriceTier.variant_id, PriceTier.from_quantity, PriceTier.price_fen)
    tiers = tiers.join(Variant, Variant.id == PriceTier.variant_id).where(Variant.listing_id == bindparam("wanted"))
    return tiers.order_by(PriceTier.from_quantity)


def pack(row: Row[Any], tiers: Sequence[Row[Any]], words: str) -> Pack:
    def per(price_fen: int) -> str:
        return measure_price(price_fen, row.measure, row.measure_amount or 0, row.piece_zh, words)

    called, in_english = measures.word(row.unit_zh)
    is_weighed = row.measure == "weight" and row.measure_amount
    return Pack(
        code=row.code,
        unit=row.unit_en if words == "en" and row.unit_en else row.unit_zh,
        word=in_english[0] if words == "en" else called,
        words=in_english[1] if words == "en" else called,
        price_fen=row.price_fen,
        per=per(row.price_fen),
        per_kilogram=price_per_kilogram(row.price_fen, row.measure_amount) if is_weighed else "",
        net_weight_grams=row.net_weight_grams,
        minimum=row.minimum_quantity,
        available=row.on_hand - row.reserved,
        tiers=tuple(Tier(tier.from_quantity, tier.price_fen, per(tier.price_fen)) for tier in tiers),
        measure=row.measure,
        measure_amount=row.measure_amount,
        piece=row.piece_zh,
    )


def photos_of(session: Session, listing: int) -> tuple[Photo, ...]:
    return tuple(Photo(row.public_id, row.width, row.height) for row in rows(session, rows_of_photos(), wanted=listing))


@cache
def rows_of_photos() -> Columns:
    wanted = select(Media.public_id, Media.width, Media.height).where(Media.listing_id == bindparam("wanted"))
    return wanted.order_by(Media.position)


def neighbours(session: Session, shown: Product) -> list[Card]:
    """Other goods of the same station that can be had: they travel in the same parcel."""
    return [card for card in best_of(session, shown.county_code) if card.code != shown.code][:NEIGHBOURS]


@remembered(by=lambda _cards, station: (f"station:{station}",))
def best_of(session: Session, station: str) -> list[Card]:
    """What this station sells most, as far as it can be had."""
    best = (Listing.sold.desc(), Listing.published_at.desc())
    found = cards(session, Listing.station_code == station, order=best, limit=2 * NEIGHBOURS)
    return [card for card in found if card.is_available]
