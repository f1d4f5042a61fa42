"""A canteen: checked, answered, billed, read, paid at the bank; nothing too wide, nothing barred."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from marketplace.core import clock
from marketplace.orders.institutions.states import StatementState
from tests.browser import Way, is_at_ease, serving
from tests.factories import sign_in_as, signed_in
from tests.institutions.conftest import Canteen, build_canteen
from tests.institutions.test_appeals import refuse
from tests.orders.casework import picture
from tests.orders.conftest import build_shop, parcels, put

pytestmark = pytest.mark.full


@pytest.fixture
def canteen(real_app: Flask) -> Iterator[Canteen]:
    shop = build_shop(real_app)
    yield build_canteen(shop)
    shop.cashier.storage.dispose()


def test_from_the_checkout_to_the_statement(canteen: Canteen, way: Way) -> None:
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
            page = way.open(home, client)
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
        page.get_by_label("拍照片").set_input_files(
            {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture()[0].read()}
        )
        with page.expect_navigation():
            page.get_by_role("button", name="报给站里").click()
        expect(page.get_by_text("等站里答复")).to_be_visible()

        desk = open_page(clerk, "/station/checks")
        with desk.expect_navigation():
            desk.get_by_role("link", name=f"{number}-1").click()
        is_at_ease(desk)
        expect(desk.get_by_alt_text("照片 1")).to_be_visible()
        with desk.expect_navigation():
            desk.get_by_role("button", name="同意", exact=True).click()
        expect(desk.get_by_text("已从账单扣减")).to_be_visible()

        statement = canteen.bill().public_id
        page = open_page(cook, f"{base}/statements/{statement}")
        expect(page.get_by_role("button", name="¥79.60")).to_be_visible()
        office = open_page(operator, f"/operator{base}")
        expect(office.get_by_text(statement).first).to_be_visible()
        with office.expect_navigation():
            office.get_by_role("link", name=f"{number}-1").click()
        is_at_ease(office)
        expect(office.get_by_alt_text("照片 1")).to_be_visible()
        office = open_page(operator, f"/operator{base}")
        open_page(clerk, f"/station/parcels/{parcels(number)[0].public_id}")

        office.locator("summary", has_text="记一笔银行转账").click()
        is_at_ease(office)
        office.get_by_label("到账金额（元）").fill("79.60")
        office.get_by_label("银行流水号").fill("N2026112600017")
        office.get_by_label("转账日期").fill(clock.today().isoformat())
        press(office, "登记")
        page = open_page(cook, f"{base}/statements/{statement}")
        expect(page.get_by_text("收到银行转账 ¥79.60")).to_be_visible()
        other = shop.browser()
        signed_in(other, "finance_operator")
        second = open_page(other, "/operator/bank-transfers")
        press(second, "银行查到了，确认")
        expect(second.get_by_text("两人已确认")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name=statement)).to_be_visible()
        assert canteen.statements()[0].state is StatementState.PAID


def test_where_the_station_does_not_agree_the_province_is_asked(canteen: Canteen, way: Way) -> None:
    refused, shop = refuse(canteen), canteen.shop
    cook, operator = shop.browser(), shop.browser()
    sign_in_as(cook, canteen.payer)
    sign_in_as(operator, canteen.operator)
    with serving(shop.app) as home:
        page, office = way.open(home, cook), way.open(home, operator)
        page.goto(f"/institutions/{canteen.public_id}/parcels/{refused.parcel}")
        page.locator("summary", has_text="请省里来定").click()
        press(page, "请省里来定")
        is_at_ease(page)
        page.get_by_label("想让省里知道的话").fill("箱子是湿的")
        press(page, "请省里来定")
        expect(page.get_by_text("省里还没有答复")).to_be_visible()
        office.goto("/operator/institutions")
        is_at_ease(office)
        with office.expect_navigation():
            office.get_by_role("link", name=f"{refused.number}-1").click()
        is_at_ease(office)
        office.get_by_label("原因").fill("照片看得清")
        press(office, "从账单扣减")
        page.reload()
        expect(page.get_by_text("省里认为单位有理")).to_be_visible()
        is_at_ease(page)


def press(page: Page, name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).first.click()
