"""The harvest is in: places become orders, until all of it is sent, or the days of grace are over and the rest goes back."""

from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.presales import drafting, ordering, returning
from crowdfund.presales.backing import SYSTEM
from crowdfund.presales.models import Backing, Presale
from crowdfund.presales.states import BackingState as B, PresaleState as P
from marketplace.core import clock, outbox
from marketplace.core.errors import NotFound
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ParcelState as S

ASKED: Final = "backing.asked"  # the outbox's topic: the harvest is in, and where to is not known
NOT_SENT: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING, S.PACKED)


def begin(session: Session, *, presale: str, seller: int) -> None:
    """The seller says that the harvest is in. Raises NotFound, IllegalTransition, StaleState."""
    row = drafting.get(session, presale)
    if row.seller_id != seller:
        raise NotFound(presale)
    start(session, row, f"person:{seller}", "the harvest is in")


def begin_one_due(session: Session) -> bool:
    """The worker's: the day of the harvest has come; True if there was one."""
    due = select(Presale.public_id).where(Presale.state == P.SUCCESSFUL, Presale.harvest_on <= clock.today())
    found = session.scalar(due.order_by(Presale.id).limit(1))
    if found is not None:
        row = drafting.get(session, found)
        if row.state is P.SUCCESSFUL:
            start(session, row, SYSTEM, "the day of the harvest")
    return found is not None


def start(session: Session, row: Presale, actor: str, why: str) -> None:
    drafting.move(session, row, P.DELIVERING, actor, why)
    outbox.put(session, ordering.ORDERS, presale=row.public_id)
    silent = select(Backing.public_id).where(Backing.presale_id == row.id, Backing.state == B.CONFIRMED)
    silent = silent.where(Backing.answered_at.is_(None)).order_by(Backing.id)
    outbox.put_all(session, ASKED, [{"backing": backing} for backing in session.scalars(silent)])


def last_day(row: Any) -> date:
    """Of the grace after the harvest."""
    harvest_on: date = row.harvest_on
    return harvest_on + timedelta(days=row.grace_days)


def end_one_due(session: Session) -> bool:
    """The worker's: all of one is sent or given back, or its grace is over; True if there was one."""
    waits = select(Backing.id).where(Backing.presale_id == Presale.id, Backing.state == B.CONFIRMED)
    due = select(Presale.id, Presale.harvest_on, Presale.grace_days, (waits.exists() | unsent().exists()).label("is_open"))
    for found in session.execute(due.where(Presale.state == P.DELIVERING).order_by(Presale.id)):
        is_over = last_day(found) < clock.today()
        if is_over or not found.is_open:
            end(session, found.id)
            return True
    return False


def end(session: Session, presale: int) -> None:
    """What was not sent by now goes back; whoever never said where to did not get it for that reason alone."""
    row = drafting.get(session, session.scalars(select(Presale.public_id).where(Presale.id == presale)).one())
    if row.state is not P.DELIVERING:
        return
    answered = select(func.count(Backing.id)).where(Backing.presale_id == presale, Backing.state == B.CONFIRMED)
    missing = int(session.scalar(answered.where(Backing.answered_at.is_not(None))) or 0)
    missing += len(session.execute(unsent().where(Presale.id == presale)).all())
    if missing:
        drafting.move(session, row, P.DEFAULTED, SYSTEM, f"{missing} not sent in time")
    else:
        drafting.move(session, row, P.CLOSED, SYSTEM, "all of it is sent")
    outbox.put(session, returning.RETURNS, presale=row.public_id)


def unsent() -> Any:
    """SQL: places of a presale whose order's parcel has not left its station."""
    wanted = select(Backing.id).join(Order, Order.number == Backing.order_number)
    wanted = wanted.join(Parcel, Parcel.order_id == Order.id).where(Parcel.state.in_(NOT_SENT))
    return wanted.where(Backing.presale_id == Presale.id).correlate(Presale)
