"""The last day of a presale is over: payments that were under way are waited for, then it succeeds or fails.

Safe to be called early, late and twice: the worker looks every minute."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.presales import drafting, releasing, returning
from crowdfund.presales.backing import LAPSES, SYSTEM
from crowdfund.presales.models import Backing, Presale
from crowdfund.presales.states import BackingState as B, PresaleState as P
from marketplace.core import clock, outbox

PATIENCE: Final = timedelta(days=2)  # for payments under way; what comes after that goes back by itself


def close_one_due(session: Session) -> bool:
    """The worker's: the last day of one is over; True if there was one. Gateways are asked about what is not paid yet."""
    due = select(Presale.public_id).where(Presale.state == P.LIVE, Presale.closes_on < clock.today())
    found = session.scalar(due.order_by(Presale.id).limit(1))
    if found is None:
        return False
    row = drafting.get(session, found)
    if row.state is P.LIVE and row.closes_on < clock.today():
        drafting.move(session, row, P.WAITING_FUNDS, SYSTEM, "its last day is over")
        held = select(Backing.public_id).where(Backing.presale_id == row.id, Backing.state == B.HELD).order_by(Backing.id)
        outbox.put_all(session, LAPSES, [{"backing": backing} for backing in session.scalars(held)])
    return True


def decide_one_due(session: Session) -> bool:
    """The worker's: one of which nothing is under way any more, or for which nobody waits longer; True if there was one."""
    is_held = select(Backing.id).where(Backing.presale_id == Presale.id, Backing.state == B.HELD).exists()
    too_long = clock.local(clock.now() - PATIENCE).date()
    due = select(Presale.public_id).where(Presale.state == P.WAITING_FUNDS, ~is_held | (Presale.closes_on < too_long))
    found = session.scalar(due.order_by(Presale.id).limit(1))
    if found is None:
        return False
    decide(session, drafting.get(session, found))
    return True


def decide(session: Session, row: Presale) -> None:
    """Of a locked presale: nobody's money is confirmed meanwhile."""
    if row.state is not P.WAITING_FUNDS:
        return
    fen = confirmed_fen(session, row)
    row.decided_at = clock.now()
    session.flush()
    why = f"{fen} of {row.goal_fen} fen"
    if fen >= row.goal_fen:
        drafting.move(session, row, P.SUCCESSFUL, SYSTEM, why)
        releasing.release_start(session, row)
    else:
        drafting.move(session, row, P.FAILED, SYSTEM, why)
        outbox.put(session, returning.RETURNS, presale=row.public_id)


def confirmed_fen(session: Session, row: Presale) -> int:
    paid = select(func.sum(Backing.fen)).where(Backing.presale_id == row.id, Backing.state == B.CONFIRMED)
    return int(session.scalar(paid) or 0)
