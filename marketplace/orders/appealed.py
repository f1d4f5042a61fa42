"""A bank gave the buyer their money back and took it again after all, on appeal: what the buyer is told of it.

Nobody else tells them that the province owes them what is not with them. A listener of the outbox, each fact once."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import outbox
from marketplace.core.db import in_transaction
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.orders import kept, letters
from marketplace.orders.models import Order

REGAINED: Final = "order.regained"  # the outbox's topic
OWED: Final[LazyString] = _l(
    "Order %(number)s: your bank has taken its money back. The province refunds you %(sum)s for what is not with you; "
    "you need not do anything."
)
STANDS: Final[LazyString] = _l("Order %(number)s: your bank has taken its money back, so your payment stands as at first.")


def regained(session: Session, *, reference: str, dispute: str) -> None:
    """For `following.regained`: in the transaction in which the loss goes back."""
    outbox.put(session, REGAINED, number=reference, dispute=dispute)


def told(*, number: str, dispute: str) -> None:
    """The listener of REGAINED."""
    in_transaction(tell, number=number, dispute=dispute)


def tell(session: Session, *, number: str, dispute: str) -> None:
    order = session.scalars(select(Order).where(Order.number == number)).one()
    waiting = kept.waiting().where(Order.number == number).subquery()
    fen = int(session.scalar(select(func.coalesce(func.sum(waiting.c.fen), 0))) or 0)
    with speaking(order.language):
        text = str(OWED if fen else STANDS) % {"number": number, "sum": yuan(fen)}
    letters.tell_buyer(session, order, fact=f"dispute_regained:{dispute}", text=text)
