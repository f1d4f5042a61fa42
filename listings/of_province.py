"""What the province looks for among all goods: by number or words; and what it has taken off sale, with why."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from listings.models import Listing, Variant
from listings.states import ListingState as L
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.transitions import EventRow, subject_of
from marketplace.stations.models import Station

AT_MOST: Final = 50
MOST_WORDS: Final = 6
OFF_SALE: Final = (L.PUBLISHED, L.PAUSED)  # what can be taken off sale
JUDGED: Final = (*OFF_SALE, L.SUSPENDED)


def matching(session: Session, typed: str) -> Sequence[Any]:
    """Goods of this number, their own or a pack's, and those of whose names every word is part: one statement. `typed` is
    something."""
    number = typed.upper()
    of_pack = select(Variant.listing_id).where(Variant.code == number)
    is_numbered = or_(Listing.code == number, Listing.id.in_(of_pack))
    is_named = and_(*(is_in_name(word) for word in typed.split()[:MOST_WORDS]))
    newest = (is_numbered.desc(), Listing.published_at.desc(), Listing.id.desc())
    return session.execute(columns().where(or_(is_numbered, is_named)).order_by(*newest).limit(AT_MOST)).all()


def is_in_name(word: str) -> ColumnElement[bool]:
    return Listing.title_zh.icontains(word, autoescape=True) | Listing.title_en.icontains(word, autoescape=True)


def suspended(session: Session) -> Sequence[Any]:
    """What is off sale now, the latest first: one statement."""
    found = columns().where(Listing.state == L.SUSPENDED).order_by(Listing.published_at.desc(), Listing.id.desc())
    return session.execute(found.limit(AT_MOST)).all()


def columns() -> Columns:
    """As lists show goods that buyers can see, or could."""
    wanted = select(Listing.code, Listing.title_zh, Listing.title_en, Listing.seller_name, Listing.state)
    wanted = wanted.add_columns(Station.name_zh, Station.name_en).join(Station, Station.code == Listing.station_code)
    return wanted.where(Listing.state.in_(JUDGED))


def judged(session: Session, code: str) -> tuple[Listing, Sequence[Any]]:
    """A listing, and what the province has decided about it, the latest first. Raises NotFound."""
    listing = session.scalar(select(Listing).where(Listing.code == code))
    if listing is None:
        raise NotFound(code)
    suspended = L.SUSPENDED.value
    wanted = select(EventRow.to_state, EventRow.why, EventRow.at).where(EventRow.subject == subject_of(listing))
    wanted = wanted.where((EventRow.to_state == suspended) | (EventRow.from_state == suspended))
    return listing, session.execute(wanted.order_by(EventRow.id.desc()).limit(AT_MOST)).all()
