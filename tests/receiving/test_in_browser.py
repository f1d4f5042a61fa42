"""A station's day as its pages show it, in all four ways: what growers bring, what goes out, what waits on the shelf."""

import os
import re
from pathlib import Path
from typing import Literal

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from marketplace.core.db import in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.access import link_key
from marketplace.orders.states import ParcelState as S
from tests.browser import Way, is_at_ease, serving, too_small
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, Shop, get, parcels
from tests.orders.refunding import box
from tests.receiving.conftest import accepted, bring, packs
from tests.receiving.test_substitutes import other_pack

pytestmark = pytest.mark.full
PICTURES = os.environ.get("PICTURES")  # a folder, for whoever wants to see what the test sees


def looks(page: Page, way: Way, name: str) -> None:
    is_at_ease(page)
    if "/station" in page.url:
        assert too_small(page) == [], page.url
    if PICTURES:
        kind = f"{way.width}{'' if way.script else '-plain'}"
        page.screenshot(path=str(Path(PICTURES) / f"{name}-{kind}.png"), full_page=True)


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()


def manager_of(shop: Shop) -> FlaskClient:
    manager = shop.browser()
    signed_in(manager, "station_manager", station=JIXIAN)
    return manager


def test_a_grower_brings_too_little_and_the_buyer_takes_something_else(shop: Shop, way: Way) -> None:
    first, second = accepted(shop, apples=2), accepted(shop, apples=3)
    bring(shop, came=2)
    instead = other_pack(shop)
    with serving(shop.app) as home:
        desk = way.open(home, manager_of(shop))
        desk.goto("/station")
        looks(desk, way, "desk")
        press(desk, "link", "收货")
        looks(desk, way, "receiving")
        press(desk, "link", "没到齐")
        desk.get_by_label("到了几件").fill("1")
        desk.get_by_label("其中坏了几件").fill("2")
        press(desk, "button", "看看怎么分")
        expect(desk.get_by_role("alert").first).to_be_visible()
        assert desk.get_by_label("其中坏了几件").input_value() == "2"
        is_at_ease(desk)
        desk.get_by_label("到了几件").fill("2")
        desk.get_by_label("其中坏了几件").fill("1")
        desk.get_by_text("换别的").click()
        desk.get_by_label("换成").select_option(instead)
        looks(desk, way, "delivery")
        press(desk, "button", "看看怎么分")
        looks(desk, way, "plan")
        press(desk, "button", "收下")
        expect(desk.get_by_text("收下了").first).to_be_visible()
        assert (packs(first), packs(second)) == ([(2, 0, 0)], [(1, 0, 0)])
        is_at_ease(desk)

        buyer = way.open(home)
        buyer.goto(f"/orders/{second}?key={link_key(second)}")
        expect(buyer.get_by_text("换成这个要不要")).to_be_visible()
        looks(buyer, way, "offer")
        press(buyer, "button", "要，换吧")
        expect(buyer.get_by_text("4斤箱 × 2")).to_be_visible()
        looks(buyer, way, "taken")

        desk.goto(f"/station/parcels/{box(second).public_id}")
        looks(desk, way, "parcel")
        with desk.expect_navigation():
            desk.locator("main").get_by_role("link", name="退款").click()
        expect(desk.get_by_text("4斤箱，每件 ¥30.00")).to_be_visible()
        looks(desk, way, "refund")
    assert packs(second) == [(1, 0, 0), (0, 0, 0)]


