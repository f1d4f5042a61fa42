"""Money that comes late, twice, never."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from listings import stock
from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.orders import paying
from marketplace.orders.models import Order
from marketplace.orders.placing import TIME_TO_PAY
from marketplace.orders.states import OrderState
from marketplace.payments.models import Refund
from tests.orders.conftest import RECIPIENT, Shop, balances, get, hidden, post, stock_of


def expire_all(shop: Shop) -> None:
    with time_machine.travel(clock.now() + TIME_TO_PAY + timedelta(seconds=1), tick=False):
        while outbox.deliver_slow():
            pass


def orders() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Order)) or 0


def test_an_unpaid_order_expires_and_others_may_have_the_goods(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    number = shop.order(buyer)
    assert stock_of(shop.apples) == (100, 2)

    expire_all(shop)

    assert get(number).state is OrderState.EXPIRED
    assert stock_of(shop.apples) == (100, 0)
    assert "没按时付" in buyer.get(f"/orders/{number}").text
    shop.pay(number)  # the cashier's page stood open; the gateway has closed the payment
    shop.work()
    assert get(number).state is OrderState.EXPIRED and balances(number) == {}


def test_payment_wins_over_expiry(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    number = shop.order(buyer)
    shop.pay(number)

    expire_all(shop)

    assert get(number).state is OrderState.PAID
    assert stock_of(shop.apples) == (98, 0)


@pytest.mark.parametrize("is_left", [True, False])
def test_late_money_takes_the_goods_if_they_are_there_and_goes_back_if_not(shop: Shop, is_left: bool) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=60)
    number = shop.order(buyer)
    shop.pay(number, "decline")
    shop.work()
    in_transaction(paying.give_up, number=number, to=OrderState.EXPIRED, actor="system", why="not paid in time")
    if not is_left:
        in_transaction(stock.count, shop.apples, difference=-60, reference="test")
    shop.pay(number)
    shop.work()

    assert get(number).state is (OrderState.PAID if is_left else OrderState.EXPIRED)
    assert stock_of(shop.apples) == (40, 0)
    db.session.rollback()
    assert db.session.scalars(select(Refund.fen)).all() == ([] if is_left else [get(number).total_fen])


def test_declined_and_paid_again(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    shop.pay(number, "decline")
    shop.work()

    answer = post(buyer, f"/orders/{number}/payment", {})
    assert answer.status_code == 303 and "/sandbox-cashier/pay/" in answer.headers["Location"]
    shop.pay(number)
    shop.work()

    assert get(number).state is OrderState.PAID
    assert balances(number)["gateway_clearing"] == 4580


def test_cancelled_before_it_is_paid(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)

    for _time in range(2):
        assert post(buyer, f"/orders/{number}/cancellation", {}).status_code == 303

    assert get(number).state is OrderState.CANCELLED
    assert stock_of(shop.apples) == (100, 0)


def test_a_cancellation_that_comes_after_the_money_changes_nothing(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    shop.pay(number)

    post(buyer, f"/orders/{number}/cancellation", {})

    assert get(number).state is OrderState.PAID


def test_the_same_checkout_twice_is_one_order(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    page = buyer.get("/checkout")
    data = RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")}
    first = post(buyer, "/checkout", data)
    again = post(buyer, "/checkout", data)

    assert first.status_code == again.status_code == 303
    assert first.headers["Location"] == again.headers["Location"]
    assert orders() == 1 and stock_of(shop.apples) == (100, 1)


def test_late_money_sells_nothing_of_a_listing_that_was_suspended_meanwhile(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2, millet=1)
    number = shop.order(buyer)
    shop.pay(number, "decline")
    shop.work()
    in_transaction(paying.give_up, number=number, to=OrderState.EXPIRED, actor="system", why="not paid in time")
    rotten = select(Variant.listing_id).where(Variant.code == shop.millet).scalar_subquery()
    db.session.execute(update(Listing).where(Listing.id == rotten).values(state=ListingState.SUSPENDED))
    db.session.commit()

    shop.pay(number)
    shop.work()

    assert get(number).state is OrderState.EXPIRED
    assert stock_of(shop.apples) == stock_of(shop.millet) == (100, 0)
    assert db.session.scalars(select(Refund.fen)).all() == [get(number).total_fen]


def test_expiries_do_not_wait_in_one_batch_with_what_is_quick(shop: Shop) -> None:
    for _order in range(2):
        buyer = shop.browser()
        shop.fill(buyer, apples=1)
        shop.order(buyer)

    with time_machine.travel(clock.now() + TIME_TO_PAY + timedelta(seconds=1), tick=False):
        while outbox.deliver():
            pass
        assert stock_of(shop.apples) == (100, 2)
        assert outbox.deliver_slow()
        assert stock_of(shop.apples) == (100, 1)  # one row, with a lease of its own
        assert outbox.deliver_slow() and not outbox.deliver_slow()
    assert stock_of(shop.apples) == (100, 0)
