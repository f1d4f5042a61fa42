"""Who may see an order: its buyer, who has its link, who knows its number and phone. Nobody else learns it exists."""

import hmac
from typing import Final

from flask import g, session as cookie
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.encryption import fingerprint
from marketplace.core.errors import NotFound
from marketplace.orders.models import Order

REMEMBERED: Final = "orders"
MOST: Final = 20


def link_key(number: str) -> str:
    """The secret part of an order's link: made from its number with a key of ours, so that it need not be kept."""
    return fingerprint(number, "order.link")[:32]


def opens(number: str, key: str) -> bool:
    return hmac.compare_digest(link_key(number).encode(), key.encode())


def remember(number: str) -> None:
    """This browser may see the order from now on."""
    cookie[REMEMBERED] = [*(known for known in cookie.get(REMEMBERED, []) if known != number), number][-MOST:]


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


def actor() -> str:
    return f"person:{g.person.id}" if g.person is not None else "guest"