def test_parcels_are_put_together_labelled_and_leave_by_the_carriers_table(shop: Shop, way: Way) -> None:
    first, second = accepted(shop, apples=2), accepted(shop, apples=1)
    with serving(shop.app) as home:
        desk = way.open(home, manager_of(shop))
        desk.goto("/station/receiving")
        press(desk, "button", "全到了")
        desk.goto("/station/sheets")
        looks(desk, way, "sheets")
        for name in ("按农户", "按货架", "按买家"):
            press(desk, "link", name)
            expect(desk.get_by_text(f"{first}-1").first).to_be_attached()
            looks(desk, way, f"sheet-{name}")
            desk.goto("/station/sheets")
        press(desk, "link", "面单，直接打印")
        assert desk.get_by_text("扫一扫，看这箱从哪来").count() == 2
        looks(desk, way, "labels")

        for shelf, number in (("A-2", first), ("A-11", second)):
            desk.goto("/station/parcels")
            desk.get_by_role("textbox").first.fill(f"{number}-1")
            desk.get_by_role("textbox").first.press("Enter")
            desk.wait_for_url("**/station/parcels/*")
            press(desk, "button", "打好包，放这个货架")
            expect(desk.get_by_role("alert").first).to_be_visible()
            desk.get_by_label("货架").fill(shelf)
            press(desk, "button", "打好包，放这个货架")
        desk.goto("/station/pick-list")
        assert desk.get_by_text(re.compile(r"^A-\d+$")).all_inner_texts() == ["A-2", "A-11"]
        looks(desk, way, "pick-list")

        desk.goto("/station/tracking")
        table = f"面单,快递,单号\n{first}-1,邮政,9876543210\n{second}-1,邮政,12\nSX-22222222-1,邮政,1234567"
        desk.get_by_label("文件").set_input_files(
            {"name": "单号.csv", "mimeType": "text/csv", "buffer": table.encode("gb18030")}
        )
        press(desk, "button", "看看每行的结果")
        looks(desk, way, "tracking")
        press(desk, "button", "发走 1 个包裹")
        expect(desk.get_by_text("1 个包裹").first).to_be_visible()
        is_at_ease(desk)
    assert [parcels(number)[0].state for number in (first, second)] == [S.SHIPPED, S.PACKED]


def test_what_waits_on_the_shelf_is_given_to_who_knows_the_code(shop: Shop, way: Way) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "person:1"}
    in_transaction(fulfilment.accept, **told)
    in_transaction(fulfilment.collect, **told)
    in_transaction(fulfilment.pack, **told, shelf="B-03")
    in_transaction(fulfilment.make_ready, **told)
    code = parcels(number)[0].pickup_code or ""
    with serving(shop.app) as home:
        desk = way.open(home, manager_of(shop))
        desk.goto("/station/shelf")
        looks(desk, way, "shelf")
        desk.get_by_label("取货码").fill("000 000 000")
        press(desk, "button", "找包裹")
        expect(desk.get_by_role("alert").first).to_be_visible()
        is_at_ease(desk)
        desk.get_by_label("取货码").fill(f"{code[:3]} {code[3:6]} {code[6:]}")
        press(desk, "button", "找包裹")
        looks(desk, way, "pickup")
        press(desk, "button", "交给他")
        is_at_ease(desk)
        desk.goto("/station/shelf")
        expect(desk.get_by_text("这里没有等着的。")).to_be_visible()
        desk.get_by_label("取货码").fill(code)
        press(desk, "button", "找包裹")
        expect(desk.get_by_role("alert").first).to_be_visible()
    assert parcels(number)[0].state is S.PICKED_UP and get(number).number == number


def test_hours_and_capacity_are_changed_and_the_day_is_closed(shop: Shop, way: Way) -> None:
    accepted(shop, apples=2)
    with serving(shop.app) as home:
        desk = way.open(home, manager_of(shop))
        desk.goto("/station/details")
        desk.get_by_label("开门时间（中文）").fill("每天 8:30-18:00，周日到中午")
        desk.get_by_label("一天能打几个包裹").fill("0")
        press(desk, "button", "保存")
        expect(desk.get_by_role("alert").first).to_be_visible()
        assert desk.get_by_label("开门时间（中文）").input_value() == "每天 8:30-18:00，周日到中午"
        looks(desk, way, "details")
        desk.get_by_label("一天能打几个包裹").fill("120")
        press(desk, "button", "保存")
        press(desk, "link", "看看站的页面")
        expect(desk.get_by_text("每天 8:30-18:00，周日到中午").first).to_be_visible()
        is_at_ease(desk)

        desk.goto("/station/closing")
        looks(desk, way, "closing")
        press(desk, "button", "结今天的账")
        expect(desk.get_by_text("今天已经结了")).to_be_visible()
        looks(desk, way, "closed")
        if way.script:  # what was said lies above the last rows for some seconds, and goes when it is pressed
            desk.get_by_text("今天结好了").click()
        with desk.expect_navigation():
            desk.locator("a[href^='/station/closing/']").first.click()
        expect(desk.get_by_text("这些数和账本一致")).to_be_visible()
        looks(desk, way, "closed-day")
