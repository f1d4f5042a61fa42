"""What only a browser can tell of coupons, presents and invoices: nothing too wide, nothing in the way, nothing lost."""

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from marketplace.core.db import in_transaction
from marketplace.orders.access import link_key
from marketplace.orders.invoices import requesting
from tests import factories
from tests.browser import Way, is_at_ease, serving
from tests.orders.conftest import Shop, shop
from tests.orders.invoices.test_invoices import PERSON
from tests.orders.promotions.conftest import Counter
from tests.orders.promotions.promoting import promotion

__all__ = ["shop"]
pytestmark = pytest.mark.full


def signed_in_page(shop: Shop, page: Page, address: str, *roles: str) -> None:
    client: FlaskClient = shop.browser()
    factories.signed_in(client, *roles)
    cookie = client.get_cookie("session")
    assert cookie
    page.context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])


def test_a_buyer_uses_a_code_writes_a_card_and_asks_for_an_invoice(shop: Shop, way: Way) -> None:
    made, draft = promotion(), promotion(code="WANQIU", is_live=False)
    with serving(shop.app) as address:
        page = way.open(address)
        page.goto("/help")
        item: dict[str, str | float | bool] = {"variant": shop.apples, "quantity": "3", "action": "add"}
        page.request.post("/cart/items", form=item, headers={"Origin": address})
        page.goto("/checkout")
        page.get_by_label("姓名").fill("郭晓芸")
        page.get_by_text("用优惠券码").click()
        page.get_by_label("优惠券码").fill("nosuch")
        with page.expect_navigation():
            page.get_by_role("button", name="用这个券码").click()
        expect(page.locator("#coupon-note")).to_contain_text("没有这个券码")
        page.get_by_label("优惠券码").fill("xinqiu")
        with page.expect_navigation():
            page.get_by_role("button", name="用这个券码").click()
        expect(page.locator(".sums")).to_contain_text("−¥10.00")
        expect(page.get_by_label("姓名")).to_have_value("郭晓芸")
        page.get_by_text("当礼物寄").click()
        page.locator("summary", has_text="要发票").click()
        is_at_ease(page)
        page.get_by_label("手机号").fill("13835172045")
        page.get_by_label("城市和区县").fill("太原 小店区")
        page.get_by_label("街道门牌").fill("平阳路 128 号")
        page.get_by_label("卡片上写的话").fill("姥姥生日快乐")
        page.get_by_label("发票抬头").fill("郭晓芸")
        page.get_by_label("收发票的邮箱").fill("guo@example.test")
        is_at_ease(page)
        number = Counter(shop.apples, shop.millet).order(code="XINQIU", apples=3)
        in_transaction(requesting.request, number=number, wanted=PERSON, actor="guest")
        page.goto(f"/orders/{number}?key={link_key(number)}")
        expect(page.locator(".sums")).to_contain_text("−¥10.00")
        is_at_ease(page)
        page.get_by_role("link", name="你的发票").click()
        is_at_ease(page)
        signed_in_page(shop, page, address, "operator")
        for path in ("", "/new", f"/{made}", f"/{draft}/terms"):
            page.goto(f"/operator/promotions{path}")
            is_at_ease(page)
