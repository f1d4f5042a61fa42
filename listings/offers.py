"""What a pack is sold for right now: all that a cart and an order need to know of it, in two statements."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from listings.models import Category, Listing, Media, PriceTier, Variant
from listings.states import ListingState
from marketplace.accounts.models import Person
from marketplace.core.db import Columns, rows
from marketplace.core.money import per_mille
from marketplace.core.records import record
from marketplace.stations.models import County, Station


@record
class Offer:
    """One pack of one listing, as it is offered at this moment."""

    variant: str
    listing: str
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    station_code: str
    station_zh: str
    station_en: str
    is_deep_poverty: bool
    free_shipping_from_fen: int
    seller: str  # the person's public id
    seller_name: str
    price_fen: int
    tiers: tuple[tuple[int, int], ...]  # from this quantity on, this price; ascending
    available: int
    minimum_quantity: int
    net_weight_grams: int
    service_fee_per_mille: int
    return_policy: str
    is_age_restricted: bool
    drawing: str
    media: str | None
    is_published: bool
    category: str = ""

    def price_for(self, quantity: int) -> int:
        """Fen for one pack when `quantity` are bought."""
        reached = [fen for least, fen in self.tiers if quantity >= least]
        return reached[-1] if reached else self.price_fen

    def service_fee_for(self, quantity: int) -> int:
        """The station's fee on one pack, in fen, halves rounded up."""
        return per_mille(self.price_for(quantity), self.service_fee_per_mille)

    def allows(self, quantity: int) -> bool:
        return self.is_published and self.minimum_quantity <= quantity <= self.available


COLUMNS: Final = (
    *(Variant.id, Variant.code, Variant.unit_zh, Variant.unit_en, Variant.price_fen, Variant.minimum_quantity),
    *(Variant.net_weight_grams, Variant.is_offered, (Variant.on_hand - Variant.reserved).label("available")),
    *(Listing.code.label("listing"), Listing.title_zh, Listing.title_en, Listing.seller_name, Listing.state),
    *(Listing.return_policy, Listing.drawing, Listing.category_code.label("category"), Person.public_id.label("seller")),
    *(Station.code.label("station_code"), Station.name_zh.label("station_zh"), Station.name_en.label("station_en")),
    *(Station.free_shipping_from_fen, County.is_deep_poverty),
    *(Category.service_fee_per_mille, Category.is_age_restricted),
)


def find(session: Session, variants: Collection[str]) -> dict[str, Offer]:
    """The offers of these packs, by their code; one that never was is left out, one that is paused says so."""
    session.flush()
    packs: Sequence[Any] = rows(session, packs_by_code(), variants=list(variants))
    by_variant: dict[int, list[tuple[int, int]]] = {}
    for tier in rows(session, tiers_by_pack(), packs=[pack.id for pack in packs]):
        by_variant.setdefault(tier.variant_id, []).append((tier.from_quantity, tier.price_fen))
    return {pack.code: offer(pack, tuple(by_variant.get(pack.id, ()))) for pack in packs}


@cache
def packs_by_code() -> Columns:
    first = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1)
    return (
        select(*COLUMNS, Media.public_id.label("media"))
        .join(Listing, Listing.id == Variant.listing_id)
        .join(Station, Station.code == Listing.station_code)
        .join(County, County.code == Station.code)
        .join(Category, Category.code == Listing.category_code)
        .join(Person, Person.id == Listing.seller_id)
        .outerjoin(Media, Media.id == first.correlate(Listing).scalar_subquery())
        .where(Variant.code.in_(bindparam("variants", expanding=True)))
    )


@cache
def tiers_by_pack() -> Columns:
    tiers = select(PriceTier.variant_id, PriceTier.from_quantity, PriceTier.price_fen)
    return tiers.where(PriceTier.variant_id.in_(bindparam("packs", expanding=True))).order_by(PriceTier.from_quantity)


def offer(row: Any, tiers: tuple[tuple[int, int], ...]) -> Offer:
    same = {name: getattr(row, name) for name in Offer.__dataclass_fields__ if name in row._fields}
    is_published = row.state is ListingState.PUBLISHED and row.is_offered
    return Offer(**same, variant=row.code, tiers=tiers, is_published=is_published)
