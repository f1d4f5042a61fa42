"""What the desk sees on a phone and on a wide screen: nothing too wide, nothing barred, three presses for a shortage."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.access import link_key
from tests.browser import is_at_ease, serving
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, Shop
from tests.orders.refunding import box
from tests.receiving.conftest import accepted, bring, packs
from tests.receiving.test_substitutes import other_pack

pytestmark = pytest.mark.full
PHONE: ViewportSize = {"width": 390, "height": 780}
WIDE: ViewportSize = {"width": 1280, "height": 900}
SIZES = {"phone": PHONE, "wide": WIDE}
PICTURES = os.environ.get("PICTURES")  # a folder, for whoever wants to see what the test sees


def looks(page: Page, name: str) -> None:
    is_at_ease(page)
    page.set_viewport_size(SIZES[name.partition("-")[0]])
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("name", ["phone", "wide"])
def test_goods_come_in_and_go_out_again(shop: Shop, browser: Browser, name: str) -> None:
    manager = shop.browser()
    signed_in(manager, "station_manager", station=JIXIAN)
    first, second = accepted(shop, apples=2), accepted(shop, apples=3)
    bring(shop, came=2)
    in_transaction(fulfilment.pack, parcel=box(first).public_id, station=JIXIAN, actor="person:1", shelf="B-03")
    instead = other_pack(shop)
    cookie = manager.get_cookie("session")
    assert cookie
    with serving(shop.app) as home:
        context = browser.new_context(base_url=home, viewport=SIZES[name], reduced_motion="reduce", bypass_csp=True)
        context.add_cookies([{"name": "session", "value": cookie.value, "url": home}])
        page = context.new_page()
        page.goto("/station/receiving")
        looks(page, f"{name}-list")
        page.get_by_role("link", name="没到齐").click()
        page.get_by_label("到了几件").fill("2")
        page.get_by_label("其中坏了几件").fill("1")
        page.get_by_text("换别的").click()
        page.get_by_label("换成").select_option(instead)
        looks(page, f"{name}-delivery")
        with page.expect_navigation():
            page.get_by_role("button", name="看看怎么分").click()
        looks(page, f"{name}-plan")
        with page.expect_navigation():
            page.get_by_role("button", name="收下").click()
        looks(page, f"{name}-taken")
        assert packs(second) == [(1, 0, 0)]
        for path in ("", "/sheets", "/sheets/seller", "/sheets/buyer", "/shelf", "/tracking", "/closing", "/details"):
            page.goto(f"/station{path}")
            looks(page, f"{name}-station{path.replace('/', '-')}")
        page.goto("/station/tracking")
        page.get_by_label("表格").fill(f"{first}-1,邮政,9876543210\n{second}-1,邮政,123456")
        with page.expect_navigation():
            page.get_by_role("button", name="看看每行的结果").click()
        looks(page, f"{name}-tracking-checked")
        page.goto("/station/closing")
        with page.expect_navigation():
            page.get_by_role("button", name="结今天的账").click()
        looks(page, f"{name}-closed")
        page.goto(f"/orders/{second}?key={link_key(second)}")
        looks(page, f"{name}-order")
        page.goto("/station/labels")
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-labels.png"))
        context.close()
    db.session.rollback()
