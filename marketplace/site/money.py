"""Where the money went that buyers paid lately, as the books have it."""

from collections import Counter
from datetime import timedelta
from typing import Final

from sqlalchemy import Select, case, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.memory import remembered
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.ledger.accounts import owned_by
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders.institutions.payments import PURPOSE
from marketplace.orders.models import Order, OrderLine, Parcel, RefundLine
from marketplace.orders.states import ParcelState
from marketplace.orders.telling import BACK_TO_THE_BUYER
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

LATELY: Final = timedelta(days=30)
ALLOCATION: Final = "allocate"
SELLERS: Final = owned_by("seller")  # what they are owed, held and payable
STATIONS: Final = owned_by("station")


@record
class Shares:
    """Fen that growers, stations for their work, and stations for the courier were owed."""

    sellers: int
    stations: int
    shipping: int

    @property
    def total(self) -> int:
        return self.sellers + self.stations + self.shipping


@remembered()
def shares_lately(session: Session) -> Shares | None:
    """Shares of what buyers paid in the last 30 days and did not get back, or None while there is nothing. Two statements,
    which add up a month, so for the front page at most once a minute.

    A lost parcel was paid back by its station, which pays its growers as well: neither is a share of buyers' money."""
    since = clock.now() - LATELY
    orders = select(Entry.reference).where(Entry.kind == ALLOCATION, Entry.at >= since)
    owed = (
        select(LedgerAccount.kind, -func.sum(Line.amount))
        .join(Line, Line.account_id == LedgerAccount.id)
        .join(Entry, Entry.id == Line.entry_id)
        .where(Entry.reference.in_(orders), LedgerAccount.kind.in_(SELLERS | STATIONS), Line.commodity == "CNY")
        .group_by(LedgerAccount.kind)
    )
    by_kind: Counter[str] = Counter()
    for kind, amount in session.execute(union_all(owed, given_back_of_statements(orders))):
        by_kind[kind] += int(amount)
    was_lost = exists().where(EventRow.subject == "parcel:" + Parcel.public_id, EventRow.to_state == ParcelState.LOST)
    is_kept = ~was_lost & Parcel.state.not_in(BACK_TO_THE_BUYER)
    shipping_back = (
        select(func.coalesce(func.sum(case((is_kept, RefundLine.shipping_fen), else_=0)), 0))
        .join(OrderLine, OrderLine.id == RefundLine.order_line_id)
        .join(Parcel, Parcel.id == OrderLine.parcel_id)
        .join(Order, Order.id == Parcel.order_id)
        .join(Refund, Refund.public_id == RefundLine.refund_public_id)
        .where(Order.number.in_(orders), Refund.state != RefundState.FAILED)
    )
    off = select(func.sum(OrderLine.seller_discount_fen)).where(OrderLine.parcel_id == Parcel.id).scalar_subquery()
    parcels = select(
        func.coalesce(func.sum(case((is_kept, Parcel.shipping_fen), else_=0)), 0)
        - shipping_back.correlate(None).scalar_subquery(),
        func.coalesce(func.sum(case((was_lost, Parcel.goods_fen - Parcel.service_fee_fen - off), else_=0)), 0),
    )
    parcels = parcels.join(Order, Order.id == Parcel.order_id).where(Order.number.in_(orders))
    shipping, paid_by_stations = (int(fen) for fen in session.execute(parcels).one())
    sellers = sum(by_kind.get(kind, 0) for kind in SELLERS) - paid_by_stations
    stations = sum(by_kind.get(kind, 0) for kind in STATIONS) + paid_by_stations
    return Shares(sellers, stations - shipping, shipping) if sellers else None


def given_back_of_statements(orders: Select[str]) -> Select[str, int]:
    """SQL, by kind of account: refunds of these orders that are booked under the statement which paid them."""
    its = select(Refund.public_id).join(Attempt, Attempt.id == Refund.attempt_id).where(Attempt.purpose == PURPOSE)
    its = its.join(RefundLine, RefundLine.refund_public_id == Refund.public_id)
    its = its.join(OrderLine, OrderLine.id == RefundLine.order_line_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    refunds = its.join(Order, Order.id == Parcel.order_id).where(Order.number.in_(orders)).distinct().subquery()
    keys = union_all(*(select(literal(f"{kind}:") + refunds.c.public_id) for kind in ("refund", "refund_failed")))
    moved = select(LedgerAccount.kind, -func.sum(Line.amount)).join(Line, Line.account_id == LedgerAccount.id)
    moved = moved.join(Entry, Entry.id == Line.entry_id).where(Entry.key.in_(keys), Line.commodity == "CNY")
    return moved.where(LedgerAccount.kind.in_(SELLERS | STATIONS)).group_by(LedgerAccount.kind)
