"""A device's way: brought by the partner, checked, reserved for a confirmed pledge, sent, received at the station."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges import shelves
from crowdfund.pledges.models import Agreement, Assignment, ChildCase, Device, Pledge, Programme
from crowdfund.pledges.refusals import NoDevice, WrongStation
from crowdfund.pledges.states import CaseState as C, DeviceState as D, PledgeState as P
from crowdfund.pledges.steps import changed, move
from marketplace.core.errors import IllegalTransition, NotFound
from marketplace.ledger.books import Account


def get_device(session: Session, device: str) -> Device:
    found = session.scalar(select(Device).where(Device.public_id == device).with_for_update())
    if found is None:
        raise NotFound(device)
    return found


def receive(session: Session, *, device: str, actor: str) -> None:
    """The partner has brought it: one piece less is owed."""
    row = get_device(session, device)
    move(session, row, D.COMMITTED, D.RECEIVED, actor=actor, why="brought by the partner")
    agreement = session.get_one(Agreement, row.agreement_id)
    where = shelves.committed(agreement.public_id)
    shelves.carry(session, row, what=f"receive:{row.public_id}", from_=where, to=shelves.WAREHOUSE)
    changed(session)


def check(session: Session, *, device: str, actor: str) -> None:
    """Switched on, no location service, the right firmware."""
    move(session, get_device(session, device), D.RECEIVED, D.CHECKED, actor=actor, why="checked")


def free_device(session: Session, programme: Programme) -> Device | None:
    """A checked device of the programme that nobody has yet, the oldest first. Two who ask at once get two devices."""
    taken = select(Assignment.id).where(Assignment.device_id == Device.id, Assignment.released_at.is_(None))
    free = select(Device).where(Device.agreement_id == programme.agreement_id, Device.state == D.CHECKED, ~taken.exists())
    return session.scalar(free.order_by(Device.id).limit(1).with_for_update(skip_locked=True))


def assign(session: Session, *, pledge: str, actor: str) -> str:
    """Reserve a device for a confirmed pledge; returns the device's public id. Raises NotFound, NoDevice."""
    row = session.scalar(select(Pledge).where(Pledge.public_id == pledge).with_for_update())
    if row is None:
        raise NotFound(pledge)
    if row.state is not P.CONFIRMED:
        raise IllegalTransition(pledge)
    device = free_device(session, session.get_one(Programme, row.programme_id))
    if device is None:
        raise NoDevice(pledge)
    session.add(Assignment(pledge_id=row.id, case_id=row.case_id, device_id=device.id))
    session.flush()
    move(session, row, P.CONFIRMED, P.ALLOCATED, actor=actor, why="device reserved")
    changed(session)
    return device.public_id


def reserved(session: Session, device: Device) -> tuple[Assignment, Pledge, ChildCase]:
    """For whom a device is. Raises NotFound for one that is for nobody."""
    wanted = (
        select(Assignment, Pledge, ChildCase)
        .join(Pledge, Pledge.id == Assignment.pledge_id)
        .join(ChildCase, ChildCase.id == Assignment.case_id)
        .where(Assignment.device_id == device.id, Assignment.released_at.is_(None))
    )
    found = session.execute(wanted.with_for_update(of=Pledge)).first()
    if found is None:
        raise NotFound(device.public_id)
    return found[0], found[1], found[2]


def send(session: Session, *, device: str, actor: str) -> None:
    """On its way to the child's station."""
    row = get_device(session, device)
    assignment, _pledge, case = reserved(session, row)
    move(session, row, D.CHECKED, D.IN_TRANSIT, actor=actor, why="sent", station=case.station_code)
    to = on_the_way(case.station_code)
    shelves.carry(session, row, what=f"send:{assignment.public_id}", from_=shelves.WAREHOUSE, to=to)


def on_the_way(station: str) -> Account:
    return "device_in_transit", station


def at_station(station: str) -> Account:
    return "device_station", station


def arrive(session: Session, *, device: str, station: str, actor: str) -> None:
    """Received at the station it was sent to. Raises WrongStation at any other: there it stays until somebody decides."""
    row = get_device(session, device)
    assignment, pledge, case = reserved(session, row)
    if case.station_code != station:
        raise WrongStation(device)
    move(session, row, D.IN_TRANSIT, D.AT_STATION, actor=actor, why="received", station=station)
    move(session, pledge, P.ALLOCATED, P.AT_STATION, actor=actor, why="received", station=station)
    move(session, case, C.MATCHED, C.READY, actor=actor, why="received", station=station)
    what = f"arrive:{assignment.public_id}"
    shelves.carry(session, row, what=what, from_=on_the_way(station), to=at_station(station))
