"""A parcel settles when the buyer confirms it, or seven days after it arrived: then seller and station are owed.

Not while an after-sales case about it is open, and what was ordered on account not before its money has come."""

from datetime import timedelta
from functools import cache
from typing import Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import Instant, db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books
from marketplace.orders import disputed, fulfilment, remaining
from marketplace.orders.cases import stopping
from marketplace.orders.institutions import payments
from marketplace.orders.models import HAS_ARRIVED, Order, Parcel
from marketplace.orders.remaining import PAYABLE
from marketplace.orders.states import ARRIVED, ParcelState as S

SETTLES_AFTER: Final = timedelta(days=7)
IN_ONE_STEP: Final = 20


def confirm(session: Session, *, number: str, parcel: str, actor: str) -> None:
    """The buyer says it is here and good: delivered, if it was on the road, and settled.

    Raises NotFound for a parcel of another order, IllegalTransition for one that was not sent, PaymentIsDisputed,
    CaseIsOpen, NotPaid for what is on account: its check says it instead."""
    row = fulfilment.get_parcel(session, parcel, station=None)
    if row.order.number != number:
        raise NotFound(parcel)
    if row.order.paid_at is None:
        raise fulfilment.NotPaid(parcel)
    if row.state is S.SHIPPED:
        fulfilment.deliver(session, parcel=parcel, station=None, actor=actor, why="the buyer has it")
    if row.state not in {S.DELIVERED, S.PICKED_UP}:
        raise IllegalTransition(f"parcel {parcel}: {row.state}")
    disputed.refuse_disputed(session, number)
    if stopping.is_stopped(session, row.id):
        raise stopping.CaseIsOpen(parcel)
    settle(session, row, actor=actor, why="confirmed by the buyer")


def settle(session: Session, parcel: Parcel, *, actor: str, why: str) -> None:
    """`settle:<parcel>:<owner>`: from held to payable, for each to whom a part belongs of what was not given back."""
    order = parcel.order
    owed = remaining.rest(session, parcel) if order.paid_at else []  # on account and not paid: lost, or all credited
    shares = remaining.shares(owed, parcel.station_code)
    transition(session, parcel, S.SETTLED, expected=parcel.state, actor=actor, why=why, station=parcel.station_code)
    for (kind, owner), fen in sorted(shares.items()):
        part = Money(fen, order.currency)
        lines: dict[books.Account, Money] = {(kind, owner): part, (PAYABLE[kind], owner): -part}
        key = f"settle:{parcel.public_id}:{owner}"
        if part:
            books.post(session, key=key, book=order.book, reference=order.number, lines=lines)
    fulfilment.close_if_over(session, order.number)


def settle_some_due() -> bool:
    """The worker's step: some parcels whose seven days are over, each in a transaction of its own; True if there was one."""
    settled = 0
    while settled < IN_ONE_STEP and settle_one_due():
        settled += 1
    return settled > 0


def settle_one_due() -> bool:
    """True if there was one. It reads first, and locks nothing where none is."""
    session = db.session()
    found = first_due(session)
    session.rollback()
    return found is not None and in_transaction(settle_due)


def first_due(session: Session) -> str | None:
    return session.scalar(due_parcel(), {"then": clock.now() - SETTLES_AFTER})


@cache
def due_parcel() -> Select[str]:
    """SQL, prepared once: the worker asks it all day."""
    due = select(Parcel.public_id).join(Order, Order.id == Parcel.order_id).where(HAS_ARRIVED)
    due = due.where(Parcel.delivered_at <= bindparam("then", type_=Instant), Order.paid_at.is_not(None))
    due = due.where(Order.number.not_in(payments.disputed_orders()), Parcel.id.not_in(stopping.stopped_parcels()))
    return due.order_by(Parcel.delivered_at).limit(1)


def settle_due(session: Session) -> bool:
    found = first_due(session)
    if found is None:
        return False
    row = fulfilment.get_parcel(session, found, station=None)
    if row.state not in ARRIVED or stopping.is_stopped(session, row.id):
        return True  # another worker was faster, or the buyer
    settle(session, row, actor="system", why="seven days after it arrived")
    return True
