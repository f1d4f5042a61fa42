"""What a shop says of paying: test money where it is test money, nothing of it where it is not, and that nothing is open."""

import pytest

from marketplace.payments.gateways import current_book, gateways
from tests.orders.conftest import RECIPIENT, Shop, hidden, post, stock_of
from tests.orders.test_bad_input import orders

TEST_MONEY = "测试钱"


def test_the_sandbox_says_that_it_is_test_money(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    page = buyer.get("/checkout").text
    assert "测试收银台" in page and TEST_MONEY in page


def test_a_real_gateway_is_not_called_test_money(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.cashier, "book", "live")
    monkeypatch.setitem(gateways().by_name, "stripe", shop.cashier)
    monkeypatch.setattr(gateways(), "chosen", "stripe")
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    page = buyer.get("/checkout").text
    assert "网上付款" in page and TEST_MONEY not in page and "测试收银台" not in page


def test_a_catalogue_has_pages_to_read_and_takes_no_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways(), "chosen", "")
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    page = buyer.get("/checkout")
    assert "还没开通付款" in page.text and TEST_MONEY not in page.text

    answer = post(buyer, "/checkout", RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")})

    assert answer.status_code == 503 and "还没开通付款" in answer.text
    assert f'value="{RECIPIENT["street"]}"' in answer.text
    assert orders() == 0 and stock_of(shop.apples) == (100, 0)
    assert current_book() == "test"
    assert buyer.get("/ledger").status_code == 200
