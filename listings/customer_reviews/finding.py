"""One review, as far as somebody may look, with its row locked: whatever is decided about it is decided by one at a time."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.customer_reviews.models import CustomerReview, ReviewPicture
from listings.customer_reviews.states import ReviewState
from marketplace.core.errors import NotFound
from marketplace.core.records import record


@record
class Reach:
    """Whose reviews somebody may look at; what is None is not asked. Nothing that was withdrawn is there for anybody."""

    station: str | None = None
    seller: int | None = None  # a person's id
    order_line: str | None = None


EVERYWHERE = Reach()


def within(wanted: Any, reach: Reach) -> Any:
    """A statement about reviews, only as far as `reach` goes."""
    wanted = wanted.where(CustomerReview.state != ReviewState.WITHDRAWN)
    if reach.station is not None:
        wanted = wanted.where(CustomerReview.station_code == reach.station)
    if reach.seller is not None:
        wanted = wanted.where(CustomerReview.seller_id == reach.seller)
    if reach.order_line is not None:
        wanted = wanted.where(CustomerReview.order_line == reach.order_line)
    return wanted


def get_review(session: Session, review: str, reach: Reach) -> CustomerReview:
    """For a command: locked, and as it stands now. Raises NotFound, alike for one of others."""
    wanted = within(select(CustomerReview).where(CustomerReview.public_id == review), reach)
    fresh = wanted.with_for_update(of=CustomerReview).execution_options(populate_existing=True)
    found: CustomerReview | None = session.scalar(fresh)
    if found is None:
        raise NotFound(review)
    return found


def get_picture(session: Session, review: CustomerReview, picture: str) -> ReviewPicture:
    """Raises NotFound."""
    mine = select(ReviewPicture).where(ReviewPicture.review_id == review.id, ReviewPicture.public_id == picture)
    found = session.scalar(mine.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(picture)
    return found
