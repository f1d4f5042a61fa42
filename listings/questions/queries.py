"""What pages show of questions: each function one statement, only as far as its reader may look."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from listings.models import Listing
from listings.questions.models import Question
from listings.questions.states import ALIVE, UNANSWERED, QuestionState as Q
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, cut
from marketplace.core.records import record

PAGE: Final = 20
DESK_PAGE: Final = 50


@record
class AskedAbout:
    """A question and what it is about."""

    row: Question
    listing: Listing


def answered(session: Session, listing_id: int, before: str) -> Page[Question]:
    """What everybody may read, the latest first."""
    wanted = select(Question).where(Question.listing_id == listing_id, Question.state == Q.ANSWERED)
    if before:
        last = select(Question.id).where(Question.public_id == before).scalar_subquery()
        wanted = wanted.where(or_(last.is_(None), Question.id < last))
    rows = session.scalars(wanted.order_by(Question.id.desc()).limit(PAGE + 1)).all()
    return cut(rows, PAGE, attrgetter("public_id"))


def own(session: Session, listing_id: int, asker_id: int) -> Sequence[Question]:
    """What somebody asked about a listing, the latest first."""
    mine = select(Question).where(Question.listing_id == listing_id, Question.asker_id == asker_id)
    return session.scalars(mine.where(Question.state.in_(ALIVE)).order_by(Question.id.desc()).limit(DESK_PAGE)).all()


def was_asked_by(session: Session, question: str, person_id: int) -> bool:
    """Whether it is, or was, theirs."""
    mine = select(Question.id).where(Question.public_id == question, Question.asker_id == person_id)
    return session.scalar(mine) is not None


def of_seller(session: Session, seller_id: int) -> Sequence[AskedAbout]:
    """What a seller was asked, unanswered first, of these the longest waiting first."""
    states = (Q.OPEN, Q.ANSWERED)
    return asked(session, Question.seller_id == seller_id, Question.state.in_(states))


def of_station(session: Session, station: str) -> Sequence[AskedAbout]:
    """What nobody has answered yet about the goods of a station."""
    return asked(session, Question.station_code == station, Question.state.in_(sorted(UNANSWERED)))


def of_everybody(session: Session) -> Sequence[AskedAbout]:
    """The latest that everybody can read: for the province."""
    wanted = about().where(Question.state == Q.ANSWERED).order_by(Question.answered_at.desc())
    return [AskedAbout(*row) for row in session.execute(wanted.limit(DESK_PAGE))]


def asked(session: Session, *which: Any) -> Sequence[AskedAbout]:
    is_answered = Question.state == Q.ANSWERED
    rows = session.execute(about().where(*which).order_by(is_answered, Question.id).limit(DESK_PAGE))
    return [AskedAbout(*row) for row in rows]


def about() -> Any:
    return select(Question, Listing).join(Listing, Listing.id == Question.listing_id)


def get(session: Session, question: str, *which: Any) -> AskedAbout:
    """Raises NotFound, alike for one of others."""
    found = session.execute(about().where(Question.public_id == question, Question.state.in_(ALIVE), *which)).first()
    if found is None:
        raise NotFound(question)
    return AskedAbout(*found)


def count_unanswered(session: Session, *, seller_id: int) -> int:
    """For a seller's home."""
    wanted = select(func.count(Question.id)).where(Question.seller_id == seller_id, Question.state == Q.OPEN)
    return session.scalar(wanted) or 0


def count_of_station(session: Session, station: str) -> int:
    """For the desk's first page."""
    wanted = select(func.count(Question.id)).where(Question.station_code == station)
    return session.scalar(wanted.where(Question.state.in_(sorted(UNANSWERED)))) or 0
