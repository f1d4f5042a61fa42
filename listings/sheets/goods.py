"""A seller's goods as a sheet sees them: one row a pack, its values by the columns' keys."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.orm import Session

from listings import certificates
from listings.forms import grams_of
from listings.models import Category, Certificate, Listing, Media, PriceTier, Variant
from listings.sheets.parsing import Categories
from listings.states import ListingState as L
from marketplace.core.db import rows
from marketplace.core.records import record

PART: Final = 5_000  # values in one statement: SQLite takes 32,766
DESCRIBING: Final = (
    "category",
    "title",
    "unit",
    "village",
    "story",
    "weight",
    "months",
    "shelf_life",
    "storage",
    "certificates",
    "pictures",
)
OF_THE_GOODS: Final = frozenset({"number", *DESCRIBING} - {"unit", "weight"})
"""What all packs of a listing share: the row of its first one says it."""
Values = Mapping[str, Any]


@record
class Pack:
    """A pack of a listing. `values` holds what a sheet may say of it; `tiers` are [from how many, fen]."""

    listing_id: int
    variant_id: int
    code: str  # of the listing
    pack_code: str
    state: L
    station: str
    is_first: bool
    is_only: bool
    version: int  # of the listing
    on_hand: int
    reserved: int
    minimum: int
    tiers: list[list[int]]
    values: Values

    @property
    def name(self) -> str:
        """What stands in the column Code: the listing, or the pack where there are several."""
        return self.code if self.is_only else self.pack_code

    @property
    def is_editable(self) -> bool:
        return self.state in (L.DRAFT, L.REJECTED)


def of_seller(session: Session, person_id: int, *which: ColumnElement[bool]) -> list[Pack]:
    """In the order in which they were listed; three statements."""
    found = rows(session, statement(person_id, *which))
    number_of_packs: dict[int, int] = {}
    for row in found:
        number_of_packs[row.id] = number_of_packs.get(row.id, 0) + 1
    tiers = tiers_of(session, [row.variant_id for row in found])
    papers = papers_of(session, list(number_of_packs))
    made, seen = [], set()
    for row in found:
        is_first, is_only = row.id not in seen, number_of_packs[row.id] == 1
        made.append(pack_of(row, is_first, is_only, tiers.get(row.variant_id, []), papers.get(row.id, [])))
        seen.add(row.id)
    return made


def statement(person_id: int, *which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(Listing.id, Listing.code, Listing.state, Listing.station_code, Listing.article_number, Listing.category_code)
        .add_columns(Listing.title_zh, Listing.origin_village_zh, Listing.story_zh, Listing.harvest_months)
        .add_columns(Listing.shelf_life_days, Listing.storage_zh, Listing.version, Variant.id.label("variant_id"))
        .add_columns(Variant.code.label("pack_code"), Variant.unit_zh, Variant.net_weight_grams, Variant.price_fen)
        .add_columns(Variant.on_hand, Variant.reserved, Variant.minimum_quantity)
        .join(Variant, Variant.listing_id == Listing.id)
        .where(Listing.seller_id == person_id, Listing.state != L.ARCHIVED, *which)
        .order_by(Listing.id, Variant.position, Variant.id)
    )


def pack_of(row: Row[Any], is_first: bool, is_only: bool, tiers: list[list[int]], papers: list[dict[str, Any]]) -> Pack:
    grams = row.net_weight_grams
    first = tiers[0] if tiers else [None, None]
    values = {
        "number": row.article_number,
        "category": row.category_code,
        "title": row.title_zh,
        "unit": row.unit_zh,
        "price": row.price_fen,
        "stock": row.on_hand,
        "village": row.origin_village_zh,
        "story": row.story_zh,
        "weight": None if grams == grams_of(row.unit_zh) else grams,
        "months": row.harvest_months,
        "minimum": row.minimum_quantity,
        "tier_from": first[0],
        "tier_price": first[1],
        "shelf_life": row.shelf_life_days,
        "storage": row.storage_zh,
        "certificates": papers,
    }
    names = (row.id, row.variant_id, row.code, row.pack_code, row.state, row.station_code)
    return Pack(*names, is_first, is_only, row.version, row.on_hand, row.reserved, row.minimum_quantity, tiers, values)


def tiers_of(session: Session, variants: Sequence[int]) -> dict[int, list[list[int]]]:
    found: dict[int, list[list[int]]] = {}
    for part in parts(variants):
        wanted = select(PriceTier.variant_id, PriceTier.from_quantity, PriceTier.price_fen)
        ordered = wanted.where(PriceTier.variant_id.in_(part)).order_by(PriceTier.variant_id, PriceTier.from_quantity)
        for row in rows(session, ordered):
            found.setdefault(row.variant_id, []).append([row.from_quantity, row.price_fen])
    return found


def papers_of(session: Session, listings: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Each listing's papers, as an edit carries them."""
    found: dict[int, list[dict[str, Any]]] = {}
    for part in parts(listings):
        for row in rows(session, certificates.columns().where(Certificate.listing_id.in_(part)).order_by(Certificate.id)):
            found.setdefault(row.listing_id, []).append(certificates.content(row))
    return found


def named(session: Session, person_id: int, codes: Collection[str], numbers: Collection[str]) -> list[Pack]:
    """The seller's packs that these codes (of listings or packs) or article numbers mean, and all of the same listings."""
    by_pack = select(Variant.listing_id).where(Variant.code.in_(codes))
    by_name = or_(Listing.code.in_(codes), Listing.id.in_(by_pack), Listing.article_number.in_(numbers))
    return of_seller(session, person_id, by_name)


def by_variant(session: Session, person_id: int, pack_codes: Sequence[str]) -> dict[str, Pack]:
    """By the code of the pack, however many."""
    found: dict[str, Pack] = {}
    for part in parts(pack_codes):
        listings = select(Variant.listing_id).where(Variant.code.in_(part))
        found |= {pack.pack_code: pack for pack in of_seller(session, person_id, Listing.id.in_(listings))}
    return found


def pictures_of(session: Session, listings: Sequence[int]) -> dict[int, list[str]]:
    """The digests of each listing's pictures, in their order."""
    found: dict[int, list[str]] = {}
    for part in parts(listings):
        wanted = select(Media.listing_id, Media.digest).where(Media.listing_id.in_(part))
        for row in rows(session, wanted.order_by(Media.listing_id, Media.position)):
            found.setdefault(row.listing_id, []).append(row.digest)
    return found


def parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), PART):
        yield values[start : start + PART]


def categories(session: Session) -> Categories:
    """What goods may be: the second level."""
    chosen = select(Category.code, Category.name_zh, Category.name_en).where(Category.parent_code.is_not(None))
    found = rows(session, chosen.order_by(Category.position))
    names = [name.lower() for row in found for name in {row.name_zh, row.name_en}]
    words = {
        name: row.code for row in found for name in (row.name_zh.lower(), row.name_en.lower()) if names.count(name) == 1
    }
    shown = {row.code: row.name_zh if names.count(row.name_zh.lower()) == 1 else row.code for row in found}
    return Categories(words | {row.code.lower(): row.code for row in found}, shown)
