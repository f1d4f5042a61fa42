"""Damage with pictures, said within 48 hours, of a small sum: refunded at once, without asking anybody.

So that it cannot be milked: the limit is for all that goes back so of one parcel; where the station has said no about a
line, it is asked again; and at most MOST_OF_A_BUYER of a phone number or account, and MOST_OF_A_SELLER of a seller, in
LATELY. Beyond that, and beyond the limit, the station looks at the pictures. docs/payments.md has the rule in words."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.settings import settings
from marketplace.orders import remaining
from marketplace.orders.cases import paying_back
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import CLAIM_WITHIN, Kind, Wish
from marketplace.orders.cases.states import CaseState
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState

LATELY: Final = timedelta(days=60)
MOST_OF_A_BUYER: Final = 2
MOST_OF_A_SELLER: Final = 10
TURNED_DOWN: Final = (CaseState.REJECTED, CaseState.CANCELLED)


def hold(session: Session, number: str) -> None:
    """Lock whatever two cases at once could both be counted by: the buyer's orders, in the order of their ids."""
    order = session.execute(select(Order.phone_fingerprint, Order.buyer_id).where(Order.number == number)).one()
    theirs = select(Order.id).where(is_of_buyer(order.phone_fingerprint, order.buyer_id)).order_by(Order.id)
    session.execute(theirs.with_for_update())


def is_of_buyer(phone_fingerprint: str, buyer_id: int | None) -> Any:
    same_phone = Order.phone_fingerprint == phone_fingerprint
    return same_phone if buyer_id is None else or_(same_phone, Order.buyer_id == buyer_id)


def is_due(session: Session, case: AfterSalesCase, parcel: Parcel, line: OrderLine, *, has_pictures: bool) -> bool:
    """Whether this new case is refunded at once. The caller holds the buyer's orders; here the seller is held."""
    in_time = parcel.delivered_at is not None and clock.now() <= parcel.delivered_at + CLAIM_WITHIN
    if not (case.kind is Kind.DAMAGED and case.wish is Wish.REFUND and has_pictures and in_time):
        return False
    left = next(each for each in remaining.of(session, parcel) if each.id == line.id)
    fen = paying_back.worth(session, case, left).fen + given_back(session, parcel)
    if fen > settings().after_sales_limit_fen or is_turned_down(session, line):
        return False
    session.execute(select(Person.id).where(Person.public_id == line.seller_public_id).with_for_update())
    order = parcel.order
    of_buyer = is_of_buyer(order.phone_fingerprint, order.buyer_id)
    of_seller = OrderLine.seller_public_id == line.seller_public_id
    return count(session, of_buyer) < MOST_OF_A_BUYER and count(session, of_seller) < MOST_OF_A_SELLER


def given_back(session: Session, parcel: Parcel) -> int:
    """Fen that went back at once of this parcel: halves of what is too much for one case are too much as well."""
    found = select(func.sum(Refund.fen)).join(AfterSalesCase, AfterSalesCase.refund_public_id == Refund.public_id)
    found = found.where(AfterSalesCase.parcel_id == parcel.id, AfterSalesCase.is_automatic)
    return int(session.scalar(found.where(Refund.state != RefundState.FAILED)) or 0)


def is_turned_down(session: Session, line: OrderLine) -> bool:
    """The station has looked at damage of this line, and refunded nothing."""
    found = select(AfterSalesCase.id).where(AfterSalesCase.order_line_id == line.id, AfterSalesCase.kind == Kind.DAMAGED)
    return session.scalar(found.where(AfterSalesCase.state.in_(TURNED_DOWN)).limit(1)) is not None


def count(session: Session, whose: Any) -> int:
    """Cases that were refunded at once lately."""
    wanted = select(func.count(AfterSalesCase.id)).join(OrderLine, OrderLine.id == AfterSalesCase.order_line_id)
    wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).join(Order, Order.id == Parcel.order_id)
    wanted = wanted.where(AfterSalesCase.is_automatic, AfterSalesCase.opened_at >= clock.now() - LATELY)
    return int(session.scalar(wanted.where(whose)) or 0)
