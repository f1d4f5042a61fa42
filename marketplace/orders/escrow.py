"""Orders that were paid before they were orders: their money lies elsewhere until they are sent, or given back before.

Whoever keeps it says here how it comes to be held like any order's; nobody below knows who that is."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace.orders.models import Order

releases: list[Callable[[Session, Order], None]] = []
"""Filled by app.py: called with the order, in that transaction, as often as its money is wanted."""


def release(session: Session, order: Order) -> None:
    """From here on the order's money is held for its seller and its station. Nothing for orders that were paid as orders."""
    if order.backing is not None:
        for bring in releases:
            bring(session, order)
