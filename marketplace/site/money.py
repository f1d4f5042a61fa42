"""Where the money went that buyers paid lately, as the books have it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders.models import Order, Parcel

LATELY: Final = timedelta(days=30)
ALLOCATION: Final = "allocate"


@dataclass(frozen=True)
class Shares:
    """Fen that growers, stations for their work, and stations for the courier were owed."""

    sellers: int
    stations: int
    shipping: int

    @property
    def total(self) -> int:
        return self.sellers + self.stations + self.shipping


def shares_lately(session: Session) -> Shares | None:
    """Shares of what orders allocated in the last 30 days, or None while there is nothing to show. Two statements."""
    since = clock.now() - LATELY
    owed = (
        select(LedgerAccount.kind, -func.sum(Line.amount))
        .join(Line, Line.account_id == LedgerAccount.id)
        .join(Entry, Entry.id == Line.entry_id)
        .where(Entry.kind == ALLOCATION, Entry.at >= since, LedgerAccount.kind.in_(["seller_held", "station_held"]))
        .group_by(LedgerAccount.kind)
    )
    by_kind = {kind: int(amount) for kind, amount in session.execute(owed)}
    carried = select(func.coalesce(func.sum(Parcel.shipping_fen), 0)).join(Order, Order.id == Parcel.order_id)
    allocated = select(Entry.reference).where(Entry.kind == ALLOCATION, Entry.at >= since)
    shipping = int(session.scalar(carried.where(Order.number.in_(allocated))) or 0)
    sellers, stations = by_kind.get("seller_held", 0), by_kind.get("station_held", 0)
    return Shares(sellers, stations - shipping, shipping) if sellers else None
