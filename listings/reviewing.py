"""The station looks at a listing: origin seen, goods seen, price sane; or it says what has to be mended. So with an edit."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings import certificates, consenting, revising
from listings.announcing import announce
from listings.letters import announce_decision
from listings.models import Consent, Listing, Media, Review, Revision, Variant
from listings.partner_facts import PUBLISHED
from listings.states import FOR_SALE, ListingState as L, RevisionState as R
from marketplace.core import audit, clock, outbox
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import EventRow, subject_of, transition

REVIEWED: Final = "reviewed"
REVIEWED_ALONE: Final = "reviewed by the clerk who wrote it: nobody else works here"


class OwnListing(Refusal):
    status = 403
    message = _l("Nobody reviews what they sell themselves.")


class OwnEntry(Refusal):
    status = 403
    message = _l("You wrote this for the farmer yourself, so a colleague at your station has to look at it.")


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
    papers: Collection[int] = (),
    version: int | None = None,
) -> None:
    """Publish it as it stood at `version`, where that is said; `papers` are the certificates that were seen.

    Raises NotSeen unless all three were looked at, OwnListing, OwnEntry; StaleState where it has changed or was decided."""
    listing = get_of_station(session, code, station)
    why = refuse_own(session, listing, reviewer_id, clerk_of(session, listing))
    if not (origin_seen and goods_seen and price_sane):
        raise NotSeen(code)
    if version not in (None, listing.version):
        raise StaleState(code)
    keep(session, listing, reviewer_id, True, "", origin_seen, goods_seen, price_sane)
    actor = f"person:{reviewer_id}"
    transition(session, listing, L.PUBLISHED, expected=L.SUBMITTED, actor=actor, why=why, station=listing.station_code)
    listing.published_at = clock.now()
    certificates.verify(session, listing, papers, reviewer_id)
    announce(session, listing)
    outbox.put(session, PUBLISHED, code=code)
    announce_decision(session, code=code, decision="published")


def reject(session: Session, *, code: str, station: str | None, reviewer_id: int, reason: str) -> None:
    """Send it back to the seller, who reads why. Raises OwnListing, OwnEntry, StaleState."""
    listing = get_of_station(session, code, station)
    refuse_own(session, listing, reviewer_id, clerk_of(session, listing))
    keep(session, listing, reviewer_id, False, reason, False, False, False)
    actor, place = f"person:{reviewer_id}", listing.station_code
    transition(session, listing, L.REJECTED, expected=L.SUBMITTED, actor=actor, why=reason, station=place)
    announce_decision(session, code=code, decision="rejected", why=reason)


def clerk_of(session: Session, listing: Listing) -> int | None:
    """The clerk who listed it for the farmer."""
    return session.scalar(select(Consent.clerk_id).where(Consent.listing_id == listing.id))


def refuse_own(session: Session, listing: Listing, reviewer_id: int, writer_id: int | None) -> str:
    """Nobody reviews what they sell; nor what they wrote for a farmer, unless nobody else works at the station: then that is
    said in the trace, whose words this returns. Raises OwnListing, OwnEntry."""
    if listing.seller_id == reviewer_id:
        raise OwnListing(listing.code)
    if writer_id != reviewer_id:
        return REVIEWED
    if consenting.has_others(session, listing.station_code, than={reviewer_id, listing.seller_id}):
        raise OwnEntry(listing.code)
    return REVIEWED_ALONE


def accept_edit(session: Session, *, edit: str, station: str, reviewer_id: int, version: int) -> str:
    """Put the edit into the listing, as it stood at `version`; returns the listing's code.

    Raises NotFound, OwnListing, OwnEntry; StaleState where it was changed since, or decided."""
    row, listing = get_edit(session, edit, station)
    why = refuse_own(session, listing, reviewer_id, writer_of(session, row, reviewer_id))
    if row.version != version or listing.state not in FOR_SALE:
        raise StaleState(edit)
    decide(session, row, R.ACCEPTED, listing, reviewer_id, why=why, reason="")
    revising.apply(session, listing, row)
    announce_decision(session, code=listing.code, decision="edit_accepted")
    return listing.code


def reject_edit(session: Session, *, edit: str, station: str, reviewer_id: int, version: int, reason: str) -> str:
    """Leave the listing as it is; its seller reads why. Raises NotFound, OwnListing, OwnEntry, StaleState."""
    row, listing = get_edit(session, edit, station)
    refuse_own(session, listing, reviewer_id, writer_of(session, row, reviewer_id))
    if row.version != version:
        raise StaleState(edit)
    decide(session, row, R.REJECTED, listing, reviewer_id, why=reason, reason=reason)
    announce_decision(session, code=listing.code, decision="edit_rejected", why=reason)
    return listing.code


def writer_of(session: Session, row: Revision, reviewer_id: int) -> int:
    """Who wrote the edit: its reviewer, where any part of it is theirs, whoever had the last word."""
    return reviewer_id if revising.has_written(session, row, reviewer_id) else row.author_id


def get_edit(session: Session, edit: str, station: str) -> tuple[Revision, Listing]:
    """An edit of a listing of this station, both locked. Raises NotFound."""
    code = session.scalar(select(Listing.code).join(Revision).where(Revision.public_id == edit))
    if code is None:
        raise NotFound(edit)
    listing = get_of_station(session, code, station)
    row = session.scalars(select(Revision).where(Revision.public_id == edit).with_for_update()).one()
    return row, listing


def decide(session: Session, row: Revision, to: R, listing: Listing, reviewer_id: int, *, why: str, reason: str) -> None:
    decided: dict[str, Any] = {"reviewer_id": reviewer_id, "decided_at": clock.now(), "reason": reason}
    actor, place = f"person:{reviewer_id}", listing.station_code
    transition(session, row, to, expected=R.SUBMITTED, actor=actor, why=why, station=place, **decided)


def see_papers(session: Session, *, code: str, station: str, reviewer_id: int, papers: Collection[int]) -> int:
    """Somebody at the station has seen these certificates themselves; how many are verified by it. Raises OwnListing."""
    listing = get_of_station(session, code, station)
    if listing.seller_id == reviewer_id:
        raise OwnListing(code)
    return certificates.verify(session, listing, papers, reviewer_id)


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
    announce_decision(session, code=code, decision="suspended", why=reason)
    announce(session, listing)


def clear(session: Session, *, code: str, actor: str, reason: str) -> None:
    """The suspension is over; what its seller had paused, and what its farmer objected to, is not for sale by that."""
    listing = get_of_station(session, code, None)
    station, was = listing.station_code, state_before(session, listing)
    transition(session, listing, L.PUBLISHED, expected=L.SUSPENDED, actor=actor, why=reason, station=station)
    objected = select(Consent.listing_id).where(Consent.listing_id == listing.id, Consent.withdrawn_at.is_not(None))
    is_objected_to = session.scalar(objected) is not None
    if is_objected_to or was == L.PAUSED:
        why = "the farmer objects" if is_objected_to else "as it was before"
        transition(session, listing, L.PAUSED, expected=L.PUBLISHED, actor=actor, why=why, station=station)
    audit.record(session, actor=actor, action="listing.cleared", subject=f"listing:{code}", why=reason)
    announce_decision(session, code=code, decision="cleared", why=reason)
    announce(session, listing)


def why_suspended(session: Session, listing: Listing) -> str:
    """What the province said when it took it off sale the last time."""
    suspended = (EventRow.subject == subject_of(listing), EventRow.to_state == L.SUSPENDED.value)
    return session.scalar(select(EventRow.why).where(*suspended).order_by(EventRow.id.desc()).limit(1)) or ""


def state_before(session: Session, listing: Listing) -> str | None:
    """From which it was suspended the last time."""
    suspended = (EventRow.subject == subject_of(listing), EventRow.to_state == L.SUSPENDED.value)
    return session.scalar(select(EventRow.from_state).where(*suspended).order_by(EventRow.id.desc()).limit(1))


def waiting(session: Session, station: str) -> Sequence[Any]:
    """What a station has to look at, oldest first: one statement."""
    first = select(Variant.id).where(Variant.listing_id == Listing.id).order_by(Variant.position, Variant.id).limit(1)
    picture = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1).correlate(Listing)
    wanted = (
        select(Listing.code, Listing.title_zh, Listing.title_en, Listing.seller_name, Listing.submitted_at)
        .add_columns(Listing.drawing, Listing.station_code, Variant.unit_zh, Variant.unit_en, Variant.price_fen)
        .add_columns(Media.public_id.label("media"))
        .join(Variant, Variant.id == first.correlate(Listing).scalar_subquery())
        .outerjoin(Media, Media.id == picture.scalar_subquery())
        .where(Listing.station_code == station, Listing.state == L.SUBMITTED)
        .order_by(Listing.submitted_at, Listing.id)
    )
    return session.execute(wanted.limit(100)).all()


def waiting_edits(session: Session, station: str) -> Sequence[Any]:
    """Edits of what is for sale that a station has to look at, oldest first: one statement."""
    picture = select(func.min(Media.id)).where(Media.listing_id == Listing.id, Media.position == 1).correlate(Listing)
    wanted = (
        select(Revision.public_id, Revision.submitted_at, Listing.title_zh, Listing.title_en, Listing.seller_name)
        .add_columns(Listing.drawing, Listing.station_code, Media.public_id.label("media"))
        .join(Listing, Listing.id == Revision.listing_id)
        .outerjoin(Media, Media.id == picture.scalar_subquery())
        .where(Listing.station_code == station, Revision.state == R.SUBMITTED, Listing.state.in_(sorted(FOR_SALE)))
        .order_by(Revision.submitted_at, Revision.id)
    )
    return session.execute(wanted.limit(100)).all()


def last_reason(session: Session, listing_id: int) -> str:
    """Why it was sent back the last time."""
    reviews = select(Review.reason).where(Review.listing_id == listing_id, ~Review.is_accepted)
    return session.scalar(reviews.order_by(Review.id.desc()).limit(1)) or ""
