"""Whose goods these are, and who may write to them: their seller, or a clerk of the station by the seller's word."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Consent, Listing
from listings.states import ListingState
from marketplace.core.errors import NotFound


def get_own(session: Session, code: str, person_id: int, by: int | None = None) -> Listing:
    """A seller's own listing, locked. `by` is the clerk who writes for them: only while the seller's word stands.

    Raises NotFound for another's, for one that was taken away, and for a clerk without that word."""
    mine = select(Listing).where(Listing.code == code, Listing.seller_id == person_id)
    found = session.scalar(mine.with_for_update())
    if found is None or found.state is ListingState.ARCHIVED:
        raise NotFound(code)
    if by is not None and not has_word(session, found.id):  # asked behind the lock, under which it is withdrawn
        raise NotFound(code)
    return found


def has_word(session: Session, listing_id: int) -> bool:
    """The farmer has agreed that the station lists this for them, and has not taken it back."""
    stands = select(Consent.listing_id).where(Consent.listing_id == listing_id, Consent.withdrawn_at.is_(None))
    return session.scalar(stands) is not None


def actor(person_id: int, by: int | None) -> str:
    """Who did it, for a trace."""
    return f"person:{by or person_id}"
