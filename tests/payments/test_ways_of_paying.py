"""The sandbox's other ways of paying, and webhooks that suffer on their way: it all ends the same."""

from datetime import timedelta

import pytest
import time_machine

from marketplace.core import clock
from marketplace.orders.states import OrderState
from marketplace.payments.sandbox import faults
from marketplace.payments.states import AttemptState
from tests.orders.conftest import Shop, balances, differences, get, post, shop

__all__ = ["shop"]


def ordered(shop: Shop) -> str:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    return shop.order(buyer)


def test_the_bank_asks_once_more(shop: Shop) -> None:
    number = ordered(shop)
    asked = shop.pay(number, "secure")
    page = shop.browser().get(asked.headers["Location"])
    assert page.status_code == 200 and "是你本人在付款吗" in page.text
    shop.work()
    assert get(number).state is OrderState.PENDING_PAYMENT
    shop.pay(number, "approve")
    shop.work()
    assert get(number).state is OrderState.PAID


def test_a_slow_bank_takes_its_minute_and_nobody_pays_twice(shop: Shop) -> None:
    number = ordered(shop)
    shop.pay(number, "slow")
    shop.work()
    assert shop.cashier.fetch_payment(shop.remote_of(number)).status is AttemptState.PROCESSING
    shop.pay(number, "approve")  # in another tab
    assert not shop.cashier.finish_slow_payments()
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        assert shop.cashier.finish_slow_payments()
        assert not shop.cashier.finish_slow_payments()
        shop.work()
        assert get(number).state is OrderState.PAID
        assert balances(number)["gateway_clearing"] == 3980 + 600
        assert differences(shop) == []


def test_a_code_leads_to_the_same_page_and_back_once_it_was_paid(shop: Shop) -> None:
    number = ordered(shop)
    path = f"/sandbox-cashier/pay/{shop.remote_of(number)}/code"
    page = shop.browser().get(path)
    assert "<svg" in page.text and page.headers["Refresh"] == "3"
    phone, pay = shop.browser(), path.removesuffix("/code")
    action = f"{pay}/decision?scanned=1"
    assert f'action="{action}"' in phone.get(f"{pay}?scanned=1").text
    assert "没有付款" in post(phone, action, {"outcome": "decline"}).text
    asked = post(phone, action, {"outcome": "secure"}).headers["Location"]
    assert f'action="{action}"' in phone.get(asked).text
    paid = post(phone, action, {"outcome": "approve"})
    assert paid.status_code == 200 and "已付款" in paid.text and number not in paid.text  # it may not see the order
    assert shop.browser().get(path).headers["Location"] == f"/orders/{number}?returned=1"


@pytest.mark.parametrize("suffered", faults.FAULTS)
def test_whatever_webhooks_suffer_the_order_is_paid_once(shop: Shop, suffered: str) -> None:
    shop.cashier.faults = faults.read(suffered)
    number = ordered(shop)
    shop.pay(number)
    for minutes in range(3):
        with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
            shop.work()
    assert get(number).state is OrderState.PAID
    assert balances(number)["gateway_clearing"] == 3980 + 600
    assert differences(shop) == []


def test_an_unknown_fault_is_refused_at_the_start() -> None:
    assert faults.read(" drop, corrupt ") == ("drop", "corrupt")
    with pytest.raises(ValueError, match="thunder"):
        faults.read("drop,thunder")
