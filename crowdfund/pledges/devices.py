"""A device's way: brought by the partner, checked, reserved for a confirmed pledge, sent, received at the station."""

from sqlalchemy import ColumnElement, case as whichever, or_, select
from sqlalchemy.orm import Session, aliased

from crowdfund.pledges import reminders, shelves
from crowdfund.pledges.models import Agreement, Assignment, ChildCase, Device, Pledge, Programme, Voucher
from crowdfund.pledges.refusals import NoDevice, WrongStation
from crowdfund.pledges.states import REPLACED, CaseState as C, DeviceState as D, PledgeState as P, VoucherState as V
from crowdfund.pledges.steps import changed, move
from marketplace.core import audit
from marketplace.core.errors import IllegalTransition, NotFound
from marketplace.core.transitions import subject_of


def get_device(session: Session, device: str) -> Device:
    found = session.scalar(select(Device).where(Device.public_id == device).with_for_update())
    if found is None:
        raise NotFound(device)
    return found


def receive(session: Session, *, device: str, actor: str) -> None:
    """The partner has brought it: one piece less is owed."""
    row = get_device(session, device)
    move(session, row, D.COMMITTED, D.RECEIVED, actor=actor, why="brought by the partner")
    where = shelves.committed(session.get_one(Agreement, row.agreement_id).public_id)
    shelves.carry(session, row, what=f"receive:{row.public_id}", from_=where, to=shelves.WAREHOUSE)
    changed(session)


def check(session: Session, *, device: str, actor: str) -> None:
    """Switched on, no location service, the right firmware."""
    move(session, get_device(session, device), D.RECEIVED, D.CHECKED, actor=actor, why="checked")


def wanting() -> ColumnElement[bool]:
    """Pledges that shall get a device: the bank has confirmed them, undisputed, or theirs was lost or faulty."""
    later = aliased(Assignment)
    another = select(later.id).where(later.pledge_id == Assignment.pledge_id, later.id > Assignment.id)
    replaced = select(Assignment.id).where(Assignment.pledge_id == Pledge.id, Assignment.released_for.in_(REPLACED))
    had_one = Pledge.state.in_((P.ALLOCATED, P.AT_STATION, P.HANDED_OVER, P.VERIFIED))
    disputed = select(Voucher.id).where(Voucher.id == Pledge.voucher_id, Voucher.state == V.DISPUTED)
    is_confirmed = (Pledge.state == P.CONFIRMED) & ~disputed.exists()
    return or_(is_confirmed, had_one & replaced.where(~another.exists()).exists())


def free_device(session: Session, programme: Programme, station: str) -> Device | None:
    """A device of the programme that nobody has: at the station already, on its way there, or checked; the oldest first."""
    standing = select(Assignment.id).where(Assignment.device_id == Device.id, Assignment.released_at.is_(None))
    is_near = Device.state.in_((D.AT_STATION, D.IN_TRANSIT)) & (Device.station_code == station)
    free = select(Device).where(Device.agreement_id == programme.agreement_id, or_(Device.state == D.CHECKED, is_near))
    nearest = whichever({D.AT_STATION: 0, D.IN_TRANSIT: 1}, value=Device.state, else_=2)
    one = free.where(~standing.exists()).order_by(nearest, Device.id).limit(1).with_for_update(skip_locked=True)
    while device := session.scalar(one):
        # whoever had it locked a moment ago may have reserved it: that can be seen only by asking again, now that we hold it
        if session.scalar(select(Assignment.id).where(Assignment.device_id == device.id, Assignment.released_at.is_(None))):
            continue
        return device
    return None


def assign(session: Session, *, pledge: str, actor: str) -> str:
    """Reserve a device for a pledge that waits for one; returns the device's public id.

    Raises NotFound, IllegalTransition for one that does not wait, NoDevice."""
    row = session.scalar(select(Pledge).where(Pledge.public_id == pledge).with_for_update())
    if row is None:
        raise NotFound(pledge)
    if session.scalar(select(Pledge.id).where(Pledge.id == row.id, wanting())) is None:
        raise IllegalTransition(pledge)
    case = session.get_one(ChildCase, row.case_id)
    device = free_device(session, session.get_one(Programme, row.programme_id), case.station_code)
    if device is None:
        raise NoDevice(pledge)
    assignment = Assignment(pledge_id=row.id, case_id=row.case_id, device_id=device.id)
    session.add(assignment)
    session.flush()
    if row.state is P.CONFIRMED:
        move(session, row, P.CONFIRMED, P.ALLOCATED, actor=actor, why="device reserved")
    else:
        audit.record(session, actor=actor, action="pledge.another_device", subject=subject_of(row), device=device.public_id)
    if device.state is D.AT_STATION:
        waits(session, assignment, row, case, actor=actor)
    changed(session)
    return device.public_id


def standing(session: Session, device: Device) -> tuple[Assignment, Pledge, ChildCase] | None:
    """For whom a device is."""
    wanted = (
        select(Assignment, Pledge, ChildCase)
        .join(Pledge, Pledge.id == Assignment.pledge_id)
        .join(ChildCase, ChildCase.id == Assignment.case_id)
        .where(Assignment.device_id == device.id, Assignment.released_at.is_(None))
    )
    found = session.execute(wanted.with_for_update(of=Pledge)).first()
    return (found[0], found[1], found[2]) if found else None


def reserved(session: Session, device: Device) -> tuple[Assignment, Pledge, ChildCase]:
    """For whom a device is. Raises NotFound for one that is for nobody."""
    found = standing(session, device)
    if found is None:
        raise NotFound(device.public_id)
    return found


def send(session: Session, *, device: str, actor: str) -> None:
    """On its way to the child's station."""
    row = get_device(session, device)
    assignment, _pledge, case = reserved(session, row)
    row.station_code = case.station_code
    move(session, row, D.CHECKED, D.IN_TRANSIT, actor=actor, why="sent", station=case.station_code)
    to = shelves.place_of(row)
    shelves.carry(session, row, what=f"send:{assignment.public_id}", from_=shelves.WAREHOUSE, to=to)


def arrive(session: Session, *, device: str, station: str, actor: str) -> None:
    """Received at the station it was sent to, even if its child was taken from the list meanwhile.

    Raises WrongStation at any other station: there it stays until somebody decides."""
    row = get_device(session, device)
    if row.station_code != station:
        raise WrongStation(device)
    on_the_way = shelves.place_of(row)
    move(session, row, D.IN_TRANSIT, D.AT_STATION, actor=actor, why="received", station=station)
    shelves.carry(session, row, what=f"arrive:{last_assignment(session, row)}", from_=on_the_way, to=shelves.place_of(row))
    found = standing(session, row)
    if found:
        waits(session, *found, actor=actor)


def last_assignment(session: Session, device: Device) -> str:
    """Of whoever it was for last: a device is sent, comes and goes once for each."""
    wanted = select(Assignment.public_id).where(Assignment.device_id == device.id).order_by(Assignment.id.desc())
    return session.scalars(wanted.limit(1)).one()


def waits(session: Session, assignment: Assignment, pledge: Pledge, case: ChildCase, *, actor: str) -> None:
    """It lies at the station for the child: from now on the days run in which the guardian may fetch it."""
    if pledge.state is P.ALLOCATED:
        move(session, pledge, P.ALLOCATED, P.AT_STATION, actor=actor, why="received", station=case.station_code)
        move(session, case, C.MATCHED, C.READY, actor=actor, why="received", station=case.station_code)
    reminders.ask_when_uncollected(session, assignment, session.get_one(Programme, pledge.programme_id))
