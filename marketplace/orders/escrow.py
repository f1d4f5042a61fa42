"""Orders that were paid before they were orders: their money lies elsewhere until they are sent, or given back before.

Whoever keeps it says here how it comes to be held like any order's; nobody below knows who that is."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace.orders.models import Order

releases: list[Callable[[Session, Order], None]] = []
"""Filled by parts/: called with the order, in that transaction, as often as its money is wanted."""

starts: list[Callable[[Session, Order], int]] = []
"""Filled by parts/: fen of this order that were its seller's before it was sent, booked together with others'."""


def release(session: Session, order: Order) -> None:
    """From here on the order's money is held for its seller and its station. Nothing for orders that were paid as orders."""
    if order.backing is not None:
        for bring in releases:
            bring(session, order)


def started(session: Session, order: Order) -> int:
    """Fen of it that its seller had before it was sent."""
    return sum(told(session, order) for told in starts)
