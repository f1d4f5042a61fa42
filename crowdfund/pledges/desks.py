"""What the people who work on pledges see: banks, children's officers, the programme office, stations."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import case as whichever, func, literal, or_, select
from sqlalchemy.orm import Session

from crowdfund.pledges.children import Officer
from crowdfund.pledges.devices import wanting
from crowdfund.pledges.models import (
    Assignment,
    ChildCase,
    ChildVault,
    Consent,
    Device,
    Partner,
    Pledge,
    Programme,
    Voucher,
)
from crowdfund.pledges.reminders import RELATED
from crowdfund.pledges.states import CaseState, DeviceState as D, PledgeState as P, VoucherState as V
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.forms import tidy
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.stations.models import County, Station

LONGEST = 200
REMEMBERED = timedelta(days=30)  # so long the bank finds again what it took back


@record
class BankWork:
    """A pledge as its bank sees it: the voucher, and the card's words; nothing else of the child, nothing of the saver."""

    pledge: Pledge
    voucher: Voucher
    programme: Programme


def of_bank(session: Session, bank: str, pledge: str | None = None) -> list[BankWork]:
    """What waits for the bank first, then what it has confirmed and may still take back, then what it took back lately."""
    wanted = (
        select(Pledge, Voucher, Programme)
        .join(Voucher, Voucher.id == Pledge.voucher_id)
        .join(Programme, Programme.id == Pledge.programme_id)
        .where(Voucher.bank_code == bank)
    )
    if pledge is None:
        lately = (Pledge.state == P.REVOKED) & (Pledge.created_at > clock.now() - REMEMBERED)
        wanted = wanted.where(Pledge.state.in_((P.PROVISIONAL, P.ON_HOLD, P.CONFIRMED)) | lately)
    else:
        wanted = wanted.where(Pledge.public_id == pledge)
    urgency = whichever({P.PROVISIONAL: 0, P.ON_HOLD: 1, P.CONFIRMED: 2}, value=Pledge.state, else_=3)
    rows = session.execute(wanted.order_by(urgency, Pledge.id).limit(LONGEST))
    return [BankWork(*row) for row in rows]


def bank_name(session: Session, bank: str) -> Partner:
    found = session.get(Partner, bank)
    if found is None:
        raise NotFound(bank)
    return found


@record
class CaseRow:
    case: ChildCase
    county_zh: str
    county_en: str


def cases(session: Session, officer: Officer, states: Sequence[CaseState] | None = None) -> list[CaseRow]:
    """The cases that an officer reaches, without anything from the vault."""
    wanted = select(ChildCase, County.name_zh, County.name_en).join(County, County.code == ChildCase.county_code)
    if not officer.reaches_all:
        wanted = wanted.where(ChildCase.county_code.in_(officer.counties))
    if states is not None:
        wanted = wanted.where(ChildCase.state.in_(states))
    return [CaseRow(*row) for row in session.execute(wanted.order_by(ChildCase.id.desc()).limit(LONGEST))]


def case_row(session: Session, officer: Officer, case: str) -> CaseRow:
    wanted = select(ChildCase, County.name_zh, County.name_en).join(County, County.code == ChildCase.county_code)
    found = session.execute(wanted.where(ChildCase.public_id == case)).first()
    if found is None or not officer.reaches(found[0].county_code):
        raise NotFound(case)
    return CaseRow(*found)


@record
class Overdue:
    """A device that the guardian should have fetched by now."""

    case: ChildCase
    since: datetime | None


def overdue(session: Session, officer: Officer) -> list[Overdue]:
    """What still lies at a station after its last day, the longest first."""
    wanted = (
        select(ChildCase, Assignment.overdue_at)
        .join(Assignment, Assignment.case_id == ChildCase.id)
        .join(Device, Device.id == Assignment.device_id)
        .where(Assignment.overdue_at.is_not(None), Assignment.released_at.is_(None), Device.state == D.AT_STATION)
    )
    if not officer.reaches_all:
        wanted = wanted.where(ChildCase.county_code.in_(officer.counties))
    return [Overdue(*row) for row in session.execute(wanted.order_by(Assignment.overdue_at, Assignment.id).limit(LONGEST))]


def has_waiting_device(session: Session, case: ChildCase) -> bool:
    """A device lies at the station for this child."""
    wanted = select(Device.id).join(Assignment, Assignment.device_id == Device.id)
    wanted = wanted.where(Assignment.case_id == case.id, Assignment.released_at.is_(None), Device.state == D.AT_STATION)
    return session.scalar(wanted) is not None


def consents(session: Session, case: ChildCase) -> list[Consent]:
    return list(session.scalars(select(Consent).where(Consent.case_id == case.id).order_by(Consent.id)))


@record
class Disputed:
    """A voucher of which somebody says that the bank's word was wrong, and why."""

    voucher: Voucher
    partner: Partner
    why: str


def disputed(session: Session) -> list[Disputed]:
    """The longest first."""
    last = select(func.max(EventRow.id)).where(EventRow.to_state == V.DISPUTED).group_by(EventRow.subject)
    wanted = (
        select(Voucher, Partner, EventRow.why)
        .join(Partner, Partner.code == Voucher.bank_code)
        .join(EventRow, EventRow.subject == literal("voucher:") + Voucher.public_id)
        .where(Voucher.state == V.DISPUTED, EventRow.id.in_(last))
    )
    return [Disputed(*row) for row in session.execute(wanted.order_by(EventRow.id).limit(LONGEST))]


