"""What a seller's pages show of their goods: each a fixed number of statements."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from listings.models import Category, Consent, Listing, Media, Revision, Variant
from listings.states import FOR_SALE, ListingState as L
from marketplace.core.formats import GRAMS_PER_JIN, in_language
from marketplace.core.records import record

ALIVE: Final = (L.DRAFT, L.REJECTED, L.SUBMITTED, L.PUBLISHED, L.PAUSED, L.SUSPENDED)
FEW: Final = 5  # packs left: time to say so
LONGEST: Final = 200
LEFT: Final = Variant.on_hand - Variant.reserved


def kind_of(session: Session, listing: Listing) -> str:
    """The name of its category: on it hang the return rule and the station's fee."""
    chosen = session.get_one(Category, listing.category_code)
    return in_language(chosen.name_zh, chosen.name_en)


def of_seller(session: Session, person_id: int) -> list[Any]:
    """A seller's listings with their first pack, newest first; the latest edit, who listed it: one statement."""
    of_listing = Variant.listing_id == Listing.id
    place = case((Variant.is_offered, 0), else_=1)
    first = select(Variant.id).where(of_listing).order_by(place, Variant.position, Variant.id).limit(1).correlate(Listing)
    left = select(func.max(LEFT)).where(of_listing, Variant.is_offered).correlate(Listing).scalar_subquery()
    number = select(func.count()).where(of_listing, Variant.is_offered).correlate(Listing).scalar_subquery()
    picture = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1).correlate(Listing)
    edit = select(func.max(Revision.id)).where(Revision.listing_id == Listing.id).correlate(Listing).scalar_subquery()
    wanted = (
        select(Listing.code, Listing.title_zh, Listing.title_en, Listing.state, Listing.drawing, Listing.station_code)
        .add_columns(Variant.unit_zh, Variant.unit_en, Variant.price_fen, Variant.on_hand, Variant.reserved)
        .add_columns(Media.public_id.label("media"), func.coalesce(left, 0).label("left"), number.label("packs"))
        .add_columns(Revision.state.label("edit"), Revision.submitted_at.label("edited_at"), Revision.reason)
        .add_columns(Consent.way, Consent.withdrawn_at)
        .outerjoin(Variant, Variant.id == first.scalar_subquery())
        .outerjoin(Media, Media.id == picture.scalar_subquery())
        .outerjoin(Revision, Revision.id == edit)
        .outerjoin(Consent, Consent.listing_id == Listing.id)
        .where(Listing.seller_id == person_id, Listing.state.in_(ALIVE))
        .order_by(Listing.id.desc())
    )
    return list(session.execute(wanted.limit(LONGEST)).all())


@record
class Kept:
    """A listing for sale or paused, with the packs that it is offered in."""

    code: str
    title_zh: str
    title_en: str
    state: L
    packs: tuple[Any, ...]


def for_sale(session: Session, person_id: int) -> list[Kept]:
    """All that a seller has for sale or paused, newest first, packs in their order: one statement."""
    wanted = (
        select(Listing.code, Listing.title_zh, Listing.title_en, Listing.state)
        .add_columns(Variant.code.label("pack"), Variant.unit_zh, Variant.unit_en, Variant.price_fen)
        .add_columns(Variant.on_hand, Variant.reserved)
        .join(Variant, and_(Variant.listing_id == Listing.id, Variant.is_offered))
        .where(Listing.seller_id == person_id, Listing.state.in_(sorted(FOR_SALE)))
        .order_by(Listing.id.desc(), Variant.position, Variant.id)
    )
    by_listing: dict[str, list[Any]] = {}
    for row in session.execute(wanted.limit(3 * LONGEST)):
        by_listing.setdefault(row.code, []).append(row)
    return [Kept(code, rows[0].title_zh, rows[0].title_en, rows[0].state, tuple(rows)) for code, rows in by_listing.items()]


def running_low(session: Session, person_id: int) -> Sequence[Any]:
    """Packs on sale of which few are left, fewest first: one statement."""
    wanted = (
        select(Listing.code, Listing.title_zh, Listing.title_en, Variant.code.label("pack"))
        .add_columns(Variant.unit_zh, Variant.unit_en, LEFT.label("left"))
        .join(Variant, and_(Variant.listing_id == Listing.id, Variant.is_offered))
        .where(Listing.seller_id == person_id, Listing.state == L.PUBLISHED, LEFT <= FEW)
        .order_by(LEFT, Variant.id)
    )
    return session.execute(wanted.limit(20)).all()


def neighbours_prices(session: Session, category: str) -> tuple[int, int] | None:
    """Lowest and highest price per 500 g, in fen, of what is published in this category by weight; None for too few."""
    per = Variant.price_fen * GRAMS_PER_JIN / Variant.measure_amount
    range_ = select(func.min(per), func.max(per), func.count()).join(Listing, Listing.id == Variant.listing_id)
    where = Listing.category_code == category, Listing.state == L.PUBLISHED, Variant.measure == "weight"
    low, high, number = session.execute(range_.where(*where)).one()
    return (round(low), round(high)) if number >= 3 else None
