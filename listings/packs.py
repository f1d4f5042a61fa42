"""The packs of a listing: what each weighs and costs, from how many on it costs less, in which order they stand.

Rows only: whether a pack may be written at once or waits for the station, `editing` and `revising` know."""

from collections.abc import Sequence
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import measures, stock
from listings.models import Listing, PriceTier, Variant
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import record

MOST: Final = 12
Tiers = tuple[tuple[int, int], ...]  # from so many packs on, so many fen each


class TooManyPacks(Refusal):
    status = 422
    message = _l("Twelve packs are enough for one listing.")


class LastPack(Refusal):
    message = _l("This is the only pack you offer. Pause the whole listing instead.")


@record
class Pack:
    """One pack as it is entered; prices in fen, weight in grams."""

    unit: str
    net_weight_grams: int
    price_fen: int
    stock: int
    minimum_quantity: int = 1
    tiers: Tiers = ()


def of_listing(session: Session, listing_id: int) -> Sequence[Variant]:
    packs = select(Variant).where(Variant.listing_id == listing_id).order_by(Variant.position, Variant.id)
    return session.scalars(packs).all()


def first(session: Session, listing_id: int) -> Variant | None:
    return next(iter(of_listing(session, listing_id)), None)


def get(session: Session, listing: Listing, code: str) -> Variant:
    """Raises NotFound for a pack of another listing."""
    found = session.scalar(select(Variant).where(Variant.listing_id == listing.id, Variant.code == code))
    if found is None:
        raise NotFound(code)
    return found


def add(session: Session, listing: Listing, pack: Pack, reference: str) -> Variant:
    """A new pack behind the others; `reference` is who counted it. Raises TooManyPacks."""
    there = of_listing(session, listing.id)
    if len(there) >= MOST:
        raise TooManyPacks(listing.code)
    number = max((int(each.code.rpartition("-")[2]) for each in there), default=0) + 1
    position = max((each.position for each in there), default=0) + 1
    variant = Variant(code=f"{listing.code}-{number}", listing_id=listing.id, position=position)
    session.add(variant)
    write(session, variant, pack, reference)
    return variant


def write(session: Session, variant: Variant, pack: Pack, reference: str) -> None:
    """All of a pack, its stock included. Raises OutOfStock for fewer than are held."""
    measure = measures.read(pack.unit)
    variant.unit_zh, variant.unit_en = pack.unit, measures.in_english(pack.unit)
    variant.measure, variant.measure_amount, variant.piece_zh = measure.kind, measure.amount, measure.word
    variant.net_weight_grams = pack.net_weight_grams
    set_terms(session, variant, pack.price_fen, pack.minimum_quantity, pack.tiers)
    stock.count(session, variant.code, difference=pack.stock - variant.on_hand, reference=reference)


def set_terms(session: Session, variant: Variant, price_fen: int, minimum_quantity: int, tiers: Tiers) -> None:
    """What one costs, how many at least, and from how many on it costs less."""
    variant.price_fen, variant.minimum_quantity = price_fen, minimum_quantity
    session.flush()
    for tier in tiers_of(session, variant.id):
        session.delete(tier)
    session.flush()
    session.add_all(PriceTier(variant_id=variant.id, from_quantity=least, price_fen=fen) for least, fen in tiers)


def tiers_of(session: Session, variant_id: int) -> Sequence[PriceTier]:
    tiers = select(PriceTier).where(PriceTier.variant_id == variant_id).order_by(PriceTier.from_quantity)
    return session.scalars(tiers).all()


def drop(session: Session, variant: Variant, reference: str) -> None:
    """Delete a pack that was never for sale: what was counted of it is counted away."""
    stock.count(session, variant.code, difference=-variant.on_hand, reference=reference)
    for tier in tiers_of(session, variant.id):
        session.delete(tier)
    session.flush()
    session.delete(variant)


def move_up(session: Session, variant: Variant) -> None:
    """Before the pack that stands before it; the first stays the first."""
    there = list(of_listing(session, variant.listing_id))
    place = there.index(variant)
    if place:
        there[place - 1], there[place] = there[place], there[place - 1]
    for position, each in enumerate(there, start=1):
        each.position = position
