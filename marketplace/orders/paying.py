"""What money does to an order: paid, too late, never, or taken back before anybody paid."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from listings import offers, stock
from marketplace.core import clock, outbox
from marketplace.core.db import Columns, in_transaction, rows
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books
from marketplace.orders.groups import membership
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.promotions import using
from marketplace.orders.promotions.choosing import CouponRefused
from marketplace.orders.promotions.ending import FUNDING
from marketplace.orders.states import OrderState
from marketplace.payments import attempts
from marketplace.payments.gateways import OutcomeUnknown
from marketplace.payments.states import OPEN

LATE = (OrderState.EXPIRED, OrderState.CANCELLED)


class PaidMeanwhile(Refusal):
    message = _l("This order was paid a moment ago, so it goes ahead.")


def mark_paid(session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool:
    """The handler of purpose `order`: the goods leave the shelf, the money is shared out; False sends it back.

    Late money counts if the goods can be held again; money is never kept for goods that are not there."""
    order = get_order(session, reference)
    if amount != Money(order.total_fen, order.currency):
        return False
    frozen = lines_of(session, order)
    waits_for_group = membership.waits(frozen)
    if waits_for_group and not membership.may_pay(session, order):
        return False
    if order.state in LATE:
        if not can_be_held_again(session, order):
            return False
    elif order.state is not OrderState.PENDING_PAYMENT:
        return False
    if order.discount_fen:
        using.spend(session, order.number)
    stock.sell(session, packs(frozen), reference=order.number)
    was, why = order.state, f"attempt:{attempt}"
    transition(session, order, OrderState.PAID, expected=was, actor="system", why=why, paid_at=clock.now())
    allocate(session, order, frozen)
    if waits_for_group:
        membership.pay(session, order)
    else:
        outbox.put(session, "order.paid", number=order.number)
    return True


def can_be_held_again(session: Session, order: Order) -> bool:
    """All of it or nothing: a savepoint takes back what was held before something was found missing.

    Only what was never paid, and only what is for sale now: a listing suspended meanwhile sells nothing more. An order that
    was paid once, and whose parcels were refused or cancelled then, stays what it is."""
    wanted = quantities(session, order)
    found = offers.find(session, wanted)
    if order.paid_at is not None or not all(code in found and found[code].is_published for code in wanted):
        return False
    try:
        with session.begin_nested():
            stock.reserve(session, wanted, reference=order.number)
            if order.discount_fen:
                using.reserve_again(session, order)
    except (stock.OutOfStock, CouponRefused):
        return False
    return True


def allocate(session: Session, order: Order, frozen: Sequence[Row[Any]]) -> None:
    """`allocate:<order>`: what each seller and each station will be owed, held until their parcel settles; beside what the
    buyer paid it is what the province bears of discounts."""
    shared = {account: -fen for account, fen in shares_of(frozen).items()}
    lines = {("buyer_clearing", ""): order.total_fen, FUNDING: funded(frozen)} | shared
    money = {account: Money(fen, order.currency) for account, fen in lines.items()}
    books.post(session, key=f"allocate:{order.number}", book=order.book, reference=order.number, lines=money)


def shares_of(frozen: Sequence[Row[Any]]) -> dict[books.Account, int]:
    """Whose an order's money is, in fen, from its frozen lines: goods and shipping less what sellers bear of discounts."""
    shares: dict[books.Account, int] = defaultdict(int)
    for line in frozen:
        gets = (line.unit_price_fen - line.unit_service_fee_fen) * line.quantity - line.seller_discount_fen
        shares["seller_held", line.seller_public_id] += gets
    for _parcel, line in {line.parcel_id: line for line in frozen}.items():
        shares["station_held", line.station_code] += line.service_fee_fen + line.shipping_fen
    return shares


def funded(frozen: Sequence[Row[Any]]) -> int:
    """Fen that the province puts to what the buyer paid."""
    return sum(line.platform_discount_fen + line.shipping_discount_fen for line in frozen)


def is_over(session: Session, *, number: str) -> bool:
    """Whether its time to pay is over. Raises NotFound."""
    pay_by = session.scalar(select(Order.pay_by).where(Order.number == number))
    if pay_by is None:
        raise NotFound(number)
    return pay_by <= clock.now()


