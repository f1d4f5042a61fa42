"""A canteen on a phone: checked, answered, billed, read; nothing too wide, nothing barred."""

import os
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser import is_at_ease, serving
from tests.factories import sign_in_as, signed_in
from tests.institutions.conftest import Canteen, build_canteen
from tests.orders.conftest import build_shop, parcels, put

pytestmark = pytest.mark.full
PHONE: ViewportSize = {"width": 390, "height": 780}


@pytest.fixture
def canteen(real_app: Flask) -> Iterator[Canteen]:
    shop = build_shop(real_app)
    yield build_canteen(shop)
    shop.cashier.storage.dispose()


def test_from_the_checkout_to_the_statement(canteen: Canteen, browser: Browser) -> None:
    shop = canteen.shop
    cook, clerk, operator = shop.browser(), shop.browser(), shop.browser()
    sign_in_as(cook, canteen.payer)
    sign_in_as(operator, canteen.operator)
    signed_in(clerk, "station_clerk")
    number = canteen.order(apples=3)
    canteen.deliver(number)
    put(cook, shop.apples, 1)
    base = f"/institutions/{canteen.public_id}"
    with serving(shop.app) as home:

        def open_page(client: FlaskClient, path: str) -> Page:
            context = browser.new_context(base_url=home, viewport=PHONE, reduced_motion="reduce", bypass_csp=True)
            cookie = client.get_cookie("session")
            assert cookie
            context.add_cookies([{"name": "session", "value": cookie.value, "url": home}])
            page = context.new_page()
            page.goto(path)
            is_at_ease(page)
            return page

        page = open_page(cook, "/checkout")
        page.get_by_text("单位月结：示例小学食堂").click()
        page = open_page(cook, base)
        with page.expect_navigation():
            page.get_by_role("link", name=f"{number}-1").click()
        page.locator("summary", has_text="少了或者不对").click()
        is_at_ease(page)
        page.get_by_label("不收几份").fill("1")
        with page.expect_navigation():
            page.get_by_role("button", name="报给站里").click()
        expect(page.get_by_text("等站里答复")).to_be_visible()

        desk = open_page(clerk, "/station/checks")
        with desk.expect_navigation():
            desk.get_by_role("link", name=f"{number}-1").click()
        is_at_ease(desk)
        with desk.expect_navigation():
            desk.get_by_role("button", name="同意", exact=True).click()
        expect(desk.get_by_text("已从账单扣减")).to_be_visible()

        statement = canteen.bill().public_id
        page = open_page(cook, f"{base}/statements/{statement}")
        expect(page.get_by_role("button", name="¥79.60")).to_be_visible()
        office = open_page(operator, f"/operator{base}")
        expect(office.get_by_text(statement).first).to_be_visible()
        open_page(clerk, f"/station/parcels/{parcels(number)[0].public_id}")
        if folder := os.environ.get("SHOTS"):
            for name, shown in (("statement", page), ("operator", office)):
                shown.screenshot(path=f"{folder}/{name}-again.png", full_page=True)
