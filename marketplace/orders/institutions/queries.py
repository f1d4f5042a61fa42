"""What pages of institutions show: a fixed number of statements each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.orders import remaining
from marketplace.orders.institutions.models import (
    AccountOrder,
    AccountStatement,
    BillCredit,
    GoodsCheck,
    Institution,
    InstitutionMember,
    StatementLine,
)
from marketplace.orders.institutions.states import InstitutionState
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import ARRIVED, OrderState
from marketplace.stations.models import Station

LONGEST: Final = 100


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


def whose_statements(session: Session, statements: Iterable[str]) -> dict[str, Any]:
    """By the statements' ids their institutions: public id and name. One statement."""
    wanted = select(AccountStatement.public_id.label("statement"), Institution.public_id, Institution.name)
    wanted = wanted.join(Institution, Institution.id == AccountStatement.institution_id)
    found = session.execute(wanted.where(AccountStatement.public_id.in_(sorted(set(statements)))))
    return {row.statement: row for row in found}


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


def credits_of_order(session: Session, order: int) -> Sequence[Any]:
    """What came off its bill: title, packs, fen, reason; the first one first. Not what would have cost nothing."""
    wanted: Columns = select(OrderLine.title_zh, OrderLine.title_en, BillCredit.quantity, BillCredit.reason)
    wanted = wanted.add_columns(BillCredit.fen().label("fen"))
    wanted = wanted.join(OrderLine, OrderLine.id == BillCredit.order_line_id)
    wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).where(Parcel.order_id == order, BillCredit.fen() > 0)
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
