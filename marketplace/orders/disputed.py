"""An order whose payer asked their bank for the money: nothing of it is sent, settled or paid out while that is open.

Where it is lost the province bears it (docs/adr/0016): growers and stations have delivered what was paid, and it was the
province that answered the bank. What was not sent by then is nobody's any more: it goes to the province's loss."""

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders import remaining
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ParcelState
from marketplace.payments.disputes import standing
from marketplace.payments.disputes.following import LOSS

PURPOSE = "order"


def refuse_disputed(session: Session, number: str) -> None:
    """Raises standing.PaymentIsDisputed."""
    standing.refuse_disputed(session, purpose=PURPOSE, reference=number)


def is_lost(session: Session, number: str) -> bool:
    """A bank has given the buyer this order's money back."""
    return standing.is_lost(session, purpose=PURPOSE, reference=number)


def keep(session: Session, parcel: Parcel) -> None:
    """`dispute_kept:<parcel>`: not sent and not to be refunded either: what was held for it lessens the province's loss."""
    order = parcel.order
    shares = remaining.shares(remaining.rest(session, parcel), parcel.station_code)
    lines: dict[books.Account, Money] = {account: Money(fen, order.currency) for account, fen in shares.items()}
    lines[LOSS] = Money(-sum(shares.values()), order.currency)
    key = f"dispute_kept:{parcel.public_id}"
    books.post(session, key=key, book=order.book, reference=order.number, lines=lines)


def frozen(session: Session, *, book: str) -> dict[tuple[str, str], int]:
    """Fen by owner ("seller" or "station", and which) that are payable and disputed: they are not paid out."""
    wanted = select(Parcel).join(Order, Order.id == Parcel.order_id).where(Parcel.state == ParcelState.SETTLED)
    wanted = wanted.where(Order.book == book, Order.number.in_(standing.references(PURPOSE)))
    found: dict[tuple[str, str], int] = defaultdict(int)
    for parcel in session.scalars(wanted):
        for (kind, owner), fen in remaining.shares(remaining.rest(session, parcel), parcel.station_code).items():
            found[kind.removesuffix("_held"), owner] += fen
    return found
