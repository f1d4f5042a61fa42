"""The station looks at a listing: origin seen, goods seen, price sane; or it says what has to be mended."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings.announcing import announce
from listings.models import Listing, Media, Review, Variant
from listings.partner_facts import PUBLISHED
from listings.states import ListingState as L
from marketplace.core import audit, clock, outbox
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import transition


class OwnListing(Refusal):
    status = 403
    message = _l("Nobody reviews what they sell themselves.")


class NotSeen(Refusal):
    status = 422
    message = _l("A listing is published once origin, goods and price are checked.")


def get_of_station(session: Session, code: str, station: str | None) -> Listing:
    """Locked; raises NotFound for another station's."""
    wanted = select(Listing).where(Listing.code == code)
    if station is not None:
        wanted = wanted.where(Listing.station_code == station)
    found = session.scalar(wanted.with_for_update())
    if found is None:
        raise NotFound(code)
    return found


def accept(
    session: Session,
    *,
    code: str,
    station: str | None,
    reviewer_id: int,
    origin_seen: bool,
    goods_seen: bool,
    price_sane: bool,
) -> None:
    """Publish it. Raises NotSeen unless all three were looked at, OwnListing, StaleState."""
    listing = get_of_station(session, code, station)
    refuse_own(listing, reviewer_id)
    if not (origin_seen and goods_seen and price_sane):
        raise NotSeen(code)
    keep(session, listing, reviewer_id, True, "", origin_seen, goods_seen, price_sane)
    actor = f"person:{reviewer_id}"
    transition(
        session, listing, L.PUBLISHED, expected=L.SUBMITTED, actor=actor, why="reviewed", station=listing.station_code
    )
    listing.published_at = clock.now()
    announce(session, listing)
    outbox.put(session, PUBLISHED, code=code)


def reject(session: Session, *, code: str, station: str | None, reviewer_id: int, reason: str) -> None:
    """Send it back to the seller, who reads why. Raises OwnListing, StaleState."""
    listing = get_of_station(session, code, station)
    refuse_own(listing, reviewer_id)
    keep(session, listing, reviewer_id, False, reason, False, False, False)
    decide(session, listing, L.REJECTED, reviewer_id, reason)


def decide(session: Session, listing: Listing, to: L, reviewer_id: int, why: str) -> None:
    station, actor = listing.station_code, f"person:{reviewer_id}"
    transition(session, listing, to, expected=L.SUBMITTED, actor=actor, why=why, station=station)


def refuse_own(listing: Listing, reviewer_id: int) -> None:
    if listing.seller_id == reviewer_id:
        raise OwnListing(listing.code)


def keep(
    session: Session, listing: Listing, reviewer: int, accepted: bool, reason: str, origin: bool, goods: bool, price: bool
) -> None:
    seen = {"origin_seen": origin, "goods_seen": goods, "price_sane": price}
    session.add(Review(listing_id=listing.id, reviewer_id=reviewer, is_accepted=accepted, reason=reason, **seen))


def suspend(session: Session, *, code: str, actor: str, reason: str) -> None:
    """The province takes it from the shop until it is cleared. Raises NotFound, IllegalTransition."""
    listing = get_of_station(session, code, None)
    here = listing.state if listing.state in {L.PUBLISHED, L.PAUSED} else L.PUBLISHED
    transition(session, listing, L.SUSPENDED, expected=here, actor=actor, why=reason, station=listing.station_code)
    audit.record(session, actor=actor, action="listing.suspended", subject=f"listing:{code}", why=reason)
    announce(session, listing)


def clear(session: Session, *, code: str, actor: str, reason: str) -> None:
    """The suspension is over."""
    listing = get_of_station(session, code, None)
    transition(session, listing, L.PUBLISHED, expected=L.SUSPENDED, actor=actor, why=reason, station=listing.station_code)
    audit.record(session, actor=actor, action="listing.cleared", subject=f"listing:{code}", why=reason)
    announce(session, listing)


def waiting(session: Session, station: str) -> Sequence[Any]:
    """What a station has to look at, oldest first: one statement."""
    first = select(func.min(Variant.id)).where(Variant.listing_id == Listing.id).correlate(Listing).scalar_subquery()
    picture = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1).correlate(Listing)
    wanted = (
        select(Listing.code, Listing.title_zh, Listing.title_en, Listing.seller_name, Listing.submitted_at)
        .add_columns(Listing.drawing, Listing.station_code, Variant.unit_zh, Variant.unit_en, Variant.price_fen)
        .add_columns(Media.public_id.label("media"))
        .join(Variant, Variant.id == first)
        .outerjoin(Media, Media.id == picture.scalar_subquery())
        .where(Listing.station_code == station, Listing.state == L.SUBMITTED)
        .order_by(Listing.submitted_at, Listing.id)
    )
    return session.execute(wanted.limit(100)).all()


def last_reason(session: Session, listing_id: int) -> str:
    """Why it was sent back the last time."""
    reviews = select(Review.reason).where(Review.listing_id == listing_id, ~Review.is_accepted)
    return session.scalar(reviews.order_by(Review.id.desc()).limit(1)) or ""
