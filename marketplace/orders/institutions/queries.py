"""What pages of institutions show: a fixed number of statements each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.orders import remaining
from marketplace.orders.institutions.checking import ARRIVED
from marketplace.orders.institutions.models import (
    AccountOrder,
    AccountStatement,
    BillCredit,
    GoodsCheck,
    GoodsCheckLine,
    Institution,
    InstitutionMember,
    StatementLine,
)
from marketplace.orders.institutions.states import CheckState, InstitutionState
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.remaining import LineLeft
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.stations.models import Station

LONGEST: Final = 100
TO_CHECK: Final = (*sorted(ARRIVED), S.SHIPPED)


@dataclass(frozen=True)
class Member:
    public_id: str
    name: str
    role: str


def of_person(session: Session, person_id: int) -> Sequence[Institution]:
    """Those that a person acts for."""
    mine = select(Institution).join(InstitutionMember, InstitutionMember.institution_id == Institution.id)
    return session.scalars(mine.where(InstitutionMember.person_id == person_id).order_by(Institution.id)).all()


def open_to(session: Session, person_id: int | None) -> Sequence[Institution]:
    """Those on whose account a person may order now."""
    if person_id is None:
        return ()
    mine = select(Institution).join(InstitutionMember, InstitutionMember.institution_id == Institution.id)
    mine = mine.where(InstitutionMember.person_id == person_id, Institution.state == InstitutionState.ACTIVE)
    return session.scalars(mine.order_by(Institution.id)).all()


def role_of(session: Session, institution: int, person_id: int) -> str:
    member = session.get(InstitutionMember, (institution, person_id))
    return member.role if member else ""


def members(session: Session, institution: int) -> list[Member]:
    wanted = select(Person, InstitutionMember.role).join(InstitutionMember, InstitutionMember.person_id == Person.id)
    found = session.execute(wanted.where(InstitutionMember.institution_id == institution).order_by(Person.id))
    return [Member(person.public_id, person.name or "", role) for person, role in found]


def everybody(session: Session) -> Sequence[Institution]:
    """For the province: who waits for an answer first."""
    applied = Institution.state != InstitutionState.APPLIED
    return session.scalars(select(Institution).order_by(applied, Institution.id.desc()).limit(LONGEST)).all()


def one(session: Session, institution: str) -> Institution:
    """For the province. Raises NotFound."""
    found = session.scalar(select(Institution).where(Institution.public_id == institution))
    if found is None:
        raise NotFound(institution)
    return found


def statements_of(session: Session, institution: int) -> Sequence[AccountStatement]:
    mine = select(AccountStatement).where(AccountStatement.institution_id == institution)
    return session.scalars(mine.order_by(AccountStatement.period.desc()).limit(LONGEST)).all()


def statement_of(session: Session, institution: int, statement: str) -> AccountStatement:
    """Raises NotFound."""
    mine = select(AccountStatement).where(AccountStatement.institution_id == institution)
    found = session.scalar(mine.where(AccountStatement.public_id == statement))
    if found is None:
        raise NotFound(statement)
    return found


def parcels_under_way(session: Session, institution: int) -> Sequence[Any]:
    """Parcels of unpaid orders, those to be checked first: order, number, station, state, and the state of their check."""
    wanted: Columns = select(Parcel.public_id, Order.number.label("order"), Parcel.number, Parcel.state, Parcel.delivered_at)
    wanted = wanted.add_columns(Station.name_zh, Station.name_en, GoodsCheck.state.label("check"), Order.placed_at)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).join(AccountOrder, AccountOrder.order_id == Order.id)
    wanted = wanted.join(Station, Station.code == Parcel.station_code)
    wanted = wanted.outerjoin(GoodsCheck, GoodsCheck.parcel_id == Parcel.id)
    wanted = wanted.where(AccountOrder.institution_id == institution, Order.state == OrderState.PLACED_ON_ACCOUNT)
    wanted = wanted.where(AccountOrder.statement_id.is_(None))
    waits = GoodsCheck.id.is_(None) & Parcel.state.in_(sorted(ARRIVED))
    return session.execute(wanted.order_by(waits.desc(), Parcel.id.desc()).limit(LONGEST)).all()


def lines_of_statement(session: Session, statement: int) -> Sequence[Any]:
    """Each parcel: order, number, station, when it came, fen as billed."""
    wanted: Columns = select(Parcel.public_id, Order.number.label("order"), Parcel.number, Parcel.delivered_at)
    wanted = wanted.add_columns(Station.name_zh, Station.name_en, StatementLine.fen, Order.placed_at)
    wanted = wanted.join(StatementLine, StatementLine.parcel_id == Parcel.id).join(Order, Order.id == Parcel.order_id)
    wanted = wanted.join(Station, Station.code == Parcel.station_code).where(StatementLine.statement_id == statement)
    return session.execute(wanted.order_by(Order.id, Parcel.number)).all()


@dataclass(frozen=True)
class ShownClaim:
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    rejected: int
    grams: int | None
    reason: str


@dataclass(frozen=True)
class ShownCheck:
    public_id: str
    state: CheckState
    words: str
    answer: str
    checked_at: datetime
    order: str
    parcel: str
    number: int
    institution: str
    claims: tuple[ShownClaim, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.order}-{self.number}"


def checks(session: Session, *, station: str | None = None, parcel: str | None = None) -> list[ShownCheck]:
    """Claims at a station, those that wait first; or the check of one parcel. Two statements."""
    wanted: Columns = select(GoodsCheck.id, GoodsCheck.public_id, GoodsCheck.state, GoodsCheck.words, GoodsCheck.answer)
    wanted = wanted.add_columns(GoodsCheck.checked_at, Order.number.label("order"), Parcel.public_id.label("parcel"))
    wanted = wanted.add_columns(Parcel.number, Institution.name.label("institution"))
    wanted = wanted.join(Parcel, Parcel.id == GoodsCheck.parcel_id).join(Order, Order.id == Parcel.order_id)
    wanted = wanted.join(AccountOrder, AccountOrder.order_id == Order.id)
    wanted = wanted.join(Institution, Institution.id == AccountOrder.institution_id)
    if station is not None:
        wanted = wanted.where(Parcel.station_code == station, GoodsCheck.state != CheckState.ACCEPTED)
    if parcel is not None:
        wanted = wanted.where(Parcel.public_id == parcel)
    waits = GoodsCheck.state == CheckState.CLAIMED
    rows = session.execute(wanted.order_by(waits.desc(), GoodsCheck.id.desc()).limit(LONGEST)).all()
    claims = claims_of(session, [row.id for row in rows])
    return [replace(ShownCheck(*row[1:]), claims=tuple(claims.get(row.id, ()))) for row in rows]


def claims_of(session: Session, checked: Sequence[int]) -> dict[int, list[ShownClaim]]:
    wanted: Columns = select(GoodsCheckLine.check_id, OrderLine.title_zh, OrderLine.title_en)
    wanted = wanted.add_columns(OrderLine.unit_zh, OrderLine.unit_en, GoodsCheckLine.rejected_quantity)
    wanted = wanted.add_columns(GoodsCheckLine.grams, GoodsCheckLine.reason)
    wanted = wanted.join(OrderLine, OrderLine.id == GoodsCheckLine.order_line_id)
    found: dict[int, list[ShownClaim]] = {}
    for row in session.execute(wanted.where(GoodsCheckLine.check_id.in_(checked)).order_by(OrderLine.id)):
        found.setdefault(row.check_id, []).append(ShownClaim(*row[1:]))
    return found


def check_of_station(session: Session, check: str, station: str) -> ShownCheck:
    """Raises NotFound."""
    found = next((each for each in checks(session, station=station) if each.public_id == check), None)
    if found is None:
        raise NotFound(check)
    return found


def count_waiting(session: Session, station: str) -> int:
    """Claims that the station has not answered."""
    waiting = select(func.count()).select_from(GoodsCheck).join(Parcel, Parcel.id == GoodsCheck.parcel_id)
    return int(session.scalar(waiting.where(Parcel.station_code == station, GoodsCheck.state == CheckState.CLAIMED)) or 0)


def lines_to_check(session: Session, institution: int, parcel: str) -> tuple[Parcel, list[LineLeft]]:
    """A parcel of an unpaid order of this institution, and its lines. Raises NotFound."""
    wanted = select(Parcel).join(AccountOrder, AccountOrder.order_id == Parcel.order_id)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).where(Parcel.public_id == parcel)
    wanted = wanted.where(AccountOrder.institution_id == institution, Order.state == OrderState.PLACED_ON_ACCOUNT)
    row = session.scalar(wanted)
    if row is None:
        raise NotFound(parcel)
    return row, remaining.of(session, row)


def credits_of_order(session: Session, order: int) -> Sequence[Any]:
    """What came off its bill: title, packs, fen, reason; the first one first."""
    wanted: Columns = select(OrderLine.title_zh, OrderLine.title_en, BillCredit.quantity, BillCredit.reason)
    wanted = wanted.add_columns((BillCredit.goods_fen + BillCredit.shipping_fen).label("fen"))
    wanted = wanted.join(OrderLine, OrderLine.id == BillCredit.order_line_id)
    wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).where(Parcel.order_id == order)
    return session.execute(wanted.order_by(BillCredit.at, OrderLine.id)).all()


def of_order(session: Session, order: int) -> Institution | None:
    """On whose account it was placed; None for one that is paid at once."""
    wanted = select(Institution).join(AccountOrder, AccountOrder.institution_id == Institution.id)
    return session.scalar(wanted.where(AccountOrder.order_id == order))


def waiting_for_money(session: Session, kind: str, owner: str) -> int:
    """Fen of a seller or a station in parcels that came and that their institution has not paid: owed once it pays."""
    wanted = select(Parcel).join(Order, Order.id == Parcel.order_id).where(Order.state == OrderState.PLACED_ON_ACCOUNT)
    wanted = wanted.where(Parcel.state.in_(sorted(ARRIVED)))
    if kind == "seller":
        theirs = select(OrderLine.parcel_id).where(OrderLine.seller_public_id == owner)
        wanted = wanted.where(Parcel.id.in_(theirs))
    else:
        wanted = wanted.where(Parcel.station_code == owner)
    parcels = session.scalars(wanted).all()
    lines = remaining.of_parcels(session, [parcel.id for parcel in parcels]) if parcels else {}
    account = (f"{kind}_held", owner)
    return sum(
        remaining.shares((line.rest for line in lines[parcel.id]), parcel.station_code).get(account, 0) for parcel in parcels
    )
