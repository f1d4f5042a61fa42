"""What the public pages of pledges show: only what is shown, a fixed number of statements."""

from datetime import date, datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from crowdfund.pledges.models import (
    Agreement,
    Assignment,
    ChildCase,
    ChildVault,
    Device,
    DeviceModel,
    Partner,
    Pledge,
    Programme,
    Voucher,
)
from crowdfund.pledges.states import REPLACED, CaseState, DeviceState, PledgeState
from crowdfund.pledges.steps import SAVER
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.ledger.models import LedgerAccount, Line


@record
class ShownProgramme:
    """A programme with its quota and what is owed, as everybody may see it."""

    code: str
    name_zh: str
    name_en: str
    partner_code: str
    partner_zh: str
    partner_en: str
    is_demo: bool
    charity_zh: str
    charity_en: str
    model_code: str
    model_zh: str
    model_en: str
    security_checked_on: date
    signed_on: date
    unit_value_fen: int
    minimum_band: str
    term_months: int
    claim_days: int
    hold_minutes: int
    pickup_days: int
    opens_on: date
    closes_on: date
    quota: int
    claimed: int
    debt: int  # promised and not brought: from the books
    handed_over: int  # devices that are a child's

    @property
    def brought(self) -> int:
        return self.quota - self.debt

    @property
    def left(self) -> int:
        return self.quota - self.claimed

    def is_open(self, today: date) -> bool:
        return self.opens_on <= today <= self.closes_on


def programmes(session: Session, code: str | None = None) -> list[ShownProgramme]:
    """All of them, those that opened last first: one statement."""
    owed = (
        select(LedgerAccount.owner, func.sum(Line.amount).label("pieces"))
        .join(Line, Line.account_id == LedgerAccount.id)
        .where(LedgerAccount.kind == "partner_committed")
        .group_by(LedgerAccount.owner)
        .subquery()
    )
    given = (
        select(Device.agreement_id, func.count().label("pieces"))
        .where(Device.state == DeviceState.HANDED_OVER)
        .group_by(Device.agreement_id)
        .subquery()
    )
    wanted = (
        select(Programme.code, Programme.name_zh, Programme.name_en, Partner.code, Partner.name_zh, Partner.name_en)
        .add_columns(Partner.is_demo, Agreement.charity_zh, Agreement.charity_en, DeviceModel.code, DeviceModel.name_zh)
        .add_columns(DeviceModel.name_en, DeviceModel.security_checked_on, Agreement.signed_on, Agreement.unit_value_fen)
        .add_columns(Programme.minimum_band, Programme.term_months, Programme.claim_days, Programme.hold_minutes)
        .add_columns(Programme.pickup_days, Programme.opens_on, Programme.closes_on, Programme.quota, Programme.claimed)
        .add_columns(func.coalesce(owed.c.pieces, 0), func.coalesce(given.c.pieces, 0))
        .join(Agreement, Agreement.id == Programme.agreement_id)
        .join(Partner, Partner.code == Agreement.partner_code)
        .join(DeviceModel, DeviceModel.code == Agreement.model_code)
        .outerjoin(owed, owed.c.owner == Agreement.public_id)
        .outerjoin(given, given.c.agreement_id == Agreement.id)
        .order_by(Programme.opens_on.desc(), Programme.code)
    )
    if code is not None:
        wanted = wanted.where(Programme.code == code)
    return [ShownProgramme(*row) for row in session.execute(wanted)]


@record
class Waiting:
    """Figures of the children, of whom nothing else is shown."""

    listed: int
    delivered: int


def waiting(session: Session) -> Waiting:
    done = ChildCase.state.in_((CaseState.DELIVERED, CaseState.CONFIRMED))
    counted = select(
        func.count(case((ChildCase.state == CaseState.LISTED, 1))),
        func.count(case((done, 1))),
    )
    return Waiting(*session.execute(counted).one())


@record
class Tracking:
    """A pledge as its saver follows it. Of the device nothing but its model and where it has come."""

    pledge: Pledge
    voucher: Voucher
    programme: ShownProgramme
    times: dict[str, datetime]  # step -> when
    device: DeviceState | None  # the one that was reserved last
    gets_another: bool  # that one was lost or faulty, or another in its place is not there yet
    is_given_back: bool  # by the saver
    is_card_down: bool  # the guardian has withdrawn, or the child has left the list: nothing of it is shown any more

    @property
    def is_sent(self) -> bool:
        return self.device not in {None, DeviceState.CHECKED}


def tracking(session: Session, pledge: Pledge) -> Tracking:
    """Six statements."""
    voucher = session.get_one(Voucher, pledge.voucher_id)
    code = session.scalars(select(Programme.code).where(Programme.id == pledge.programme_id)).one()
    wanted = (
        select(Device.public_id, Device.state, Assignment.released_for, func.count().over().label("devices"))
        .join(Assignment, Assignment.device_id == Device.id)
        .where(Assignment.pledge_id == pledge.id)
    )
    device = session.execute(wanted.order_by(Assignment.id.desc()).limit(1)).first()
    times = {"taken": pledge.created_at}
    if pledge.declared_at:
        times["chosen"] = pledge.declared_at
    named = {
        PledgeState.CONFIRMED: "confirmed",
        PledgeState.ALLOCATED: "reserved",
        PledgeState.AT_STATION: "at_station",
        PledgeState.HANDED_OVER: "handed_over",
        PledgeState.VERIFIED: "first_call",
    }
    subjects = [f"pledge:{pledge.public_id}", *([f"device:{device.public_id}"] if device else [])]
    events = select(EventRow.subject, EventRow.to_state, EventRow.at, EventRow.actor).where(EventRow.subject.in_(subjects))
    actor = ""
    for subject, state, at, by in session.execute(events.order_by(EventRow.id)):
        actor = by if subject.startswith("pledge:") else actor
        if subject.startswith("pledge:") and state in named:
            times[named[PledgeState(state)]] = at
        elif subject.startswith("device:") and state == DeviceState.IN_TRANSIT:
            times["on_its_way"] = at
    return Tracking(
        pledge,
        voucher,
        programmes(session, code)[0],
        times,
        device.state if device else None,
        device is not None and gets_another(pledge, *device[1:]),
        pledge.state in {PledgeState.CANCELLED, PledgeState.REVOKED} and actor == SAVER,
        session.scalar(select(ChildVault.destroyed_at).where(ChildVault.case_id == pledge.case_id)) is not None,
    )


def gets_another(pledge: Pledge, device: DeviceState, released_for: str | None, devices: int) -> bool:
    """Between the moment its device was lost or faulty and the next one in the guardian's hands."""
    if released_for is not None:
        return released_for in REPLACED
    there = DeviceState.AT_STATION if pledge.state is PledgeState.AT_STATION else DeviceState.HANDED_OVER
    return devices > 1 and device in {DeviceState.CHECKED, DeviceState.IN_TRANSIT, DeviceState.AT_STATION} - {there}
