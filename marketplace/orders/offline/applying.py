"""What an act does to its parcel: the step it names, if it is the next; nothing, if that was done; else a person decides."""

import json
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import record
from marketplace.core.transitions import EventRow, transition, written_offline
from marketplace.orders import fulfilment
from marketplace.orders.models import Parcel
from marketplace.orders.offline.models import DeskAct
from marketplace.orders.offline.sent import understood
from marketplace.orders.offline.states import ActState as A, Problem
from marketplace.orders.offline.steps import PICKUP, STEPS
from marketplace.orders.states import FINAL_PARCEL
from marketplace.payments.disputes.standing import PaymentIsDisputed

PROBLEMS: Final[dict[type[Refusal], Problem]] = {
    fulfilment.WrongPickupCode: Problem.WRONG_CODE,
    PaymentIsDisputed: Problem.DISPUTED,
}
DETAILS: Final = ("shelf", "carrier", "tracking_number")
"""What a step may say of the parcel that another phone may have said otherwise."""


@record
class Verdict:
    state: A
    problem: Problem | None = None


def apply(session: Session, act: DeskAct) -> Verdict:
    """Take the act's step if it is the parcel's next, and say in its state what became of it. It never raises a refusal:
    what the desk would refuse becomes a conflict, with nothing of it done."""
    verdict = judge(session, act)
    if verdict.state is not act.state:
        move(session, act, verdict)
    return verdict


def judge(session: Session, act: DeskAct) -> Verdict:
    entered = understood(act.step, json.loads(act.entered))
    if entered is None:
        return Verdict(A.CONFLICT, Problem.NOT_UNDERSTOOD)
    try:
        parcel = fulfilment.get_parcel(session, act.parcel, station=act.station_code)
    except NotFound:
        return Verdict(A.CONFLICT, Problem.NO_SUCH_PARCEL)
    taken = steps_taken(session, act.parcel)
    if act.after > len(taken):
        is_over = parcel.state in FINAL_PARCEL  # it takes no step any more that the act could wait for
        return Verdict(A.CONFLICT, Problem.WENT_OTHERWISE) if is_over else Verdict(A.WAITING)
    if act.after < len(taken):
        return compare(act, parcel, entered, taken[act.after])
    return take(session, act, entered)


def steps_taken(session: Session, parcel: str) -> list[tuple[str, str]]:
    """From and to of every step since the parcel was born, in order. To be asked while its order is locked."""
    walked = select(EventRow.from_state, EventRow.to_state).where(EventRow.subject == f"parcel:{parcel}")
    return [(here, there) for here, there in session.execute(walked.where(EventRow.from_state != "").order_by(EventRow.id))]


def compare(act: DeskAct, parcel: Parcel, entered: dict[str, Any], done: tuple[str, str]) -> Verdict:
    """At the act's place the parcel has taken a step already: the same one, or another."""
    step = STEPS[act.step]
    if done != (step.here.value, step.there.value):
        return Verdict(A.CONFLICT, Problem.WENT_OTHERWISE)
    if act.step == PICKUP:
        return Verdict(A.CONFLICT, Problem.HANDED_OVER_TWICE)
    if any(getattr(parcel, name) != entered[name] for name in DETAILS if name in entered):
        return Verdict(A.CONFLICT, Problem.OTHER_DETAILS)
    return Verdict(A.ALREADY_SO)


def take(session: Session, act: DeskAct, entered: dict[str, Any]) -> Verdict:
    """The desk's own command; a refusal undoes what it had begun and leaves the act."""
    given = {"parcel": act.parcel, "station": act.station_code, "actor": f"person:{act.person_id}", **entered}
    try:
        with session.begin_nested(), written_offline(act.client_at, act.client_key):
            STEPS[act.step].command(session, **given)
    except Refusal as refusal:
        return Verdict(A.CONFLICT, PROBLEMS.get(type(refusal), Problem.NOT_POSSIBLE))
    return Verdict(A.APPLIED)


def move(session: Session, act: DeskAct, verdict: Verdict, *, actor: str = "system", why: str = "", **also: Any) -> None:
    if verdict.problem:
        also = {**also, "problem": verdict.problem.value}
    told: dict[str, Any] = {"actor": actor, "why": why or verdict.problem or act.step, "station": act.station_code}
    transition(session, act, verdict.state, expected=act.state, **told, **also)
