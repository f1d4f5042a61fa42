"""How much was said about a listing: one guarded row for each, and the pages that show it."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from listings.customer_reviews.models import FeedbackCount
from listings.customer_reviews.states import ReviewState
from listings.models import Listing
from marketplace.core import page_cache
from marketplace.core.db import insert_or_ignore

QUESTIONS = "questions"


def of_stars(stars: int) -> str:
    return f"stars_{stars}"


def counted_as(state: ReviewState, stars: int) -> str:
    """The count in which a review of this state stands; empty: in none."""
    return {ReviewState.SHOWN: of_stars(stars), ReviewState.HIDDEN: "hidden"}.get(state, "")


def change(session: Session, listing_id: int, **by: int) -> None:
    """Add to the counts named: `change(session, 7, stars_4=-1, stars_5=1)`. Two at once wait for each other."""
    insert_or_ignore(session, FeedbackCount, {"listing_id": listing_id})
    added = {name: getattr(FeedbackCount, name) + number for name, number in by.items()}
    session.execute(update(FeedbackCount).where(FeedbackCount.listing_id == listing_id).values(added))


def renew_pages(session: Session, listing_id: int) -> None:
    """Whatever shows what people say about this listing is made anew."""
    code = session.scalars(select(Listing.code).where(Listing.id == listing_id)).one()
    page_cache.expire(session, f"listing:{code}")
