"""Where a parcel comes from, who packed it and what its station checked: for its label, and for whoever holds it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import checks
from listings.models import Listing, Review
from marketplace.accounts.models import Person
from marketplace.core.errors import NotFound
from marketplace.core.formats import SHANGHAI
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Order, Parcel
from marketplace.orders.queries import ShownParcel, parcels_of
from marketplace.orders.states import ParcelState as S


@record
class Origin:
    """What a station knows of one of the goods in a parcel."""

    village: str
    checked_at: datetime | None
    findings: tuple[str, ...]


@record
class Packing:
    """When a parcel was packed, and the surname of whoever did it."""

    at: datetime
    by: str


def shown(session: Session, parcel: str) -> tuple[Order, ShownParcel]:
    """A parcel that was paid for, with its order. Raises NotFound."""
    wanted = select(Order).join(Parcel, Parcel.order_id == Order.id).where(Parcel.public_id == parcel)
    order = session.scalar(wanted.where(Order.paid_at.is_not(None)))
    if order is None:
        raise NotFound(parcel)
    return order, next(each for each in parcels_of(session, order) if each.row.public_id == parcel)


def of_listings(session: Session, codes: Sequence[str]) -> dict[str, Origin]:
    """By the listing's code: where it grows, and what was found when it was last looked at: two statements."""
    listings = session.execute(select(Listing.id, Listing.code, Listing.origin_village_zh).where(Listing.code.in_(codes)))
    rows = listings.all()
    looked = select(Review.listing_id, Review.at, Review.findings).where(Review.is_accepted)
    looked = looked.where(Review.listing_id.in_([row.id for row in rows])).order_by(Review.at, Review.id)
    latest = {row.listing_id: row for row in session.execute(looked)}
    found: dict[str, Origin] = {}
    for row in rows:
        look = latest.get(row.id)
        told = tuple(checks.sentences(look.findings)) if look else ()
        found[row.code] = Origin(row.origin_village_zh, look.at if look else None, told)
    return found


def packing(session: Session, parcel: str) -> Packing | None:
    """None for a parcel that is not packed yet."""
    step = select(EventRow.at, EventRow.actor).where(EventRow.subject == f"parcel:{parcel}", EventRow.to_state == S.PACKED)
    row = session.execute(step.order_by(EventRow.id.desc()).limit(1)).first()
    if row is None:
        return None
    kind, _colon, number = row.actor.partition(":")
    known = kind == "person" and number.isdigit()
    name = session.scalar(select(Person.name).where(Person.id == int(number))) if known else None
    return Packing(row.at, (name or "")[:1])


def batch(parcel: ShownParcel) -> str:
    """What one station gathered on one day; empty until the goods are being gathered."""
    gathered = parcel.steps.get(S.COLLECTING)
    if gathered is None:
        return ""
    return f"{parcel.station.code}-{gathered.astimezone(SHANGHAI):%y%m%d}"
