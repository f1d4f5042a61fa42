"""Goods that came back are replaced: by an order that costs nothing, placed and paid in one moment, sent like any other.

Its goods leave the shelf by the same guarded reservation as everybody's. A replacement that never arrives, whatever the
reason, gives the buyer the money of the first purchase; one that was lost on the way is borne by its station, as ever."""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import stock
from marketplace.core import audit, clock, ids
from marketplace.core.db import add_row, add_rows, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.transitions import leave_trace, transition
from marketplace.orders import disputed
from marketplace.orders.cases import by_bank, deciding, paying_back
from marketplace.orders.cases.finding import EVERYWHERE, Reach, get_case
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.opening import PaidByTheBank
from marketplace.orders.cases.rules import Bearer, Wish
from marketplace.orders.cases.states import CaseState as C
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import OrderState, ParcelState as S

NEVER_ARRIVED: Final = frozenset({S.REFUSED, S.CANCELLED, S.RETURNED_TO_SELLER, S.LOST})
WHY: Final = "exchange"
SAME_ORDER: Final = (
    "buyer_id",
    "recipient",
    "phone",
    "phone_fingerprint",
    "province_code",
    "city",
    "street",
    "note",
    "is_gift",
)
SAME_LINE: Final = (
    *("listing_code", "variant_code", "seller_public_id", "seller_name", "title_zh", "title_en", "unit_zh", "unit_en"),
    *("net_weight_grams", "return_policy", "drawing", "media_public_id"),
)


class RefundWished(Refusal):
    message = _l("The buyer asked for the money back, not for other goods.")


class NothingLikeIt(Refusal):
    message = _l("There are not enough of these left to exchange. Refund them instead.")


def exchange(session: Session, *, case: str, reach: Reach, actor: str, why: str = "") -> str:
    """Send the same goods once more for nothing; returns the number of that order.

    Raises RefundWished, RefundedMeanwhile, NothingLikeIt, PaymentIsDisputed, PaidByTheBank, WithTheProvince."""
    row, parcel = deciding.get_undecided(session, case, reach, actor)
    if row.wish is not Wish.EXCHANGE:
        raise RefundWished(case)
    if by_bank.has_given(session, row, parcel, paying_back.part_due(session, row, parcel)):
        raise PaidByTheBank(case)
    line = session.get_one(OrderLine, row.order_line_id)
    number, goods = ids.order_number(), {line.variant_code: row.units_due}
    try:
        stock.reserve(session, goods, reference=number)
    except stock.OutOfStock as error:
        raise NothingLikeIt(line.variant_code) from error
    place(session, number, parcel, line, row.units_due)
    stock.sell(session, goods, reference=number)
    deciding.move(session, row, parcel, C.EXCHANGED, expected=C.GOODS_RETURNED, actor=actor, why=why, exchange_number=number)
    return number


def place(session: Session, number: str, parcel: Parcel, line: OrderLine, units: int) -> None:
    """Order, parcel and line as the first ones were, without a price; waiting for the station at once."""
    first, now = parcel.order, clock.now()
    free: dict[str, Any] = {"goods_fen": 0, "shipping_fen": 0}
    kept = {name: getattr(first, name) for name in (*SAME_ORDER, "currency", "book", "language")}
    times = {"placed_at": now, "pay_by": now}
    order = add_row(session, Order, {**kept, **free, **times, "number": number, "total_fen": 0, "is_exchange": True})
    leave_trace(session, Order(number=number), None, OrderState.PENDING_PAYMENT, actor="system", why=WHY)
    public_id, where = ids.public_id(), parcel.station_code
    later = clock.today() - clock.local(first.placed_at).date()
    days = {"promised_by": parcel.promised_by + later, "leave_by": parcel.leave_by + later}
    sent = {"public_id": public_id, "number": 1, "station_code": where, "delivery": parcel.delivery, "service_fee_fen": 0}
    grams = line.net_weight_grams * units
    box = add_row(session, Parcel, {**sent, **free, **days, "net_weight_grams": grams, "order_id": order})
    born: dict[str, Any] = {"actor": "system", "why": WHY, "station": where}
    leave_trace(session, Parcel(public_id=public_id), None, S.AWAITING_ACCEPTANCE, **born)
    same = {name: getattr(line, name) for name in SAME_LINE}
    price = {"unit_price_fen": 0, "unit_service_fee_fen": 0, "shipping_fen": 0}
    add_rows(session, OrderLine, {**same, **price, "public_id": ids.public_id(), "parcel_id": box, "quantity": units})
    placed = session.scalars(select(Order).where(Order.id == order)).one()
    transition(
        session, placed, OrderState.PAID, expected=OrderState.PENDING_PAYMENT, actor="system", why=WHY, paid_at=clock.now()
    )


def parcel_moved(*, parcel: str, state: str, **_what: str) -> None:
    """The listener of `parcel.moved`: the money goes back for a replacement that does not come."""
    if state in NEVER_ARRIVED:
        in_transaction(give_money_instead, parcel=parcel, state=S(state))


def give_money_instead(session: Session, *, parcel: str, state: S) -> None:
    """Once; for parcels of ordinary orders nothing."""
    wanted = select(AfterSalesCase.public_id).join(Order, Order.number == AfterSalesCase.exchange_number)
    found = session.scalar(wanted.join(Parcel, Parcel.order_id == Order.id).where(Parcel.public_id == parcel))
    if found is None:
        return
    row, first = get_case(session, found, EVERYWHERE)
    if row.refund_public_id is not None or disputed.is_lost(session, first.order.number):
        return
    try:
        row.refund_public_id = paying_back.give_back(session, row, first, reason="exchange failed")
    except paying_back.RefundedMeanwhile:
        return  # at the desk, by a person: they have it
    session.flush()
    if state is S.LOST:
        paying_back.bear(session, row.refund_public_id, Bearer.STATION)
    told = {"actor": "system", "why": "exchange failed", "subject": f"after_sales_case:{row.public_id}"}
    audit.record(session, action="case.refunded_instead", **told, refund=row.refund_public_id)
