"""Somebody who received goods writes about them, changes it, or takes it away. Who received what is asked above (orders)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from listings.customer_reviews import counting
from listings.customer_reviews.finding import Reach, get_review
from listings.customer_reviews.models import CustomerReview, ReviewPicture
from listings.customer_reviews.states import PictureState, ReviewState as R
from listings.models import Listing
from listings.screening import holds_contact
from marketplace.core import clock, ids
from marketplace.core.db import insert_or_ignore
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import mask_name
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace, transition

EDITABLE_FOR: Final = timedelta(days=30)
MOST_PICTURES: Final = 6


class ReviewedBefore(Refusal):
    message = _l("You have reviewed this already.")


class OwnGoods(Refusal):
    message = _l("Nobody reviews their own goods.")


class TooLateToEdit(Refusal):
    message = _l("A review can be changed for 30 days.")


class WithTheProvince(Refusal):
    message = _l("The province is looking at this review. Please wait for its answer.")


class TooManyPictures(Refusal):
    status = 422
    message = _l("Six pictures are enough.")


@record
class Received:
    """A line of an order that its buyer has: nobody is asked to believe more than stands here."""

    order_line: str
    listing: str
    unit_zh: str
    unit_en: str
    bought_on: date
    author_id: int | None
    author_name: str  # whole; only its first sign is kept


@record
class Said:
    """What is said of it; `pictures` are re-encoded ones (digest, width, height)."""

    stars: int
    words: str
    pictures: Sequence[Mapping[str, Any]] = ()


def write(session: Session, *, received: Received, said: Said, actor: str) -> str:
    """Returns the review's id. What holds nothing to look at is shown at once; pictures wait for the station.

    Raises NotFound, OwnGoods, ReviewedBefore, TooManyPictures."""
    listing = session.scalar(select(Listing).where(Listing.code == received.listing))
    if listing is None:
        raise NotFound(received.listing)
    if listing.seller_id == received.author_id:
        raise OwnGoods(received.order_line)
    row = born(session, listing, received, said)
    leave_trace(session, row, None, R.WAITING, actor=actor, why=f"{said.stars} stars", station=row.station_code)
    add_pictures(session, row, said.pictures, actor=actor)
    show_unless_held(session, row)
    return row.public_id


def born(session: Session, listing: Listing, received: Received, said: Said) -> CustomerReview:
    """The row, unless somebody was faster: a line has one review for ever."""
    whose: dict[str, Any] = {"public_id": ids.public_id(), "order_line": received.order_line, "listing_id": listing.id}
    whose |= {"station_code": listing.station_code, "seller_id": listing.seller_id, "author_id": received.author_id}
    whose |= {"author_name": mask_name(received.author_name), "bought_on": received.bought_on}
    whose |= {"unit_zh": received.unit_zh, "unit_en": received.unit_en, "written_at": clock.now()}
    is_new = insert_or_ignore(session, CustomerReview, {**whose, "stars": said.stars, "words": said.words})
    if not is_new:
        raise ReviewedBefore(received.order_line)
    return session.scalars(select(CustomerReview).where(CustomerReview.public_id == whose["public_id"])).one()


def edit(session: Session, *, review: str, reach: Reach, said: Said, without: Collection[str] = (), actor: str) -> None:
    """Say it otherwise; `said.pictures` come besides those that are there, but those named in `without`.

    What had been hidden waits for the station again. Raises NotFound, TooLateToEdit, WithTheProvince, TooManyPictures."""
    row = get_review(session, review, reach)
    if clock.now() > row.written_at + EDITABLE_FOR:
        raise TooLateToEdit(review)
    if row.is_with_the_province:
        raise WithTheProvince(review)
    if row.state is R.SHOWN and row.stars != said.stars:
        moved = {counting.of_stars(row.stars): -1, counting.of_stars(said.stars): 1}
        counting.change(session, row.listing_id, **moved)
    row.stars, row.words, row.edited_at = said.stars, said.words, clock.now()
    gone = delete(ReviewPicture).where(ReviewPicture.review_id == row.id, ReviewPicture.public_id.in_(without))
    session.execute(gone)
    add_pictures(session, row, said.pictures, actor=actor)
    if row.state is R.HIDDEN:
        move(session, row, R.WAITING, actor=actor, why="written anew", hidden_for=None)
    elif row.state is R.SHOWN and holds_contact(row.words):
        move(session, row, R.WAITING, actor=actor, why="holds a contact")
    show_unless_held(session, row)
    counting.renew_pages(session, row.listing_id)


def withdraw(session: Session, *, review: str, reach: Reach, actor: str) -> None:
    """Its author takes it away: words, answer and pictures are gone. Raises NotFound, as for one that is away already."""
    row = get_review(session, review, reach)
    session.execute(delete(ReviewPicture).where(ReviewPicture.review_id == row.id))
    nothing = {"words": "", "answer": "", "answered_at": None, "appeal_words": "", "hidden_for": None}
    move(session, row, R.WITHDRAWN, actor=actor, why="by its author", **nothing)


def show_unless_held(session: Session, row: CustomerReview) -> None:
    """What waits, unless it was hidden before or holds a contact: then a person looks at it first."""
    if row.state is R.WAITING and row.hidden_at is None and not holds_contact(row.words):
        move(session, row, R.SHOWN, actor="system", why="nothing to look at")


def move(session: Session, row: CustomerReview, to: R, *, actor: str, why: str, **also: Any) -> None:
    """One step of a review, with its count and the pages that show it."""
    here = row.state
    transition(session, row, to, expected=here, actor=actor, why=why, station=row.station_code, **also)
    left, entered = counting.counted_as(here, row.stars), counting.counted_as(to, row.stars)
    if moved := {name: by for name, by in ((left, -1), (entered, 1)) if name}:
        counting.change(session, row.listing_id, **moved)
    counting.renew_pages(session, row.listing_id)


def add_pictures(session: Session, row: CustomerReview, pictures: Sequence[Mapping[str, Any]], *, actor: str) -> None:
    """Behind those that are there, each once. Raises TooManyPictures."""
    session.flush()
    mine = select(ReviewPicture.digest, ReviewPicture.position).where(ReviewPicture.review_id == row.id)
    there: dict[str, int] = {row.digest: row.position for row in session.execute(mine)}
    new = {picture["digest"]: picture for picture in pictures if picture["digest"] not in there}
    if len(there) + len(new) > MOST_PICTURES:
        raise TooManyPictures(row.public_id)
    for position, picture in enumerate(new.values(), start=max(there.values(), default=0) + 1):
        made = {name: picture[name] for name in ("digest", "width", "height")}
        added = ReviewPicture(public_id=ids.public_id(), review_id=row.id, position=position, **made)
        session.add(added)
        session.flush()
        leave_trace(session, added, None, PictureState.WAITING, actor=actor, why="sent", station=row.station_code)
