"""Buying together on a phone, from the product to the complete group; nothing too wide, nothing barred."""

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from marketplace.accounts.models import Person
from marketplace.core.db import db
from tests import factories
from tests.browser import Way, is_at_ease, serving
from tests.groups.conftest import Market
from tests.orders.conftest import RECIPIENT, latest

pytestmark = pytest.mark.full


def test_two_buyers_complete_what_a_seller_offers(real_market: Market, way: Way) -> None:
    market = real_market
    listing = market.shop.apples.rpartition("-")[0]
    seller = market.shop.browser()
    factories.sign_in_as(seller, db.session.get_one(Person, market.seller))
    with serving(market.shop.app) as home:
        market.shop.cashier.base_url = home

        buyer = way.open(home)
        buyer.goto(f"/listings/{listing}")
        is_at_ease(buyer)
        press(buyer, "link", "我来开团")
        buyer.get_by_label("数量").fill("2")
        press(buyer, "button", "重新算钱")
        is_at_ease(buyer)
        order(buyer)
        first = latest().number
        market.pay(first)
        buyer.goto(f"/orders/{first}")
        expect(buyer.get_by_text("已付 2 件，共要 3 件").last).to_be_visible()
        is_at_ease(buyer)
        press(buyer, "link", "叫上亲友")
        expect(buyer.get_by_role("img", name="这个团的二维码")).to_be_visible()
        is_at_ease(buyer)

        friend = way.open(home)
        friend.goto(buyer.url)
        press(friend, "button", "参加拼团")
        order(friend, phone="13835172099")
        market.pay(latest().number)
        buyer.reload()
        expect(buyer.get_by_text("已成团，还可以参加。")).to_be_visible()
        is_at_ease(buyer)

        office = way.open(home, seller)
        office.goto("/seller/group-offers")
        is_at_ease(office)
        press(office, "button", "结束拼团")
        press(office, "link", "开放拼团")
        is_at_ease(office)


def order(page: Page, **changes: str) -> None:
    """Fill in whom it is for, and go to the cashier."""
    given = RECIPIENT | changes
    for name in ("recipient", "phone", "city", "street"):
        page.locator(f"[name={name}]").fill(given[name])
    press(page, "button", "提交订单，去付款")


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()
