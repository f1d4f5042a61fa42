"""Every step of a pledge: the state moves by compare-and-set, and the audit log keeps who, what and why."""

from enum import StrEnum

from sqlalchemy.orm import Session

from crowdfund.pledges.models import ChildCase, Device, Pledge, Voucher
from marketplace.core import audit, page_cache
from marketplace.core.transitions import leave_trace, subject_of, transition

Row = Voucher | ChildCase | Pledge | Device
SAVER = "saver"  # whom we do not know, as an actor
TAG = "pledges"  # of the pages that show quota, debt and how many wait


def move(
    session: Session, row: Row, here: StrEnum, there: StrEnum, *, actor: str, why: str, station: str | None = None
) -> None:
    """Raises IllegalTransition, StaleState."""
    transition(session, row, there, expected=here, actor=actor, why=why, station=station)
    audit.record(session, actor=actor, action=f"{row.__tablename__}.{there}", subject=subject_of(row), why=why)


def begin(session: Session, row: Row, *, actor: str, why: str) -> None:
    """The birth of a row, once it has its id."""
    session.add(row)
    session.flush()
    leave_trace(session, row, None, row.state, actor=actor, why=why)
    audit.record(session, actor=actor, action=f"{row.__tablename__}.{row.state}", subject=subject_of(row), why=why)


def changed(session: Session) -> None:
    """What everybody sees has changed: within two seconds the pages say so."""
    page_cache.expire(session, TAG)