def expire(*, number: str) -> None:
    """The listener of `order.expires`: ask the gateway first, and only what nobody paid is given up.

    What was prolonged meanwhile has a call of its own. Raises OutcomeUnknown while the gateway does not answer: the outbox
    calls again."""
    if not in_transaction(is_over, number=number):
        return
    withdraw(number, OrderState.EXPIRED, actor="system", why="not paid in time")


def cancel(number: str, *, actor: str) -> None:
    """The buyer does not want it any more and has not paid. Outside a transaction. Raises PaidMeanwhile, OutcomeUnknown."""
    if not withdraw(number, OrderState.CANCELLED, actor=actor, why="cancelled by the buyer"):
        raise PaidMeanwhile(number)


def withdraw(number: str, to: OrderState, *, actor: str, why: str) -> bool:
    """True if it was given up. The gateway is asked first, outside any transaction.

    Raises OutcomeUnknown while it does not answer, or says that the payment is under way."""
    attempt = in_transaction(open_attempt, number=number)
    if attempt and attempts.cancel(attempt) in OPEN:
        raise OutcomeUnknown(number)
    return in_transaction(give_up, number=number, to=to, actor=actor, why=why)


def open_attempt(session: Session, *, number: str) -> str | None:
    return attempts.open_one(session, purpose="order", reference=number)


def give_up(session: Session, *, number: str, to: OrderState, actor: str, why: str) -> bool:
    """Others may have the goods. False if the order is not waiting any more, or a new attempt was opened meanwhile.

    One whose money its payer's bank took back before we heard of it waits like one that nobody paid."""
    order = get_order(session, number)
    if order.state is not OrderState.PENDING_PAYMENT or open_attempt(session, number=number):
        return False
    transition(session, order, to, expected=OrderState.PENDING_PAYMENT, actor=actor, why=why)
    frozen = lines_of(session, order)
    if membership.waits(frozen):
        membership.lapse(session, order, why)
    stock.release(session, packs(frozen), reference=order.number)
    if order.discount_fen:
        using.give_back(session, order.number)
    return True


def pay_again(session: Session, *, number: str) -> str:
    """The attempt to go on with: the open one, or a new one after a failure. Raises NotFound, attempts.AlreadyPaying."""
    order = get_order(session, number)
    if order.state is not OrderState.PENDING_PAYMENT or order.pay_by <= clock.now():
        raise NotFound(number)
    amount = Money(order.total_fen, order.currency)
    return attempts.start(session, purpose="order", reference=number, amount=amount, pay_by=order.pay_by)


def quantities(session: Session, order: Order) -> dict[str, int]:
    """Packs of the order by variant."""
    return packs(lines_of(session, order))


def packs(frozen: Sequence[Row[Any]]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for line in frozen:
        totals[line.variant_code] += line.quantity
    return totals


def lines_of(session: Session, order: Order) -> Sequence[Row[Any]]:
    """The order's lines as they were frozen, each with the figures of its parcel."""
    session.flush()
    return rows(session, frozen_lines(), order=order.id)


@cache
def frozen_lines() -> Columns:
    line = (OrderLine.variant_code, OrderLine.quantity, OrderLine.unit_price_fen, OrderLine.unit_service_fee_fen)
    off = (OrderLine.seller_discount_fen, OrderLine.platform_discount_fen, OrderLine.shipping_discount_fen)
    parcel = (Parcel.station_code, Parcel.state, Parcel.service_fee_fen, Parcel.shipping_fen)
    wanted = select(*line, *off, OrderLine.seller_public_id, OrderLine.parcel_id, *parcel)
    return wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).where(Parcel.order_id == bindparam("order"))


def get_order(session: Session, number: str) -> Order:
    """Locked until the transaction ends. Raises NotFound."""
    found = session.scalar(locked_order(), {"number": number})
    if found is None:
        raise NotFound(number)
    return found


@cache
def locked_order() -> Select[Order]:
    return select(Order).where(Order.number == bindparam("number")).with_for_update()
