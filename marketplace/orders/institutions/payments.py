"""What paid an order: an attempt of its own, that of the statement it stands on, or that of its place in a presale."""

from collections.abc import Sequence, Set
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, or_, select, union
from sqlalchemy.orm import Session

from marketplace.orders.institutions.models import AccountOrder, AccountStatement
from marketplace.orders.models import Order
from marketplace.payments.disputes import standing
from marketplace.payments.disputes.states import OPEN, DisputeState
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState

OF_AN_ORDER: Final = "order"
PURPOSE: Final = "statement"
OF_A_PRESALE: Final = "presale"
PURPOSES: Final = frozenset({OF_AN_ORDER, PURPOSE, OF_A_PRESALE})  # of all that pays orders


class Payment(NamedTuple):
    purpose: str
    reference: str


def of_order(session: Session, number: str) -> Payment:
    """Under which purpose and reference the order is paid."""
    wanted = select(AccountStatement.public_id).join(AccountOrder, AccountOrder.statement_id == AccountStatement.id)
    wanted = wanted.join(Order, Order.id == AccountOrder.order_id).where(Order.number == number)
    statement = session.scalar(wanted)
    if statement:
        return Payment(PURPOSE, statement)
    backing = session.scalar(select(Order.backing).where(Order.number == number))
    return Payment(OF_A_PRESALE, backing) if backing else Payment(OF_AN_ORDER, number)


def paid_under(session: Session, number: str) -> str | None:
    """The statement or the place in a presale that pays this order; None for one that is paid as an order, or for none."""
    payment = of_order(session, number)
    return None if payment.purpose == OF_AN_ORDER else payment.reference


def orders_of(session: Session, statement: str) -> Sequence[str]:
    """The numbers of the orders that it pays, the oldest first."""
    its = select(Order.number).join(AccountOrder, AccountOrder.order_id == Order.id)
    its = its.join(AccountStatement, AccountStatement.id == AccountOrder.statement_id)
    return session.scalars(its.where(AccountStatement.public_id == statement).order_by(Order.id)).all()


def attempt_of(session: Session, number: str) -> Attempt:
    """The one whose money the order has, locked; of an order that was paid."""
    purpose, reference = of_order(session, number)
    paid = select(Attempt).where(Attempt.purpose == purpose, Attempt.reference == reference, ~Attempt.is_surplus)
    return session.scalars(paid.where(Attempt.state == AttemptState.SUCCEEDED).with_for_update()).one()


def lost(session: Session, number: str) -> int:
    """Fen that a bank has taken of what paid this order, and that did not come back since: what was kept of any order of the
    same statement lessens it."""
    purpose, reference = of_order(session, number)
    names = {reference, number}
    if purpose == PURPOSE:
        names.update(orders_of(session, reference))
    return sum(standing.borne(session, name) for name in sorted(names))


def pays() -> ColumnElement[bool]:
    """SQL: whether an `Attempt` is one for what the `Order` beside it is paid with; for a join of both."""
    mine = select(AccountStatement.public_id).join(AccountOrder, AccountOrder.statement_id == AccountStatement.id)
    statement = mine.where(AccountOrder.order_id == Order.id).correlate(Order).scalar_subquery()
    return or_(
        (Attempt.purpose == OF_AN_ORDER) & (Attempt.reference == Order.number),
        (Attempt.purpose == PURPOSE) & (Attempt.reference == statement),
        (Attempt.purpose == OF_A_PRESALE) & (Attempt.reference == Order.backing),
    )


def disputed_orders(states: Set[DisputeState] = OPEN) -> CompoundSelect[str]:
    """SQL: numbers of the orders whose payment is disputed now, or in such a state; for `column.in_(...)`."""
    on_statements = select(Order.number).join(AccountOrder, AccountOrder.order_id == Order.id)
    on_statements = on_statements.join(AccountStatement, AccountStatement.id == AccountOrder.statement_id)
    on_statements = on_statements.where(AccountStatement.public_id.in_(standing.references(PURPOSE, states)))
    of_presales = select(Order.number).where(Order.backing.in_(standing.references(OF_A_PRESALE, states)))
    return union(standing.references(OF_AN_ORDER, states), on_statements, of_presales)
