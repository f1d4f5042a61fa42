"""After-sales on a phone: a picture, the station's answer, the province's decision; nothing too wide, nothing barred."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import update

from marketplace.core.db import db
from marketplace.orders.access import link_key
from marketplace.orders.models import OrderLine
from tests.browser import is_at_ease, serving
from tests.factories import signed_in
from tests.orders.casework import bought, picture
from tests.orders.conftest import Shop
from tests.orders.refunding import clerk_of

pytestmark = pytest.mark.full
PHONE: ViewportSize = {"width": 390, "height": 780}


def test_from_the_picture_to_the_province(shop: Shop, browser: Browser, tmp_path: Path) -> None:
    order, clerk, operator = bought(shop, 3), clerk_of(shop), shop.browser()
    signed_in(operator, "operator")
    db.session.execute(update(OrderLine).values(return_policy="7d_no_reason"))
    db.session.commit()
    photo = tmp_path / "apple.jpg"
    photo.write_bytes(picture()[0].read())
    with serving(shop.app) as home:

        def open_page(client: FlaskClient | None = None) -> Page:
            context = browser.new_context(base_url=home, viewport=PHONE, reduced_motion="reduce", bypass_csp=True)
            if client and (cookie := client.get_cookie("session")):
                context.add_cookies([{"name": "session", "value": cookie.value, "url": home}])
            return context.new_page()

        buyer = open_page()
        buyer.goto(f"/orders/{order.number}?key={link_key(order.number)}")
        buyer.get_by_role("link", name="反映问题").click()
        is_at_ease(buyer)
        buyer.get_by_text("坏了、烂了").click()
        buyer.get_by_label("几件").fill("2")
        buyer.get_by_label("拍照片").set_input_files(photo)
        buyer.get_by_label("说说怎么回事").fill("两箱都压坏了")
        press(buyer, "交上去")
        is_at_ease(buyer)
        mine = buyer.url
        expect(buyer.get_by_role("img", name="照片 1")).to_be_visible()
        expect(buyer.get_by_text("等站里答复")).to_be_visible()

        desk = open_page(clerk)
        desk.goto("/station")
        desk.get_by_role("link", name="售后").first.click()
        is_at_ease(desk)
        desk.get_by_role("link", name="坏了、烂了").click()
        is_at_ease(desk)
        desk.locator("summary", has_text="不同意").click()
        desk.get_by_label("原因").fill("照片上看不出来")
        press(desk, "不同意")
        is_at_ease(desk)

        buyer.goto(mine)
        buyer.locator("summary", has_text="请省里来定").click()
        buyer.get_by_label("想让省里知道的话").fill("箱子角上都湿了")
        press(buyer, "请省里来定")
        is_at_ease(buyer)

        office = open_page(operator)
        office.goto("/operator/cases")
        is_at_ease(office)
        office.get_by_role("link", name="坏了、烂了").click()
        office.get_by_text("由省里承担").click()
        office.get_by_label("原因").fill("运输途中压坏，不怪农户")
        is_at_ease(office)
        press(office, "就这么定")
        expect(office.get_by_text("这笔退款由省里承担")).to_be_visible()
        is_at_ease(office)
        buyer.goto(mine)
        expect(buyer.get_by_text("运输途中压坏，不怪农户")).to_be_visible()
        is_at_ease(buyer)
        for page in (buyer, desk, office):
            page.context.close()


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).click()
