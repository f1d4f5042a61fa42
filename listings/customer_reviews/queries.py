"""What pages show of reviews: each function a fixed number of statements, only as far as its reader may look."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from listings.cards import Photo
from listings.customer_reviews.figures import Figures
from listings.customer_reviews.finding import Reach, within
from listings.customer_reviews.models import CustomerReview, FeedbackCount, ReviewPicture
from listings.customer_reviews.states import PictureState, Reason, ReviewState as R
from listings.models import Listing
from listings.states import ListingState
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.paging import Page, cut
from marketplace.core.records import record

LATEST: Final = 3  # on the page of a product
PAGE: Final = 20
DESK_PAGE: Final = 50
PUBLIC: Final = (R.SHOWN, R.HIDDEN)


@record
class ShownReview:
    """As everybody reads it; of a hidden one, that it is hidden and why."""

    id: int
    public_id: str
    name: str
    stars: int
    words: str
    unit: str
    bought_on: date
    written_at: datetime
    edited_at: datetime | None
    hidden_for: Reason | None
    answer: str
    answered_at: datetime | None
    pictures: tuple[Photo, ...]


@record
class Reviewed:
    """A listing that people have said something about."""

    id: int
    code: str
    title_zh: str
    title_en: str
    station_code: str
    figures: Figures


def get_reviewed(session: Session, code: str, states: Collection[ListingState] = (ListingState.PUBLISHED,)) -> Reviewed:
    """One statement. Raises NotFound for what is not for sale, or in none of these states."""
    wanted = select(Listing.id, Listing.code, Listing.title_zh, Listing.title_en, Listing.station_code)
    wanted = wanted.add_columns(*FeedbackCount.__table__.c[1:])
    wanted = wanted.outerjoin(FeedbackCount, FeedbackCount.listing_id == Listing.id)
    found: Any = session.execute(wanted.where(Listing.code == code, Listing.state.in_(states))).first()
    if found is None:
        raise NotFound(code)
    return Reviewed(found.id, found.code, found.title_zh, found.title_en, found.station_code, Figures.of(found))


def latest(session: Session, listing_id: int) -> Sequence[ShownReview]:
    """For the page of a product: one statement."""
    return public(session, listing_id, "", LATEST)


def page(session: Session, listing_id: int, before: str = "", size: int = PAGE) -> Page[ShownReview]:
    """The latest first, from behind `before` on: one statement."""
    return cut(public(session, listing_id, before, size + 1), size, attrgetter("public_id"))


def public(session: Session, listing_id: int, before: str, limit: int) -> Sequence[ShownReview]:
    """With the pictures that everybody may see."""
    mine = select(CustomerReview.id).where(CustomerReview.listing_id == listing_id, CustomerReview.state.in_(PUBLIC))
    chosen = behind(mine, before).order_by(CustomerReview.id.desc()).limit(limit).subquery()
    columns = (*CustomerReview.__table__.c, ReviewPicture.public_id.label("picture"), ReviewPicture.width)
    seen = and_(ReviewPicture.review_id == CustomerReview.id, ReviewPicture.state == PictureState.SHOWN)
    wanted = select(*columns, ReviewPicture.height).join(chosen, chosen.c.id == CustomerReview.id)
    wanted = wanted.outerjoin(ReviewPicture, seen).order_by(CustomerReview.id.desc(), ReviewPicture.position)
    found: dict[int, list[Any]] = {}
    for row in session.execute(wanted):
        found.setdefault(row.id, []).append(row)
    return [shown(rows) for rows in found.values()]


def behind(wanted: Any, before: str) -> Any:
    """Only what was written before the one named; of a name that nobody has, everything."""
    if not before:
        return wanted
    last = select(CustomerReview.id).where(CustomerReview.public_id == before).scalar_subquery()
    return wanted.where(or_(last.is_(None), CustomerReview.id < last))


def shown(rows: Sequence[Any]) -> ShownReview:
    """`rows` of one review, one for each of its pictures."""
    row = rows[0]
    is_hidden = row.state is R.HIDDEN
    return ShownReview(
        id=row.id,
        public_id=row.public_id,
        name=row.author_name,
        stars=row.stars,
        words="" if is_hidden else row.words,
        unit=in_language(row.unit_zh, row.unit_en),
        bought_on=row.bought_on,
        written_at=row.written_at,
        edited_at=row.edited_at,
        hidden_for=row.hidden_for,
        answer="" if is_hidden else row.answer,
        answered_at=row.answered_at,
        pictures=tuple(Photo(each.picture, each.width, each.height) for each in rows if each.picture and not is_hidden),
    )


def public_picture(session: Session, review: str, picture: str) -> ReviewPicture:
    """One that everybody may see: one statement. Raises NotFound."""
    wanted = select(ReviewPicture).join(CustomerReview, CustomerReview.id == ReviewPicture.review_id)
    wanted = wanted.where(CustomerReview.public_id == review, CustomerReview.state == R.SHOWN)
    found = session.scalar(wanted.where(ReviewPicture.public_id == picture, ReviewPicture.state == PictureState.SHOWN))
    if found is None:
        raise NotFound(picture)
    return found


def own_picture(session: Session, review: str, picture: str, reach: Reach) -> ReviewPicture:
    """For its author, the station and the province: one statement. Raises NotFound."""
    wanted = select(ReviewPicture).join(CustomerReview, CustomerReview.id == ReviewPicture.review_id)
    wanted = wanted.where(CustomerReview.public_id == review, ReviewPicture.public_id == picture)
    found: ReviewPicture | None = session.scalar(within(wanted, reach))
    if found is None:
        raise NotFound(picture)
    return found


@record
class DeskReview:
    """A review with its pictures and goods, for those who write, answer or decide."""

    row: CustomerReview
    listing: Listing
    pictures: tuple[ReviewPicture, ...]

    @property
    def unit(self) -> str:
        return in_language(self.row.unit_zh, self.row.unit_en)


def show(session: Session, review: str, reach: Reach) -> DeskReview:
    """Two statements. Raises NotFound, alike for one of others."""
    wanted = select(CustomerReview, Listing).join(Listing, Listing.id == CustomerReview.listing_id)
    found: Any = session.execute(within(wanted, reach).where(CustomerReview.public_id == review)).first()
    if found is None:
        raise NotFound(review)
    row, listing = found
    mine = select(ReviewPicture).where(ReviewPicture.review_id == row.id).order_by(ReviewPicture.position)
    return DeskReview(row, listing, tuple(session.scalars(mine)))


def of_line(session: Session, line: str) -> str | None:
    """The id of the review of a line, also of one that was taken away: one statement."""
    return session.scalar(select(CustomerReview.public_id).where(CustomerReview.order_line == line))


def of_lines(session: Session, lines: Sequence[str]) -> dict[str, R]:
    """By line, how its review stands: one statement."""
    wanted = select(CustomerReview.order_line, CustomerReview.state).where(CustomerReview.order_line.in_(lines))
    return {row.order_line: row.state for row in session.execute(wanted)}


def waits() -> ColumnElement[bool]:
    """Something of it waits for the station: itself, a report of the seller, a picture."""
    pictures = select(ReviewPicture.id).where(
        ReviewPicture.review_id == CustomerReview.id, ReviewPicture.state == PictureState.WAITING
    )
    reported = and_(CustomerReview.reported_at.is_not(None), CustomerReview.report_answered_at.is_(None))
    is_there = CustomerReview.state == R.SHOWN
    return or_(CustomerReview.state == R.WAITING, and_(is_there, or_(reported, pictures.exists())))


def waiting(session: Session, station: str) -> Sequence[DeskReview]:
    """What waits for this station, the longest first: one statement."""
    return listed(session, select(CustomerReview, Listing).where(waits()), Reach(station=station), CustomerReview.id)


def count_waiting(session: Session, station: str) -> int:
    """One statement."""
    wanted = within(select(func.count(CustomerReview.id)).where(waits()), Reach(station=station))
    return int(session.scalar(wanted) or 0)


def asked(session: Session) -> Sequence[DeskReview]:
    """About which the province was asked and has not answered, the longest first: one statement."""
    open_ones = and_(CustomerReview.appealed_at.is_not(None), CustomerReview.appeal_answered_at.is_(None))
    wanted = select(CustomerReview, Listing).where(open_ones)
    return listed(session, wanted, Reach(), CustomerReview.appealed_at)


def listed(session: Session, wanted: Any, reach: Reach, *order: Any) -> Sequence[DeskReview]:
    found = within(wanted.join(Listing, Listing.id == CustomerReview.listing_id), reach)
    rows = session.execute(found.order_by(*order).limit(DESK_PAGE))
    return [DeskReview(row, listing, ()) for row, listing in rows]


def of_seller(session: Session, seller_id: int, before: str) -> Page[DeskReview]:
    """What is shown of a seller's goods, the latest first: one statement."""
    wanted = select(CustomerReview, Listing).join(Listing, Listing.id == CustomerReview.listing_id)
    wanted = within(wanted, Reach(seller=seller_id)).where(CustomerReview.state == R.SHOWN)
    rows = session.execute(behind(wanted, before).order_by(CustomerReview.id.desc()).limit(DESK_PAGE + 1))
    return cut([DeskReview(row, listing, ()) for row, listing in rows], DESK_PAGE, attrgetter("row.public_id"))
