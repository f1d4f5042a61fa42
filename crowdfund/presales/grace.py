"""Until when a place of a presale may be sent (docs/adr/0051): until harvest plus grace are over.

Who says late where to gives the station as many days as the shortest grace; what is packed waits a little for its
courier."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from crowdfund.presales.models import Backing, Presale
from crowdfund.presales.states import BackingState as B
from marketplace.core import clock
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ParcelState as S

IN_WORK: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING)
UNSENT: Final = frozenset({*IN_WORK, S.PACKED})
TO_SEND: Final = timedelta(days=7)  # after where to is known; the shortest grace that may be agreed to
FOR_THE_COURIER: Final = timedelta(days=3)  # of what is packed on its last day


def last_day(row: Any) -> date:
    """Of the grace after the harvest."""
    harvest_on: date = row.harvest_on
    return harvest_on + timedelta(days=row.grace_days)


def send_by(last: date, answered_at: datetime | None) -> date:
    """The last day on which a place may leave its station, by the `last` day of its presale's grace and by when it was said
    where to."""
    return max(last, clock.local(answered_at).date() + TO_SEND) if answered_at else last


def is_too_late(row: Any, answered_at: datetime | None, *, is_packed: bool = False) -> bool:
    """Whether a place should have left its station by now."""
    last = send_by(last_day(row), answered_at)
    return (last + FOR_THE_COURIER if is_packed else last) < clock.today()


def is_open(session: Session, row: Presale) -> bool:
    """Something is still to be sent, or somebody may still say where to."""
    waits = Backing.state == B.CONFIRMED
    if last_day(row) < clock.today():
        waits &= Backing.answered_at.is_not(None)
    wanted = unsent(row).where(waits | Parcel.state.in_(UNSENT))
    return session.scalar(wanted.limit(1)) is not None


def too_late(session: Session, row: Presale) -> int:
    """How many places should have left their station by now."""
    today = clock.today()
    if last_day(row) >= today:
        return 0
    is_late = said_before(today - TO_SEND) & ((Backing.state == B.CONFIRMED) | Parcel.state.in_(IN_WORK))
    if last_day(row) + FOR_THE_COURIER < today:
        is_late |= said_before(today - TO_SEND - FOR_THE_COURIER) & (Parcel.state == S.PACKED)
    return len(session.scalars(unsent(row).where(is_late)).all())


def said_before(day: date) -> ColumnElement[bool]:
    return Backing.answered_at < clock.start_of(day)


def anything_unsent() -> ColumnElement[bool]:
    """SQL of a presale's row: somebody waits for something, whatever the day."""
    wanted = unsent(Presale).where((Backing.state == B.CONFIRMED) | Parcel.state.in_(UNSENT))
    return wanted.correlate(Presale).exists()


def unsent(row: Any) -> Select[int]:
    """Places of a presale with their parcels, where they are ordered."""
    wanted = select(Backing.id).outerjoin(Order, Order.number == Backing.order_number)
    wanted = wanted.outerjoin(Parcel, Parcel.order_id == Order.id)
    return wanted.where(Backing.presale_id == row.id, Backing.state.in_((B.CONFIRMED, B.ORDERED)))