@record
class Office:
    """The programme office's day."""

    to_assign: list[Pledge]  # confirmed, or in need of another device
    to_decide: list[tuple[Pledge, str]]  # with what holds them up
    disputed: list[Disputed]
    to_send: list[tuple[Device, Station]]  # reserved and checked, with where each goes
    to_receive: list[Device]
    to_check: list[Device]
    counts: dict[D, int]


def office(session: Session) -> Office:
    """Seven statements."""
    same_phone = ChildVault.guardian_phone_hash == Pledge.saver_phone_hash
    same_identity = ChildVault.guardian_identity_hash == Voucher.saver_identity_hash  # which the bank may have said later
    held_up = (
        select(Pledge, whichever((same_phone | same_identity, RELATED), else_=EventRow.why))
        .join(Voucher, Voucher.id == Pledge.voucher_id)
        .join(ChildVault, ChildVault.case_id == Pledge.case_id)
        .join(EventRow, (EventRow.subject == literal("pledge:") + Pledge.public_id) & (EventRow.to_state == P.ON_HOLD))
        .where(Pledge.state == P.ON_HOLD)
        .order_by(Pledge.id)
    )
    sendable = (
        select(Device, Station)
        .join(Assignment, Assignment.device_id == Device.id)
        .join(ChildCase, ChildCase.id == Assignment.case_id)
        .join(Station, Station.code == ChildCase.station_code)
        .where(Device.state == D.CHECKED, Assignment.released_at.is_(None))
        .order_by(Assignment.id)
    )
    confirmed = select(Pledge).where(wanting()).order_by(Pledge.confirmed_at, Pledge.id)
    by_state = select(Device.state, func.count().label("devices")).group_by(Device.state)
    counted = {row.state: row.devices for row in session.execute(by_state)}
    return Office(
        list(session.scalars(confirmed.limit(LONGEST))),
        [(row[0], row[1]) for row in session.execute(held_up.limit(LONGEST))],
        disputed(session),
        [(row[0], row[1]) for row in session.execute(sendable.limit(LONGEST))],
        in_state(session, D.COMMITTED),
        in_state(session, D.RECEIVED),
        counted,
    )


def in_state(session: Session, state: D) -> list[Device]:
    return list(session.scalars(select(Device).where(Device.state == state).order_by(Device.id).limit(LONGEST)))


@record
class DeviceLife:
    """One device with everything that has happened to it, the latest first. For whom it is, only as an alias."""

    device: Device
    alias_zh: str | None
    alias_en: str | None
    station: Station | None
    events: Sequence[EventRow]


def device_life(session: Session, device: str) -> DeviceLife:
    wanted = (
        select(Device, ChildCase.alias_zh, ChildCase.alias_en, Station)
        .outerjoin(Assignment, (Assignment.device_id == Device.id) & Assignment.released_at.is_(None))
        .outerjoin(ChildCase, ChildCase.id == Assignment.case_id)
        .outerjoin(Station, Station.code == Device.station_code)
        .where(Device.public_id == device)
    )
    found = session.execute(wanted).first()
    if found is None:
        raise NotFound(device)
    events = select(EventRow).where(EventRow.subject == f"device:{device}").order_by(EventRow.id.desc())
    return DeviceLife(*found, session.scalars(events).all())


@record
class StationDevice:
    """A device at the desk of its station: for which alias, if for any, nothing else."""

    public_id: str
    imei: str
    model_code: str
    state: D
    alias_zh: str | None
    alias_en: str | None


def of_station(session: Session, station: str, device: str | None = None) -> list[StationDevice]:
    """On the way here, or here, or handed over here."""
    wanted = (
        select(Device.public_id, Device.imei, Device.model_code, Device.state, ChildCase.alias_zh, ChildCase.alias_en)
        .outerjoin(Assignment, (Assignment.device_id == Device.id) & Assignment.released_at.is_(None))
        .outerjoin(ChildCase, ChildCase.id == Assignment.case_id)
        .where(Device.station_code == station)
    )
    if device is None:
        wanted = wanted.where(Device.state.in_((D.IN_TRANSIT, D.AT_STATION)))
    else:
        wanted = wanted.where(Device.public_id == device)
    return [StationDevice(*row) for row in session.execute(wanted.order_by(Device.state, Device.id).limit(LONGEST))]


def waiting_at(session: Session, station: str) -> int:
    """How many devices are on their way to this station, or lie there for somebody."""
    mine = select(func.count()).select_from(Device).where(Device.station_code == station)
    return session.scalars(mine.where(Device.state.in_((D.IN_TRANSIT, D.AT_STATION)))).one()


def find_device(session: Session, typed: str) -> str | None:
    """The device whose IMEI was scanned, wherever it should be: who has the wrong one in hand must be told so."""
    digits = "".join(letter for letter in tidy(typed) if letter.isascii() and letter.isdigit())
    return session.scalar(select(Device.public_id).where(or_(Device.imei == digits, Device.iccid == digits)))
