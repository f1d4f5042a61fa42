"""What a pack that somebody keeps in mind is like now: for sale or not, in stock, in season, and its price."""

from collections.abc import Collection
from functools import cache

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from listings.models import Listing, Media, Variant
from listings.states import ListingState
from marketplace.core.db import Columns, rows
from marketplace.core.records import record
from marketplace.stations.models import County, Station


@record
class Good:
    """One pack, whatever the state of its listing; price in fen."""

    variant: str
    listing: str
    version: int  # of the listing: raised by every change that shows
    state: ListingState
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    price_fen: int
    measure: str
    measure_amount: int | None
    piece_zh: str
    minimum_quantity: int
    available: int
    is_offered: bool
    harvest_months: tuple[int, ...]
    drawing: str
    media: str | None
    station_code: str
    station_zh: str
    station_en: str
    is_deep_poverty: bool

    @property
    def is_for_sale(self) -> bool:
        """It has a page, and this pack is on it."""
        return self.state is ListingState.PUBLISHED and self.is_offered

    @property
    def is_available(self) -> bool:
        return self.is_for_sale and self.available >= self.minimum_quantity

    def is_in_season(self, month: int) -> bool:
        """What is made all year is never out of season."""
        return not self.harvest_months or month in self.harvest_months


def find(session: Session, variants: Collection[str]) -> dict[str, Good]:
    """By the code of the pack, in one statement; one that was never written, or was thrown away, is left out."""
    session.flush()
    found = rows(session, by_code(), variants=sorted(variants)) if variants else ()
    return {row.variant: Good(**{**row._mapping, "harvest_months": tuple(row.harvest_months)}) for row in found}


@cache
def by_code() -> Columns:
    first = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1)
    return (
        select(Variant.code.label("variant"), Listing.code.label("listing"), Listing.version, Listing.state)
        .add_columns(Listing.title_zh, Listing.title_en, Variant.unit_zh, Variant.unit_en, Variant.price_fen)
        .add_columns(Variant.measure, Variant.measure_amount, Variant.piece_zh)
        .add_columns(Variant.minimum_quantity, Variant.is_offered, (Variant.on_hand - Variant.reserved).label("available"))
        .add_columns(Listing.harvest_months, Listing.drawing, Media.public_id.label("media"))
        .add_columns(Station.code.label("station_code"), Station.name_zh.label("station_zh"))
        .add_columns(Station.name_en.label("station_en"), County.is_deep_poverty)
        .join(Listing, Listing.id == Variant.listing_id)
        .join(Station, Station.code == Listing.station_code)
        .join(County, County.code == Station.code)
        .outerjoin(Media, Media.id == first.correlate(Listing).scalar_subquery())
        .where(Variant.code.in_(bindparam("variants", expanding=True)))
    )
