"""Who may see an order: its buyer, who has its link, who knows its number and phone. Nobody else learns it exists.

A stranger who signs in keeps sight of what this browser has opened; what was placed in it is theirs from then on."""

import hmac
from collections.abc import Sequence
from typing import Any, Final

from flask import g, session as cookie
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import NotFound
from marketplace.orders.models import Order
from marketplace.orders.states import OrderState

REMEMBERED: Final = "orders"
PLACED: Final = "placed"  # in this browser, by a stranger: whoever was only given a link does not get the order itself
MOST: Final = 20
MOST_UNPAID: Final = 3


def link_key(number: str) -> str:
    """The secret part of an order's link: made from its number with a key of ours, so that it need not be kept."""
    return fingerprint(number, "order.link")[:32]


def opens(number: str, key: str) -> bool:
    return hmac.compare_digest(link_key(number).encode(), key.encode())


def remember(number: str, *, is_placed_here: bool = False) -> None:
    """This browser may see the order from now on."""
    for name in (REMEMBERED, PLACED) if is_placed_here else (REMEMBERED,):
        cookie[name] = [*(known for known in cookie.get(name, []) if known != number), number][-MOST:]


def adopt(person_id: int) -> None:
    """The stranger who placed orders in this browser has said who they are: the orders join their account."""
    numbers = cookie.pop(PLACED, [])
    if numbers:
        in_transaction(give, numbers=numbers, person_id=person_id)


def give(session: Session, *, numbers: Sequence[str], person_id: int) -> None:
    nobodys = update(Order).where(Order.number.in_(numbers), Order.buyer_id.is_(None))
    session.execute(nobodys.values(buyer_id=person_id))


def get_visible(session: Session, number: str) -> Order:
    """The order, if this visitor may see it. Raises NotFound, alike for one that does not exist."""
    order = session.scalar(select(Order).where(Order.number == number))
    mine = order is not None and g.person is not None and order.buyer_id == g.person.id
    if order is None or not (mine or number in cookie.get(REMEMBERED, [])):
        raise NotFound(number)
    return order


def find_by_phone(session: Session, number: str, phone: str) -> Order | None:
    """For a guest without their link."""
    known = select(Order).where(Order.number == number, Order.phone_fingerprint == fingerprint(phone, "order.phone"))
    return session.scalar(known)


def unpaid(session: Session, *which: ColumnElement[bool]) -> Sequence[Any]:
    """What this visitor has ordered and can still pay, latest first: for whoever comes back from the cashier by
    another way than ours, and would order again."""
    placed, person = cookie.get(PLACED, []), g.person
    if person is None and not placed:
        return ()
    mine = Order.number.in_(placed) if person is None else or_(Order.number.in_(placed), Order.buyer_id == person.id)
    open_still = (Order.state == OrderState.PENDING_PAYMENT, Order.pay_by > clock.now())
    wanted = select(Order.number, Order.total_fen, Order.pay_by).where(mine, *open_still, *which)
    return session.execute(wanted.order_by(Order.id.desc()).limit(MOST_UNPAID)).all()


def actor() -> str:
    return f"person:{g.person.id}" if g.person is not None else "guest"
