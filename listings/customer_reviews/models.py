"""Reviews with their pictures, and how much was said about each listing, counted as it is said."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from listings.customer_reviews.states import CUSTOMER_REVIEW, PICTURE, PictureState, Reason, ReviewState
from marketplace.core import clock, ids
from marketplace.core.db import Base


class CustomerReview(Base):
    """What somebody says about one line of an order that they received. Whoever leaves takes their name along: without an
    author and a name it stays as it is."""

    __tablename__ = "customer_review"
    __table_args__ = (
        CheckConstraint("stars BETWEEN 1 AND 5", "stars"),
        CheckConstraint("(state = 'hidden') = (hidden_for IS NOT NULL)", "hidden_for_a_reason"),
        CheckConstraint("(answer <> '') = (answered_at IS NOT NULL)", "answered_some_day"),
        CheckConstraint("(reported_at IS NULL) = (reported_for IS NULL)", "reported_for_a_reason"),
        CheckConstraint("reported_at IS NOT NULL OR report_answered_at IS NULL", "answers_a_report"),
        CheckConstraint("appealed_at IS NOT NULL OR appeal_answered_at IS NULL", "answers_an_appeal"),
        CheckConstraint("state <> 'withdrawn' OR (words = '' AND answer = '')", "withdrawn_is_gone"),
        Index(None, "listing_id", "state", "id"),
        Index(None, "station_code", "state", "id"),
    )
    TRANSITIONS = CUSTOMER_REVIEW
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    order_line: Mapped[str] = mapped_column(unique=True)  # the public id of what was bought
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)  # nobody: a guest
    author_name: Mapped[str]  # masked: 王**
    unit_zh: Mapped[str]
    unit_en: Mapped[str]
    bought_on: Mapped[date]
    state: Mapped[ReviewState] = mapped_column(default=ReviewState.WAITING)
    stars: Mapped[int]
    words: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    edited_at: Mapped[datetime | None]
    hidden_for: Mapped[Reason | None]
    hidden_at: Mapped[datetime | None]  # until the station has looked at what was written instead
    answer: Mapped[str] = mapped_column(default="")  # the seller's
    answered_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]  # by the seller
    reported_for: Mapped[Reason | None]
    report_answered_at: Mapped[datetime | None]
    appealed_at: Mapped[datetime | None]  # by its author, to the province
    appeal_words: Mapped[str] = mapped_column(default="")
    appeal_answer: Mapped[str] = mapped_column(default="")
    appeal_answered_at: Mapped[datetime | None]

    @property
    def is_with_the_province(self) -> bool:
        return self.appealed_at is not None and self.appeal_answered_at is None

    @property
    def is_reported(self) -> bool:
        """And nobody has answered yet."""
        return self.reported_at is not None and self.report_answered_at is None


class ReviewPicture(Base):
    """A picture of a review, re-encoded, in a folder of its own until the station has seen it."""

    __tablename__ = "review_picture"
    __table_args__ = (
        UniqueConstraint("review_id", "position"),
        CheckConstraint("(state = 'hidden') = (hidden_for IS NOT NULL)", "hidden_for_a_reason"),
    )
    TRANSITIONS = PICTURE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    review_id: Mapped[int] = mapped_column(ForeignKey("customer_review.id"))
    position: Mapped[int]
    state: Mapped[PictureState] = mapped_column(default=PictureState.WAITING)
    hidden_for: Mapped[Reason | None]
    digest: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]


class FeedbackCount(Base):
    """Of one listing: reviews shown by their stars, reviews hidden, questions answered.

    Raised and lowered by the transaction that changes them, so that no page has to count."""

    __tablename__ = "feedback_count"
    __table_args__ = (
        CheckConstraint(
            "stars_1 >= 0 AND stars_2 >= 0 AND stars_3 >= 0 AND stars_4 >= 0 AND stars_5 >= 0 "
            "AND hidden >= 0 AND questions >= 0",
            "counts",
        ),
    )
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    stars_1: Mapped[int] = mapped_column(default=0)
    stars_2: Mapped[int] = mapped_column(default=0)
    stars_3: Mapped[int] = mapped_column(default=0)
    stars_4: Mapped[int] = mapped_column(default=0)
    stars_5: Mapped[int] = mapped_column(default=0)
    hidden: Mapped[int] = mapped_column(default=0)
    questions: Mapped[int] = mapped_column(default=0)
