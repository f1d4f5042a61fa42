"""What the desk shows of acts that do not fit."""

import json
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.records import record
from marketplace.orders.models import Order, Parcel
from marketplace.orders.offline import conflicts
from marketplace.orders.offline.applying import DETAILS
from marketplace.orders.offline.models import DeskAct
from marketplace.orders.offline.states import ActState, Decision, Problem
from marketplace.orders.states import ParcelState

MOST: Final = 100


@record
class ShownConflict:
    """`state`, `label`: of the parcel as it stands now; None and empty where there is no such parcel."""

    key: str
    step: str
    parcel: str
    label: str
    state: ParcelState | None
    problem: Problem
    who: str
    written_at: datetime
    """By our clock, as near as is known."""
    said: tuple[tuple[str, str], ...]
    """What the phone wrote, by field; never a code."""
    stands: tuple[tuple[str, str], ...]
    """What stands here of the same fields."""

    @property
    def choices(self) -> tuple[Decision, ...]:
        return conflicts.choices(self.problem, self.step, self.state)


def count_conflicts(session: Session, station: str) -> int:
    waiting = select(func.count()).where(DeskAct.station_code == station, DeskAct.state == ActState.CONFLICT)
    return int(session.scalar(waiting) or 0)


def conflicts_of(session: Session, station: str) -> list[ShownConflict]:
    """Oldest first, one statement."""
    wanted = (
        select(DeskAct, Person.name, Parcel, Order.number)
        .join(Person, Person.id == DeskAct.person_id)
        .outerjoin(Parcel, (Parcel.public_id == DeskAct.parcel) & (Parcel.station_code == DeskAct.station_code))
        .outerjoin(Order, Order.id == Parcel.order_id)
        .where(DeskAct.station_code == station, DeskAct.state == ActState.CONFLICT)
        .order_by(DeskAct.received_at, DeskAct.sequence, DeskAct.id)
    )
    return [shown(*row) for row in session.execute(wanted.limit(MOST))]


def shown(act: DeskAct, who: str, parcel: Parcel | None, number: str | None) -> ShownConflict:
    entered = json.loads(act.entered)
    said = {name: entered[name] for name in DETAILS if name in entered}
    return ShownConflict(
        key=act.client_key,
        step=act.step,
        parcel=act.parcel,
        label=f"{number}-{parcel.number}" if parcel else "",
        state=parcel.state if parcel else None,
        problem=Problem(act.problem),
        who=who,
        written_at=conflicts.estimated(act),
        said=tuple(said.items()),
        stands=tuple((name, getattr(parcel, name)) for name in said) if parcel else (),
    )
