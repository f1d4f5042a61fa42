"""What a seller may do about a review of their goods: answer it, and report it. Hiding it is not theirs."""

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from listings.customer_reviews import counting
from listings.customer_reviews.finding import Reach, get_review
from listings.customer_reviews.models import CustomerReview
from listings.customer_reviews.states import Reason, ReviewState as R
from listings.screening import holds_contact
from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal


class ContactInside(Refusal):
    status = 422
    message = _l("Please leave out phone numbers, addresses on the net and accounts: everybody reads this.")


class ReportedBefore(Refusal):
    message = _l("You have reported this review already. The station looks at it once.")


def answer(session: Session, *, review: str, seller_id: int, words: str, actor: str) -> None:
    """The seller's one answer, below the review; said again, the new words stand. Raises NotFound, ContactInside."""
    row = get_shown(session, review, seller_id)
    if holds_contact(words):
        raise ContactInside(review)
    row.answer, row.answered_at = words, clock.now()
    audit.record(session, actor=actor, action="customer_review.answered", subject=f"customer_review:{review}")
    counting.renew_pages(session, row.listing_id)


def report(session: Session, *, review: str, seller_id: int, reason: Reason, actor: str) -> None:
    """The station is asked to look; until then the review stays. Raises NotFound, ReportedBefore."""
    row = get_shown(session, review, seller_id)
    if row.reported_at is not None:
        raise ReportedBefore(review)
    row.reported_at, row.reported_for = clock.now(), reason
    audit.record(session, actor=actor, action="customer_review.reported", subject=f"customer_review:{review}", why=reason)


def get_shown(session: Session, review: str, seller_id: int) -> CustomerReview:
    """A seller sees of their reviews what everybody sees."""
    row = get_review(session, review, Reach(seller=seller_id))
    if row.state is not R.SHOWN:
        raise NotFound(review)
    return row
