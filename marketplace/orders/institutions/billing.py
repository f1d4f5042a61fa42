"""One statement a month for each institution, of the orders all of whose parcels were checked before its day.

An order comes whole onto one statement. Made by the worker; late runs make what is missing, and no month is billed twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import clock, ids, outbox
from marketplace.core.db import add_row, add_rows
from marketplace.core.transitions import leave_trace, transition
from marketplace.orders import fulfilment, remaining, repaying, settlement
from marketplace.orders.institutions.models import (
    AccountOrder,
    AccountStatement,
    GoodsCheck,
    Institution,
    StatementLine,
)
from marketplace.orders.institutions.states import CheckState, StatementState
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ARRIVED, FINAL_PARCEL, OrderState
from marketplace.payments.gateways import current_book

ISSUED, OVERDUE = "statement.issued", "statement.overdue"  # the outbox's topics
MONTH: Final = "%Y-%m"
CREDITED_WHOLLY: Final = "everything was credited"


def bill_due(session: Session) -> bool:
    """The worker's step: one statement that is due. True if there was one."""
    for institution, day, first in waiting(session):
        for period in periods(first, day, clock.today()):
            if bill(session, institution, period, day=day):
                return True
    return False


def waiting(session: Session) -> Sequence[tuple[int, int, datetime]]:
    """Institutions with orders on account that stand on no statement: their day, and when the first of these was placed."""
    wanted = select(Institution.id, Institution.statement_day, func.min(Order.placed_at))
    wanted = wanted.join(AccountOrder, AccountOrder.institution_id == Institution.id)
    wanted = wanted.join(Order, Order.id == AccountOrder.order_id).where(AccountOrder.statement_id.is_(None))
    wanted = wanted.where(Order.state == OrderState.PLACED_ON_ACCOUNT)
    rows = session.execute(wanted.group_by(Institution.id, Institution.statement_day).order_by(Institution.id))
    return [(row[0], row[1], row[2]) for row in rows]


def periods(since: datetime, day: int, today: date) -> list[date]:
    """The firsts of the months whose statement day has come since then, the earliest first."""
    month, found = clock.local(since).date().replace(day=1), list[date]()
    while month.replace(day=day) <= today:
        found.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    return found


def bill(session: Session, institution: int, period: date, *, day: int) -> str | None:
    """The statement of this month; returns its number, None where there is nothing to pay or it is there already.

    The institution's row is locked: two workers make one."""
    row = session.scalars(select(Institution).where(Institution.id == institution).with_for_update()).one()
    known = select(AccountStatement.id).where(AccountStatement.institution_id == institution)
    if session.scalar(known.where(AccountStatement.period == period)) is not None:
        return None
    orders = checked_orders(session, institution, before=clock.start_of(period.replace(day=day)))
    owed = owed_by_parcel(session, orders)
    if not owed:
        return None
    number, now = ids.statement_number(), clock.now()
    told = {"public_id": number, "institution_id": institution, "period": period, "book": current_book()}
    figures = {"total_fen": sum(owed.values()), "issued_at": now, "due_on": clock.today() + timedelta(days=row.days_to_pay)}
    statement = add_row(session, AccountStatement, {**told, **figures})
    add_rows(
        session, StatementLine, *({"parcel_id": each, "statement_id": statement, "fen": fen} for each, fen in owed.items())
    )
    for order in orders:
        session.get_one(AccountOrder, order).statement_id = statement
    mine = AccountStatement(public_id=number)
    leave_trace(session, mine, None, StatementState.OPEN, actor="system", why=period.strftime(MONTH))
    outbox.put(session, ISSUED, statement=number)
    return number


def checked_orders(session: Session, institution: int, *, before: datetime) -> list[int]:
    """Orders with every parcel over or checked, the last check before this moment; locked, in the order of their ids."""
    wanted = select(Order.id).join(AccountOrder, AccountOrder.order_id == Order.id)
    wanted = wanted.where(AccountOrder.institution_id == institution, AccountOrder.statement_id.is_(None))
    wanted = wanted.where(Order.state == OrderState.PLACED_ON_ACCOUNT).order_by(Order.id)
    candidates = session.scalars(wanted.with_for_update(of=Order)).all()
    unready = select(Parcel.order_id).outerjoin(GoodsCheck, GoodsCheck.parcel_id == Parcel.id)
    unready = unready.where(Parcel.order_id.in_(candidates), Parcel.state.not_in(sorted(FINAL_PARCEL)))
    is_checked = Parcel.state.in_(sorted(ARRIVED)) & (GoodsCheck.ended_at < before)
    waits = set(session.scalars(unready.where(~func.coalesce(is_checked, False))))
    return [order for order in candidates if order not in waits]


def owed_by_parcel(session: Session, orders: Sequence[int]) -> dict[int, int]:
    """Fen by parcel, where something is left to pay."""
    parcels = session.scalars(select(Parcel.id).where(Parcel.order_id.in_(orders)).order_by(Parcel.id)).all()
    lines = remaining.of_parcels(session, parcels) if parcels else {}
    sums = {parcel: sum(line.rest.fen for line in of_parcel) for parcel, of_parcel in lines.items()}
    return {parcel: fen for parcel, fen in sums.items() if fen}


def call_overdue(session: Session) -> bool:
    """The worker's step: one statement whose day has passed is overdue. True if there was one."""
    late = select(AccountStatement).where(AccountStatement.state == StatementState.OPEN)
    late = late.where(AccountStatement.due_on < clock.today()).order_by(AccountStatement.due_on).limit(1)
    row = session.scalar(late.with_for_update())
    if row is None:
        return False
    transition(session, row, StatementState.OVERDUE, expected=StatementState.OPEN, actor="system", why="not paid in time")
    outbox.put(session, OVERDUE, statement=row.public_id)
    return True


def conclude_credited(session: Session) -> bool:
    """The worker's step: a parcel that came, and of which nothing is left to pay, is over. True if there was one.

    Nothing is booked by that: nothing was paid. An order of which nothing was kept is cancelled. Shipping that was free by
    a promotion is credited too: nobody bears it."""
    wanted = select(Parcel.id, Parcel.public_id).join(AccountOrder, AccountOrder.order_id == Parcel.order_id)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).join(GoodsCheck, GoodsCheck.parcel_id == Parcel.id)
    wanted = wanted.where(Order.state == OrderState.PLACED_ON_ACCOUNT, Parcel.state.in_(sorted(ARRIVED)))
    found = session.execute(wanted.where(GoodsCheck.state != CheckState.CLAIMED)).all()
    lines = remaining.of_parcels(session, [row.id for row in found]) if found else {}
    for row in found:
        if not any(line.rest.fen for line in lines[row.id]):
            parcel = fulfilment.get_parcel(session, row.public_id, station=None)
            free = [replace(part, units=0) for part in remaining.rest(session, parcel)]
            if free:
                repaying.repay(session, parcel, free, reason_key=f"concluded:{row.public_id}", reason=CREDITED_WHOLLY)
            settlement.settle(session, parcel, actor="system", why=CREDITED_WHOLLY)
            return True
    return False
