"""A signed-in buyer asks the seller about a listing, and may take the question away again."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.customer_reviews import counting
from listings.models import Listing
from listings.questions import telling
from listings.questions.models import Question
from listings.questions.states import ALIVE, QuestionState as Q
from listings.screening import holds_contact
from listings.states import FOR_SALE, ListingState
from marketplace.core import clock, ids
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import mask_name
from marketplace.core.transitions import leave_trace, transition


class Paused(Refusal):
    message = _l("These goods are not for sale just now. Keep what you wrote and ask when they are back.")


class OwnGoods(Refusal):
    message = _l("These are your own goods.")


def ask(session: Session, *, code: str, asker_id: int, asker_name: str, language: str, words: str) -> str:
    """Returns the question's id. What holds a contact waits for the station before the seller sees it.

    Raises NotFound for what is not for sale, Paused for what is not just now, OwnGoods."""
    listing = session.scalar(select(Listing).where(Listing.code == code, Listing.state.in_(FOR_SALE)))
    if listing is None:
        raise NotFound(code)
    if listing.state is ListingState.PAUSED:
        raise Paused(code)
    if listing.seller_id == asker_id:
        raise OwnGoods(code)
    whose: dict[str, Any] = {"public_id": ids.public_id(), "listing_id": listing.id, "seller_id": listing.seller_id}
    whose |= {"station_code": listing.station_code, "asker_id": asker_id, "asker_name": mask_name(asker_name)}
    row = Question(**whose, language=language, words=words, state=Q.WAITING, asked_at=clock.now())
    session.add(row)
    session.flush()
    actor = f"person:{asker_id}"
    leave_trace(session, row, None, Q.WAITING, actor=actor, why="asked", station=row.station_code)
    if not holds_contact(words):
        move(session, row, Q.OPEN, actor="system", why="nothing to look at")
    return row.public_id


def withdraw(session: Session, *, question: str, asker_id: int) -> None:
    """Raises NotFound, as for one that is away already."""
    row = get_question(session, question, Question.asker_id == asker_id)
    nothing = {"words": "", "answer": "", "answered_at": None, "answered_by": None, "hidden_for": None}
    move(session, row, Q.WITHDRAWN, actor=f"person:{asker_id}", why="by its asker", **nothing)


def get_question(session: Session, question: str, *reach: Any) -> Question:
    """For a command: locked, and as it stands now. Raises NotFound, alike for one of others."""
    mine = select(Question).where(Question.public_id == question, Question.state.in_(ALIVE), *reach)
    found = session.scalar(mine.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound(question)
    return found


def move(session: Session, row: Question, to: Q, *, actor: str, why: str, **also: Any) -> None:
    """One step of a question, with its count and the pages that show it; its seller is told of one that reaches them."""
    here = row.state
    transition(session, row, to, expected=here, actor=actor, why=why, station=row.station_code, **also)
    if to is Q.OPEN:
        telling.tell_seller(session, row)
    if Q.ANSWERED in {here, to}:
        counting.change(session, row.listing_id, **{counting.QUESTIONS: 1 if to is Q.ANSWERED else -1})
        counting.renew_pages(session, row.listing_id)
