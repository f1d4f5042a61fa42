"""What goes wrong with devices: lost, faulty, given back. The child gets another; nothing is taken from the child."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crowdfund.pledges import shelves
from crowdfund.pledges.devices import get_device, last_assignment
from crowdfund.pledges.models import Agreement, Assignment, Device, Handover
from crowdfund.pledges.refusals import WrongStation
from crowdfund.pledges.states import DeviceState as D
from crowdfund.pledges.steps import changed, move
from marketplace.core import clock

REPLACED_WITHIN: Final = timedelta(days=7)
"""So long after the hand-over the programme replaces what is faulty, to the end of the day; later its maker does."""
TO: Final = {D.LOST: shelves.LOST, D.FAULTY: shelves.FAULTY}


def report(session: Session, *, device: str, there: D, actor: str, reason: str, station: str | None = None) -> None:
    """It was lost or is faulty. Whoever it was for waits for another one, and keeps child, step and place.

    `station`: the station that says so, which can speak of its own devices only. Raises WrongStation, IllegalTransition."""
    row = get_device(session, device)
    if station is not None and row.station_code != station:
        raise WrongStation(device)
    is_replaced = row.state is not D.HANDED_OVER or is_young(session, row)
    where = shelves.place_of(row)
    move(session, row, row.state, there, actor=actor, why=reason, station=station)
    shelves.carry(session, row, what=f"{there}:{row.public_id}", from_=where, to=TO[there])
    if is_replaced:
        release(session, row, there)
    changed(session)


def is_young(session: Session, device: Device) -> bool:
    """It was handed over no more than seven days ago."""
    wanted = select(func.max(Handover.at)).join(Assignment, Assignment.id == Handover.assignment_id)
    at = session.scalar(wanted.where(Assignment.device_id == device.id, Assignment.released_at.is_(None)))
    return at is not None and clock.today() <= clock.local(at).date() + REPLACED_WITHIN


def release(session: Session, device: Device, became: D) -> None:
    """It is no longer for whoever it was for; a code that the guardian still has opens nothing any more."""
    standing = update(Assignment).where(Assignment.device_id == device.id, Assignment.released_at.is_(None))
    gone = {"released_at": clock.now(), "released_for": became.value, "code_fingerprint": None}
    session.execute(standing.values(gone))


def take_back(session: Session, *, device: str, actor: str, reason: str) -> None:
    """The family gives it back: into the warehouse, and to nobody before there is proof that it is empty."""
    row = get_device(session, device)
    where = shelves.place_of(row)
    move(session, row, D.HANDED_OVER, D.RETURNED, actor=actor, why=reason, station=row.station_code)
    what = f"return:{last_assignment(session, row)}"
    shelves.carry(session, row, what=what, from_=where, to=shelves.WAREHOUSE)
    release(session, row, D.RETURNED)
    row.station_code = row.wiping_proof = None
    changed(session)


def wiped(session: Session, *, device: str, actor: str, proof: str) -> None:
    """There is proof that nothing of the child is left on it: checked, and free for another."""
    row = get_device(session, device)
    row.wiping_proof = proof
    move(session, row, D.RETURNED, D.CHECKED, actor=actor, why=f"wiped: {proof}")


def send_back(session: Session, *, device: str, actor: str) -> None:
    """A faulty one goes back to its partner, who owes one more from now on."""
    row = get_device(session, device)
    move(session, row, D.FAULTY, D.REPLACED, actor=actor, why="sent back to the partner")
    owed = shelves.committed(session.get_one(Agreement, row.agreement_id).public_id)
    shelves.carry(session, row, what=f"replaced:{row.public_id}", from_=shelves.FAULTY, to=owed)
    changed(session)
