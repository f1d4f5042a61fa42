"""The harvest is in: places become orders, until all of it is sent, or the days of grace are over and the rest goes back."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales import drafting, grace, ordering, returning
from crowdfund.presales.backing import SYSTEM
from crowdfund.presales.models import Backing, Presale
from crowdfund.presales.states import BackingState as B, PresaleState as P
from marketplace.core import clock, outbox
from marketplace.core.errors import NotFound

ASKED: Final = "backing.asked"  # the outbox's topic: the harvest is in, and where to is not known


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
    is_over = clock.start_of(grace.last_day(row) + timedelta(days=1))
    outbox.put(session, returning.RETURNS, after=max(is_over - clock.now(), timedelta()), presale=row.public_id)
    silent = select(Backing.public_id).where(Backing.presale_id == row.id, Backing.state == B.CONFIRMED)
    silent = silent.where(Backing.answered_at.is_(None)).order_by(Backing.id)
    outbox.put_all(session, ASKED, [{"backing": backing} for backing in session.scalars(silent)])


def end_one_due(session: Session) -> bool:
    """The worker's: all of one is sent or given back, or something of it is too late; True if there was one."""
    delivering = select(Presale, grace.anything_unsent()).where(Presale.state == P.DELIVERING).order_by(Presale.id)
    for row, is_unsent in session.execute(delivering).all():
        if is_unsent and grace.last_day(row) >= clock.today():
            continue  # nothing to look at more closely: most of them, each turn
        if grace.too_late(session, row) or not grace.is_open(session, row):
            end(session, row.public_id)
            return True
    return False


def end(session: Session, presale: str) -> None:
    """What is too late goes back; whoever never said where to did not get it for that reason alone."""
    row = drafting.get(session, presale)
    if row.state is not P.DELIVERING:
        return
    missing = grace.too_late(session, row)
    if missing:
        drafting.move(session, row, P.DEFAULTED, SYSTEM, f"{missing} not sent in time")
    elif not grace.is_open(session, row):
        drafting.move(session, row, P.CLOSED, SYSTEM, "all of it is sent")
    outbox.put(session, returning.RETURNS, presale=presale)
