"""What a person decides about an act that did not fit: let it be, take its step now, or believe what its phone wrote."""

import json
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import written_offline
from marketplace.orders import fulfilment
from marketplace.orders.models import Parcel
from marketplace.orders.offline import applying, syncing
from marketplace.orders.offline.applying import DETAILS, Verdict
from marketplace.orders.offline.models import DeskAct
from marketplace.orders.offline.sent import understood
from marketplace.orders.offline.states import ActState as A, Decision, Problem
from marketplace.orders.offline.steps import STEPS
from marketplace.orders.states import ParcelState

LEADS_TO = {Decision.LEAVE: A.DISMISSED, Decision.AGAIN: A.APPLIED, Decision.MINE: A.CORRECTED}


class NotOffered(Refusal):
    message = _l("This cannot be chosen here any more. Please look again.")


def choices(problem: str, step: str, state: ParcelState | None) -> tuple[Decision, ...]:
    """What can be decided, as the parcel stands now; `state` is None where there is no such parcel."""
    if problem == Problem.OTHER_DETAILS:
        return (Decision.LEAVE, Decision.MINE)
    can_be_taken = step in STEPS and STEPS[step].here is state
    never = {Problem.WRONG_CODE, Problem.NOT_UNDERSTOOD}
    return (Decision.AGAIN, Decision.LEAVE) if can_be_taken and problem not in never else (Decision.LEAVE,)


def decide(session: Session, *, act: str, station: str, person_id: int, decision: Decision, note: str) -> str:
    """Carry out what a person decided; returns the parcel's public id, so that acts waiting for it go on.

    Raises NotFound for another station's, StaleState where it is decided, NotOffered, and what the step itself raises."""
    row = session.scalar(select(DeskAct).where(DeskAct.client_key == act, DeskAct.station_code == station).with_for_update())
    if row is None:
        raise NotFound(act)
    if row.state is not A.CONFLICT:
        raise StaleState(act)
    if decision not in choices(row.problem, row.step, state_of(session, row)):
        raise NotOffered(act)
    actor, problem = f"person:{person_id}", row.problem
    if decision is Decision.AGAIN:
        take_again(session, row, actor)
    elif decision is Decision.MINE:
        correct(session, row, actor)
    else:
        give_up_followers(session, row)
    decided = {"decided_by": person_id, "decided_at": clock.now()}
    applying.move(session, row, Verdict(LEADS_TO[decision]), actor=actor, why=note or decision, **decided)
    told = {"actor": actor, "action": "desk_act.decided", "subject": f"desk_act:{row.client_key}", "why": note}
    audit.record(session, **told, decision=decision.value, problem=problem, parcel=row.parcel, step=row.step)
    return row.parcel


def estimated(act: DeskAct) -> datetime:
    """When it was done by our clock, never later than it came: the phone's clock may have gone anyhow."""
    try:
        moment = act.client_at + timedelta(milliseconds=act.offset_milliseconds)
    except OverflowError:
        return act.received_at
    return min(moment, act.received_at)


def state_of(session: Session, act: DeskAct) -> ParcelState | None:
    mine = select(Parcel.state).where(Parcel.public_id == act.parcel, Parcel.station_code == act.station_code)
    return session.scalar(mine)


def take_again(session: Session, act: DeskAct, actor: str) -> None:
    """The step, by the desk's own command; the trace keeps the phone's time and key."""
    entered = understood(act.step, json.loads(act.entered))
    if entered is None:
        raise NotOffered(act.client_key)
    with written_offline(act.client_at, act.client_key):
        given = {"parcel": act.parcel, "station": act.station_code, "actor": actor}
        STEPS[act.step].command(session, **given, **entered)


def correct(session: Session, act: DeskAct, actor: str) -> None:
    """Shelf or courier are what the phone wrote; what stood there before is kept in the audit log."""
    parcel = fulfilment.get_parcel(session, act.parcel, station=act.station_code)
    entered = understood(act.step, json.loads(act.entered)) or {}
    changed = {name: str(entered[name]) for name in DETAILS if name in entered}
    before = {f"{name}_before": str(getattr(parcel, name)) for name in changed}
    for name, value in changed.items():
        setattr(parcel, name, value)
    told = {"actor": actor, "action": "parcel.corrected", "subject": f"parcel:{parcel.public_id}"}
    audit.record(session, **told, **changed, **before)


def give_up_followers(session: Session, act: DeskAct) -> None:
    """What the same phone wrote after it on this parcel waits for nothing any more."""
    later = select(DeskAct.client_key).where(DeskAct.client_id == act.client_id, DeskAct.parcel == act.parcel)
    for key in session.scalars(later.where(DeskAct.state == A.WAITING, DeskAct.after > act.after)).all():
        syncing.give_up(session, key=key, problem=Problem.FOLLOWS_DISMISSED)
