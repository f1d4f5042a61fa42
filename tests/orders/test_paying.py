"""Money that comes late, twice, never; goods that two people want."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from listings import stock
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.orders import paying
from marketplace.orders.models import Order
from marketplace.orders.placing import TIME_TO_PAY
from marketplace.orders.states import OrderState
from marketplace.payments.models import Refund
from tests import factories
from tests.orders.conftest import RECIPIENT, Shop, balances, get, hidden, post, put, stock_of


def expire_all(shop: Shop) -> None:
    with time_machine.travel(clock.now() + TIME_TO_PAY + timedelta(seconds=1), tick=False):
        outbox.deliver()


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
    other = post(buyer, "/checkout", data | {"recipient": "别人"})

    assert first.status_code == again.status_code == 303
    assert first.headers["Location"] == again.headers["Location"]
    assert other.status_code == 409
    assert orders() == 1 and stock_of(shop.apples) == (100, 1)


def race(shop: Shop, buyers: int) -> list[int]:
    """Everybody has the last pack in their cart and presses at once; returns the answers' statuses."""
    last = factories.make_variant(factories.make_listing(), stock_on_hand=1).code
    clients = [shop.browser() for _number in range(buyers)]
    forms: list[dict[str, Any]] = []
    for client in clients:
        put(client, last, 1)
        page = client.get("/checkout")
        forms.append(RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")})
    db.session.remove()
    start = Barrier(min(buyers, 16))

    def press(number: int) -> str:
        if number < start.parties:
            start.wait()
        return str(post(clients[number], "/checkout", forms[number]).headers.get("Location", ""))

    with ThreadPoolExecutor(start.parties) as pool:
        answers = list(pool.map(press, range(buyers)))
    assert stock_of(last) == (1, 1)
    return [1 if "sandbox-cashier" in answer else 0 for answer in answers]


@pytest.mark.parametrize("buyers", [16, pytest.param(200, marks=pytest.mark.full)])
def test_the_last_pack_goes_to_one_buyer(shop: Shop, buyers: int) -> None:
    answers = race(shop, buyers)

    assert sorted(answers) == [0] * (buyers - 1) + [1]
    assert orders() == 1


def test_without_our_check_the_database_refuses(shop: Shop) -> None:
    reserve = text("UPDATE variant SET reserved = reserved + 101 WHERE code = :code")

    with pytest.raises(IntegrityError):
        db.session.execute(reserve, {"code": shop.apples})
    db.session.rollback()

    assert stock_of(shop.apples) == (100, 0)
