"""What paid an order: an attempt of its own, that of the statement it stands on, or that of its place in a presale."""

from typing import Final, NamedTuple

from sqlalchemy import CompoundSelect, select, union
from sqlalchemy.orm import Session

from marketplace.orders.institutions.models import AccountOrder, AccountStatement
from marketplace.orders.models import Order
from marketplace.payments.disputes import standing

OF_AN_ORDER: Final = "order"
PURPOSE: Final = "statement"
OF_A_PRESALE: Final = "presale"


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


def disputed_orders() -> CompoundSelect[str]:
    """SQL: numbers of the orders whose payment is disputed now; for `column.in_(...)`."""
    on_statements = select(Order.number).join(AccountOrder, AccountOrder.order_id == Order.id)
    on_statements = on_statements.join(AccountStatement, AccountStatement.id == AccountOrder.statement_id)
    on_statements = on_statements.where(AccountStatement.public_id.in_(standing.references(PURPOSE)))
    of_presales = select(Order.number).where(Order.backing.in_(standing.references(OF_A_PRESALE)))
    return union(standing.references(OF_AN_ORDER), on_statements, of_presales)
