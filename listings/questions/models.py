"""A question about a listing, and the one answer it gets."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from listings.customer_reviews.states import Reason
from listings.questions.states import QUESTION, QuestionState
from marketplace.core import clock, ids
from marketplace.core.db import Base


class Question(Base):
    """Whoever leaves takes their name along: without an asker and a name it stays as it is."""

    __tablename__ = "question"
    __table_args__ = (
        CheckConstraint("(state = 'hidden') = (hidden_for IS NOT NULL)", "hidden_for_a_reason"),
        CheckConstraint("(answer <> '') = (answered_at IS NOT NULL)", "answered_some_day"),
        CheckConstraint("(answer <> '') = (answered_by IS NOT NULL)", "answered_by_somebody"),
        CheckConstraint("state <> 'answered' OR answer <> ''", "answered_in_words"),
        CheckConstraint("state NOT IN ('waiting', 'open') OR answer = ''", "unanswered_without_words"),
        CheckConstraint("state <> 'withdrawn' OR (words = '' AND answer = '')", "withdrawn_is_gone"),
        CheckConstraint("answered_by IN ('seller', 'station')", "known_answerer"),
        Index(None, "listing_id", "state", "id"),
        Index(None, "station_code", "state", "id"),
        Index(None, "seller_id", "state", "id"),
    )
    TRANSITIONS = QUESTION
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    asker_name: Mapped[str]  # masked: 王**
    language: Mapped[str]  # in which they are told of the answer
    state: Mapped[QuestionState] = mapped_column(default=QuestionState.WAITING)
    words: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    answer: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[str | None]  # seller, station (for the seller)
    answered_at: Mapped[datetime | None]
    hidden_for: Mapped[Reason | None]
