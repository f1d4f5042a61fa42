"""Whoever wrote what a station has hidden may ask the province, once. Its answer is the last word."""

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from listings.customer_reviews.finding import EVERYWHERE, Reach, get_review
from listings.customer_reviews.models import CustomerReview
from listings.customer_reviews.moderating import DECIDED, NotYourOwn
from listings.customer_reviews.states import ReviewState as R
from listings.customer_reviews.writing import move
from marketplace.core import audit, clock, outbox
from marketplace.core.errors import Refusal, StaleState


class NotAppealable(Refusal):
    message = _l("There is no decision here that you could ask the province about.")


def may_ask(review: CustomerReview) -> bool:
    return review.state is R.HIDDEN and review.appealed_at is None


def ask(session: Session, *, review: str, reach: Reach, words: str, actor: str) -> None:
    """Raises NotFound, NotAppealable."""
    row = get_review(session, review, reach)
    if not may_ask(row):
        raise NotAppealable(review)
    row.appealed_at, row.appeal_words = clock.now(), words
    audit.record(session, actor=actor, action="customer_review.appealed", subject=f"customer_review:{review}")


def restore(session: Session, *, review: str, why: str, person_id: int) -> None:
    """It is shown again. Raises NotFound, NotYourOwn, StaleState."""
    row = get_asked(session, review, person_id)
    answer(session, row, "restored", why=why, person_id=person_id)
    move(session, row, R.SHOWN, actor=f"person:{person_id}", why=why, hidden_for=None, hidden_at=None)


def uphold(session: Session, *, review: str, why: str, person_id: int) -> None:
    """It stays hidden. Raises NotFound, NotYourOwn, StaleState."""
    answer(session, get_asked(session, review, person_id), "upheld", why=why, person_id=person_id)


def get_asked(session: Session, review: str, person_id: int) -> CustomerReview:
    row = get_review(session, review, EVERYWHERE)
    if person_id in {row.seller_id, row.author_id}:
        raise NotYourOwn(review)
    if not row.is_with_the_province:
        raise StaleState(f"customer_review:{review}: nobody asks about it any more")
    return row


def answer(session: Session, row: CustomerReview, fact: str, *, why: str, person_id: int) -> None:
    row.appeal_answered_at, row.appeal_answer = clock.now(), why
    subject = f"customer_review:{row.public_id}"
    audit.record(session, actor=f"person:{person_id}", action=f"customer_review.{fact}", subject=subject, why=why)
    outbox.put(session, DECIDED, review=row.public_id, fact=fact)
