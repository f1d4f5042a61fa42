"""The seller answers, or their station for them; whoever asked is told. Station and province look at what may not stand."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from listings.customer_reviews.answering import ContactInside
from listings.customer_reviews.moderating import NotYourOwn
from listings.customer_reviews.states import Reason
from listings.models import Listing
from listings.questions.asking import get_question, move
from listings.questions.models import Question
from listings.questions.states import QuestionState as Q
from listings.screening import holds_contact
from marketplace.accounts.models import Person
from marketplace.core import audit, clock
from marketplace.core.errors import IllegalTransition
from marketplace.core.languages import speaking
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

SELLER, STATION = "seller", "station"


def answer_as_seller(session: Session, *, question: str, seller_id: int, words: str) -> None:
    """Raises NotFound, ContactInside, IllegalTransition where it is answered already."""
    row = get_question(session, question, Question.seller_id == seller_id, Question.state != Q.WAITING)
    answer(session, row, by=SELLER, words=words, person_id=seller_id)


def answer_for_seller(session: Session, *, question: str, station: str, words: str, person_id: int) -> None:
    """A clerk of the goods' station answers for a seller who has no phone at hand. Raises as `answer_as_seller`."""
    row = get_question(session, question, Question.station_code == station, Question.state != Q.WAITING)
    answer(session, row, by=STATION, words=words, person_id=person_id)


def answer(session: Session, row: Question, *, by: str, words: str, person_id: int) -> None:
    """Raises IllegalTransition for a question that is not open, ContactInside."""
    if row.state is not Q.OPEN:
        raise IllegalTransition(f"question:{row.public_id}: {row.state} -> answered")
    if holds_contact(words):
        raise ContactInside(row.public_id)
    said: dict[str, Any] = {"answer": words, "answered_by": by, "answered_at": clock.now()}
    move(session, row, Q.ANSWERED, actor=f"person:{person_id}", why=by, **said)
    tell(session, row)


def tell(session: Session, row: Question) -> None:
    """Whoever asked reads the answer itself, and where it stands."""
    asker = session.get(Person, row.asker_id) if row.asker_id else None
    address = asker and (asker.phone or asker.email)
    if asker is None or not address:
        return
    listing = session.get_one(Listing, row.listing_id)
    title = listing.title_en if row.language == "en" and listing.title_en else listing.title_zh
    told = {"goods": title, "words": row.answer, "link": f"{settings().base_url}/listings/{listing.code}/questions"}
    with speaking(row.language):
        text = _("Your question about %(goods)s has an answer: %(words)s See it here: %(link)s", **told)
    about: dict[str, Any] = {"person_id": asker.id, "kind": MessageKind.QUESTIONS}
    messages.send(session, fact=f"question_answered:{row.public_id}", address=address, text=text, **about)


def let_in(session: Session, *, question: str, station: str, person_id: int) -> None:
    """What waited reaches the seller. Raises NotFound, NotYourOwn, IllegalTransition."""
    row = get_question(session, question, Question.station_code == station)
    refuse_own(row, person_id)
    move(session, row, Q.OPEN, actor=f"person:{person_id}", why="looked at")


def hide(session: Session, *, question: str, station: str | None, reason: Reason, person_id: int) -> None:
    """A station hides what is not answered yet, the province (`station` None) whatever stands.

    Raises NotFound, NotYourOwn, IllegalTransition."""
    reach = () if station is None else (Question.station_code == station, Question.state != Q.ANSWERED)
    row = get_question(session, question, *reach)
    refuse_own(row, person_id)
    move(session, row, Q.HIDDEN, actor=f"person:{person_id}", why=reason, hidden_for=reason)
    audit.record(session, actor=f"person:{person_id}", action="question.hidden", subject=f"question:{question}", why=reason)


def refuse_own(row: Question, person_id: int) -> None:
    if person_id in {row.seller_id, row.asker_id}:
        raise NotYourOwn(row.public_id)
