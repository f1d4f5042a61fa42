"""Goods that compare with others: of the same category, measured alike, the cheapest by measure first."""

from typing import Final

from sqlalchemy import Float, cast, select
from sqlalchemy.orm import Session

from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.core.db import rows
from marketplace.core.formats import in_language, language, measure_price, rounded
from marketplace.core.memory import remembered
from marketplace.core.records import record
from marketplace.stations.models import Station

MOST: Final = 8
PER: Final = {"weight": 500, "volume": 1000, "piece": 1}  # grams, millilitres, pieces: what a price is compared by


@record
class Alike:
    """One pack, the best of its listing."""

    listing: str
    variant: str
    title: str
    station: str
    unit: str
    per: str  # "¥7.96/斤"

    @property
    def url(self) -> str:
        return f"/listings/{self.listing}?variant={self.variant}"


def measure_fen(price_fen: int, measure: str, amount: int | None) -> int | None:
    """Fen per 500 g, litre or piece, as it is shown; None for what has no measure."""
    return rounded(price_fen * PER[measure], amount) if measure in PER and amount else None


@remembered("goods")
def cheapest(session: Session, category: str, measure: str, piece: str) -> tuple[Alike, ...]:
    """What can be had of this category, measured by this, one pack of each listing: one statement."""
    if measure not in PER:
        return ()
    by_measure = cast(Variant.price_fen, Float) / Variant.measure_amount
    wanted = (
        select(Listing.code.label("listing"), Variant.code.label("variant"), Listing.title_zh, Listing.title_en)
        .add_columns(Variant.unit_zh, Variant.unit_en, Variant.price_fen, Variant.measure_amount)
        .add_columns(Station.name_zh, Station.name_en)
        .join(Listing, Listing.id == Variant.listing_id)
        .join(Station, Station.code == Listing.station_code)
        .where(Listing.state == ListingState.PUBLISHED, Listing.category_code == category, Variant.is_offered)
        .where(Variant.measure == measure, Variant.piece_zh == piece, Variant.measure_amount > 0)
        .where(Variant.on_hand - Variant.reserved >= Variant.minimum_quantity)
        .order_by(by_measure, Variant.id)
        .limit(3 * MOST)
    )
    best: dict[str, Alike] = {}
    for row in rows(session, wanted):
        per = measure_price(row.price_fen, measure, row.measure_amount, piece, language())
        words = (in_language(row.title_zh, row.title_en), in_language(row.name_zh, row.name_en))
        unit = in_language(row.unit_zh, row.unit_en)
        best.setdefault(row.listing, Alike(row.listing, row.variant, *words, unit, per))
    return tuple(best.values())[:MOST]
