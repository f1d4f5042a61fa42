"""再留一会儿: once, while the time runs, and then it ends like any other."""

from datetime import timedelta

import time_machine

from marketplace.core import clock, outbox
from marketplace.orders.placing import TIME_TO_PAY
from marketplace.orders.states import OrderState
from tests.orders.conftest import Shop, get, post, stock_of

WORDS = "再留一会儿"


def deliver(after: timedelta) -> None:
    with time_machine.travel(clock.now() + after, tick=False):
        while outbox.deliver_slow():
            pass


def test_once_and_no_second_time(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    number = shop.order(buyer)
    first = get(number).pay_by
    assert WORDS in buyer.get(f"/orders/{number}").text

    answer = post(buyer, f"/orders/{number}/prolongation", {})
    assert answer.status_code == 303
    assert get(number).pay_by - first == timedelta(minutes=15)
    page = buyer.get(f"/orders/{number}").text
    assert "好，货再给你留 15 分钟" in page and WORDS not in page

    post(buyer, f"/orders/{number}/prolongation", {})
    assert get(number).pay_by - first == timedelta(minutes=15)
    assert "付款时间只能延一回" in buyer.get(f"/orders/{number}").text


def test_the_first_time_is_no_end_any_more_and_the_second_is(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    number = shop.order(buyer)
    post(buyer, f"/orders/{number}/prolongation", {})

    deliver(TIME_TO_PAY + timedelta(seconds=1))
    assert get(number).state is OrderState.PENDING_PAYMENT and stock_of(shop.apples) == (100, 2)

    deliver(2 * TIME_TO_PAY + timedelta(seconds=1))
    assert get(number).state is OrderState.EXPIRED and stock_of(shop.apples) == (100, 0)


def test_too_late_is_too_late(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    number = shop.order(buyer)
    before = get(number).pay_by
    with time_machine.travel(before, tick=False):
        assert WORDS not in buyer.get(f"/orders/{number}").text
        post(buyer, f"/orders/{number}/prolongation", {})
    assert get(number).pay_by == before


def test_nobody_prolongs_what_is_not_theirs(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    number = shop.order(buyer)
    before = get(number).pay_by
    assert post(shop.browser(), f"/orders/{number}/prolongation", {}).status_code == 404
    assert get(number).pay_by == before


def test_what_is_paid_needs_no_time(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    number = shop.order(buyer)
    shop.pay(number)
    shop.work()
    before = get(number).pay_by
    post(buyer, f"/orders/{number}/prolongation", {})
    assert get(number).pay_by == before and get(number).state is OrderState.PAID
