"""What paid an order: an attempt of its own, or the one of the statement that it stands on."""

from typing import Final, NamedTuple

from sqlalchemy import CompoundSelect, select, union
from sqlalchemy.orm import Session

from marketplace.orders.institutions.models import AccountOrder, AccountStatement
from marketplace.orders.models import Order
from marketplace.payments.disputes import standing

OF_AN_ORDER: Final = "order"
PURPOSE: Final = "statement"


class Payment(NamedTuple):
    purpose: str
    reference: str


def of_order(session: Session, number: str) -> Payment:
    """Under which purpose and reference the order is paid."""
    wanted = select(AccountStatement.public_id).join(AccountOrder, AccountOrder.statement_id == AccountStatement.id)
    wanted = wanted.join(Order, Order.id == AccountOrder.order_id).where(Order.number == number)
    statement = session.scalar(wanted)
    return Payment(PURPOSE, statement) if statement else Payment(OF_AN_ORDER, number)


def disputed_orders() -> CompoundSelect[str]:
    """SQL: numbers of the orders whose payment is disputed now; for `column.in_(...)`."""
    on_statements = select(Order.number).join(AccountOrder, AccountOrder.order_id == Order.id)
    on_statements = on_statements.join(AccountStatement, AccountStatement.id == AccountOrder.statement_id)
    on_statements = on_statements.where(AccountStatement.public_id.in_(standing.references(PURPOSE)))
    return union(standing.references(OF_AN_ORDER), on_statements)
