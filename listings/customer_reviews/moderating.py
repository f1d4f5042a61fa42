"""The station of the goods looks: at what waits, at what a seller reported, at each picture. By reason, from a closed list.

Nobody decides about words on their own goods, or about their own words."""

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from listings.customer_reviews import counting
from listings.customer_reviews.finding import Reach, get_picture, get_review
from listings.customer_reviews.models import CustomerReview
from listings.customer_reviews.states import PictureState, Reason, ReviewState as R
from listings.customer_reviews.writing import WithTheProvince, move
from marketplace.core import audit, clock, outbox
from marketplace.core.errors import Refusal, StaleState
from marketplace.core.transitions import transition

DECIDED = "customer_review.decided"  # the outbox's topic: its author is told


class NotYourOwn(Refusal):
    status = 403
    message = _l("This is about your own goods or words. Somebody else has to decide it.")


class TheProvinceDecided(Refusal):
    message = _l("The province has decided that this review stays.")


def let_in(session: Session, *, review: str, reach: Reach, person_id: int) -> None:
    """What waited is shown. Raises NotFound, NotYourOwn, StaleState."""
    row = get_decidable(session, review, reach, person_id)
    if row.state is not R.WAITING:
        raise StaleState(f"customer_review:{review}: no longer waiting")
    move(session, row, R.SHOWN, actor=f"person:{person_id}", why="looked at", hidden_at=None)


def leave(session: Session, *, review: str, reach: Reach, person_id: int) -> None:
    """What the seller reported stays as it is. Raises NotFound, NotYourOwn, StaleState."""
    row = get_decidable(session, review, reach, person_id)
    if not row.is_reported:
        raise StaleState(f"customer_review:{review}: no longer reported")
    row.report_answered_at = clock.now()
    subject = f"customer_review:{review}"
    audit.record(session, actor=f"person:{person_id}", action="customer_review.left", subject=subject)


def hide(session: Session, *, review: str, reach: Reach, reason: Reason, person_id: int) -> None:
    """Raises NotFound, NotYourOwn, TheProvinceDecided, StaleState."""
    row = get_decidable(session, review, reach, person_id)
    if row.state is R.HIDDEN:
        raise StaleState(f"customer_review:{review}: hidden already")
    judged = row.appeal_answered_at
    if judged is not None and row.state is R.SHOWN and (row.edited_at is None or row.edited_at < judged):
        raise TheProvinceDecided(review)
    now, actor = clock.now(), f"person:{person_id}"
    answered = {"report_answered_at": now} if row.is_reported else {}
    move(session, row, R.HIDDEN, actor=actor, why=reason, hidden_for=reason, hidden_at=now, **answered)
    audit.record(session, actor=actor, action="customer_review.hidden", subject=f"customer_review:{review}", why=reason)
    outbox.put(session, DECIDED, review=review, fact="hidden")


def decide_picture(
    session: Session, *, review: str, picture: str, reach: Reach, reason: Reason | None, person_id: int
) -> None:
    """Show a picture, or hide it for a reason. Raises NotFound, NotYourOwn, StaleState, IllegalTransition."""
    row = get_decidable(session, review, reach, person_id)
    found = get_picture(session, row, picture)
    to = PictureState.SHOWN if reason is None else PictureState.HIDDEN
    why, actor = reason or "looked at", f"person:{person_id}"
    transition(session, found, to, expected=found.state, actor=actor, why=why, station=row.station_code, hidden_for=reason)
    counting.renew_pages(session, row.listing_id)


def get_decidable(session: Session, review: str, reach: Reach, person_id: int) -> CustomerReview:
    row = get_review(session, review, reach)
    if person_id in {row.seller_id, row.author_id}:
        raise NotYourOwn(review)
    if row.is_with_the_province:
        raise WithTheProvince(review)
    return row
