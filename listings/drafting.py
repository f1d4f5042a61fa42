"""A seller's own listings: begun, filled in, shown to the station; later their price and stock, paused and offered again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings import measures, stock
from listings.announcing import announce
from listings.drawings import drawing_of
from listings.models import Category, Listing, Media, PriceTier, Variant
from listings.states import ListingState as L
from marketplace.core import clock, ids
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace, transition
from marketplace.stations.models import Seller

MOST_DRAFTS: Final = 50
EDITABLE: Final = (L.DRAFT, L.REJECTED)
ALIVE: Final = (L.DRAFT, L.REJECTED, L.SUBMITTED, L.PUBLISHED, L.PAUSED, L.SUSPENDED)


class NoStation(Refusal):
    status = 403
    message = _l("Your station has to check who you are before you can list anything.")


class TooManyDrafts(Refusal):
    message = _l("You have fifty drafts already. Please finish or drop some first.")


class NotFinished(Refusal):
    status = 422
    message = _l("Something is still missing. Please fill in what it is, its pack, price and stock.")


class NotEditable(Refusal):
    message = _l("This listing is under review or for sale, so it cannot be edited now.")


class StockMoved(Refusal):
    """`on_hand` is what there is now."""

    message = _l("Some of these were sold or came back meanwhile; please look at the number again.")

    def __init__(self, code: str, on_hand: int) -> None:
        super().__init__(f"{code}: {on_hand} now")
        self.on_hand = on_hand


@dataclass(frozen=True)
class Details:
    """What a seller enters about a listing with one pack; prices in fen, weights in grams."""

    title: str
    unit: str
    price_fen: int
    stock: int
    village: str
    story: str
    net_weight_grams: int
    harvest_months: tuple[int, ...] = ()
    minimum_quantity: int = 1
    tier_from: int | None = None
    tier_price_fen: int | None = None
    shelf_life_days: int | None = None
    storage: str = ""
    title_en: str = ""


def begin(session: Session, *, person_id: int, category: str) -> str:
    """A new draft in a category; returns its code. Raises NoStation, TooManyDrafts, NotFound for no such category."""
    seller = session.get(Seller, person_id)
    if seller is None:
        raise NoStation
    chosen = session.get(Category, category)
    if chosen is None or chosen.parent_code is None:
        raise NotFound(category)
    drafts = select(func.count()).select_from(Listing).where(Listing.seller_id == person_id, Listing.state == L.DRAFT)
    if (session.scalar(drafts) or 0) >= MOST_DRAFTS:
        raise TooManyDrafts
    listing = Listing(code=f"G{ids.order_number().removeprefix('SX-')}", seller_id=person_id, category_code=category)
    listing.station_code, listing.seller_name = seller.station_code, seller.name_zh
    listing.origin_village_zh, listing.drawing = seller.village_zh, drawing_of(category)
    listing.is_perishable, listing.return_policy = chosen.is_perishable, chosen.return_policy
    session.add(listing)
    session.flush()
    leave_trace(session, listing, None, L.DRAFT, actor=f"person:{person_id}", why="begun", station=listing.station_code)
    return listing.code


def get_own(session: Session, code: str, person_id: int) -> Listing:
    """One's own listing, locked. Raises NotFound for another's."""
    mine = select(Listing).where(Listing.code == code, Listing.seller_id == person_id)
    found = session.scalar(mine.with_for_update())
    if found is None or found.state is L.ARCHIVED:
        raise NotFound(code)
    return found


def get_editable(session: Session, code: str, person_id: int) -> Listing:
    """As `get_own`; one that was rejected becomes a draft again. Raises NotEditable."""
    listing = get_own(session, code, person_id)
    reopen(session, listing)
    return listing


def reopen(session: Session, listing: Listing) -> None:
    """What was rejected is a draft again. Raises NotEditable unless it is one then."""
    if listing.state is L.REJECTED:
        transition(session, listing, L.DRAFT, expected=L.REJECTED, actor=f"person:{listing.seller_id}", why="edited")
    if listing.state is not L.DRAFT:
        raise NotEditable(listing.code)


def describe(session: Session, *, code: str, person_id: int, details: Details) -> None:
    """Write what the seller entered into the draft. Raises NotFound, NotEditable."""
    listing = get_editable(session, code, person_id)
    listing.title_zh, listing.title_en = details.title, details.title_en
    listing.story_zh, listing.origin_village_zh = details.story, details.village
    listing.harvest_months = sorted(set(details.harvest_months))
    listing.shelf_life_days, listing.storage_zh = details.shelf_life_days, details.storage
    listing.version += 1
    measure = measures.read(details.unit)
    pack: Mapping[str, Any] = {
        "unit_zh": details.unit,
        "unit_en": measures.in_english(details.unit),
        "measure": measure.kind,
        "measure_amount": measure.amount,
        "piece_zh": measure.word,
        "net_weight_grams": details.net_weight_grams,
        "price_fen": details.price_fen,
        "minimum_quantity": details.minimum_quantity,
    }
    variant = session.scalar(select(Variant).where(Variant.listing_id == listing.id))
    if variant is None:
        variant = Variant(code=f"{listing.code}-1", listing_id=listing.id)
        session.add(variant)
    for name, value in pack.items():
        setattr(variant, name, value)
    session.flush()
    set_tier(session, variant, details.tier_from, details.tier_price_fen)
    stock.count(session, variant.code, difference=details.stock - variant.on_hand, reference=f"person:{person_id}")


def set_tier(session: Session, variant: Variant, least: int | None, price_fen: int | None) -> None:
    for tier in session.scalars(select(PriceTier).where(PriceTier.variant_id == variant.id)).all():
        session.delete(tier)
    session.flush()
    if least and price_fen:
        session.add(PriceTier(variant_id=variant.id, from_quantity=least, price_fen=price_fen))


def submit(session: Session, *, code: str, person_id: int) -> None:
    """Ask the station to look at it; nothing is done where it was asked already. Raises NotFinished, NotEditable."""
    listing = get_own(session, code, person_id)
    if listing.state is L.SUBMITTED:
        return
    reopen(session, listing)
    has_pack = session.scalar(select(Variant.id).where(Variant.listing_id == listing.id).limit(1))
    if not listing.title_zh or has_pack is None:
        raise NotFinished(code)
    station = listing.station_code
    transition(session, listing, L.SUBMITTED, expected=L.DRAFT, actor=f"person:{person_id}", why="finished", station=station)
    listing.submitted_at = clock.now()


def change_price_and_stock(
    session: Session, *, code: str, person_id: int, price_fen: int, on_hand: int, seen_on_hand: int
) -> bool:
    """At once, also of a published listing; whether that changed anything.

    `seen_on_hand` is the stock that the seller looked at. Where they leave it alone, what was sold meanwhile stays sold.
    Raises NotFound, StockMoved when they count on top of it, OutOfStock when fewer are said to be there than are held."""
    listing = get_own(session, code, person_id)
    variant = session.scalars(select(Variant).where(Variant.listing_id == listing.id).order_by(Variant.position)).first()
    if variant is None:
        raise NotFound(code)
    is_counted = on_hand != seen_on_hand
    if is_counted and variant.on_hand not in (seen_on_hand, on_hand):
        raise StockMoved(code, variant.on_hand)
    if variant.price_fen == price_fen and not is_counted:
        return False
    variant.price_fen = price_fen
    for tier in session.scalars(select(PriceTier).where(PriceTier.variant_id == variant.id)).all():
        if tier.price_fen >= price_fen:  # a tier that is no advantage any more
            session.delete(tier)
    session.flush()
    if is_counted:
        stock.count(session, variant.code, difference=on_hand - variant.on_hand, reference=f"person:{person_id}")
    announce(session, listing)
    return True


def pause(session: Session, *, code: str, person_id: int) -> None:
    move(session, code, person_id, L.PUBLISHED, L.PAUSED, "paused")


def resume(session: Session, *, code: str, person_id: int) -> None:
    move(session, code, person_id, L.PAUSED, L.PUBLISHED, "offered again")


def archive(session: Session, *, code: str, person_id: int) -> None:
    listing = get_own(session, code, person_id)
    move(session, code, person_id, listing.state, L.ARCHIVED, "taken away")


def move(session: Session, code: str, person_id: int, here: L, there: L, why: str) -> None:
    listing = get_own(session, code, person_id)
    transition(session, listing, there, expected=here, actor=f"person:{person_id}", why=why, station=listing.station_code)
    announce(session, listing)


def of_seller(session: Session, person_id: int) -> list[Any]:
    """A seller's listings with their first pack, newest first: one statement."""
    first = select(func.min(Variant.id)).where(Variant.listing_id == Listing.id).correlate(Listing).scalar_subquery()
    picture = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1).correlate(Listing)
    wanted = (
        select(Listing.code, Listing.title_zh, Listing.title_en, Listing.state, Listing.drawing, Listing.station_code)
        .add_columns(Variant.unit_zh, Variant.unit_en, Variant.price_fen, Variant.on_hand, Variant.reserved)
        .add_columns(Media.public_id.label("media"))
        .outerjoin(Variant, Variant.id == first)
        .outerjoin(Media, Media.id == picture.scalar_subquery())
        .where(Listing.seller_id == person_id, Listing.state.in_(ALIVE))
        .order_by(Listing.id.desc())
    )
    return list(session.execute(wanted.limit(200)).all())


def neighbours_prices(session: Session, category: str) -> tuple[int, int] | None:
    """Lowest and highest price per 500 g, in fen, of what is published in this category by weight; None for too few."""
    per = Variant.price_fen * 500 / Variant.measure_amount
    range_ = select(func.min(per), func.max(per), func.count()).join(Listing, Listing.id == Variant.listing_id)
    where = Listing.category_code == category, Listing.state == L.PUBLISHED, Variant.measure == "weight"
    low, high, number = session.execute(range_.where(*where)).one()
    return (round(low), round(high)) if number >= 3 else None
