"""After-sales as people live it: a picture, the station's answer, the province's decision; a return seen by the station,
and other goods for it; an order followed and called off."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import update

from marketplace.core.db import db
from marketplace.orders.access import link_key
from marketplace.orders.models import OrderLine
from tests.browser import Way, is_at_ease, serving
from tests.factories import signed_in
from tests.orders.casework import bought, picture, small_boxes
from tests.orders.conftest import Shop
from tests.orders.refunding import clerk_of

__all__ = ["small_boxes"]

pytestmark = pytest.mark.full


@dataclass
class Doors:
    """The pages of whoever takes part."""

    way: Way
    home: str

    def open(self, client: FlaskClient | None = None) -> Page:
        return self.way.open(self.home, client)

    def open_order(self, number: str) -> Page:
        """By the link that a guest has."""
        page = self.open()
        page.goto(f"/orders/{number}?key={link_key(number)}")
        return page


@contextmanager
def doors(shop: Shop, way: Way) -> Iterator[Doors]:
    with serving(shop.app) as home:
        yield Doors(way, home)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (photo := tmp_path / "apple.jpg").write_bytes(picture()[0].read())
    return photo


def test_from_the_picture_to_the_province(shop: Shop, way: Way, photo: Path) -> None:
    order, clerk, operator = bought(shop, 3), clerk_of(shop), shop.browser()
    signed_in(operator, "operator")
    with doors(shop, way) as at:
        buyer = at.open_order(order.number)
        press(buyer, "link", "反映问题")
        buyer.get_by_text("坏了、烂了").click()
        buyer.get_by_label("几件").fill("3")
        buyer.get_by_label("说说怎么回事").fill("三箱都压坏了")
        press(buyer, "button", "交上去")
        expect(buyer.get_by_text("请加一张照片，拍清楚坏的地方。").first).to_be_visible()
        expect(buyer.get_by_label("说说怎么回事")).to_have_value("三箱都压坏了")
        is_at_ease(buyer)
        buyer.get_by_label("拍照片").set_input_files(photo)
        press(buyer, "button", "交上去")
        is_at_ease(buyer)
        mine = buyer.url
        expect(buyer.get_by_role("img", name="照片 1")).to_be_visible()
        expect(buyer.get_by_text("等站里答复")).to_be_visible()

        desk = at.open(clerk)
        desk.goto("/station")
        press(desk, "link", "售后")
        is_at_ease(desk)
        press(desk, "link", "坏了、烂了")
        is_at_ease(desk)
        desk.locator("summary", has_text="不同意").click()
        desk.get_by_label("原因").fill("照片上看不出来")
        press(desk, "button", "不同意")

        buyer.goto(mine)
        buyer.locator("summary", has_text="请省里来定").click()
        buyer.get_by_label("想让省里知道的话").fill("箱子角上都湿了")
        press(buyer, "button", "请省里来定")

        office = at.open(operator)
        office.goto("/operator/cases")
        is_at_ease(office)
        press(office, "link", "坏了、烂了")
        office.get_by_text("由省里承担").click()
        office.get_by_label("原因").fill("运输途中压坏，不怪农户")
        is_at_ease(office)
        press(office, "button", "就这么定")
        expect(office.get_by_text("这笔退款由省里承担")).to_be_visible()
        buyer.goto(mine)
        expect(buyer.get_by_text("运输途中压坏，不怪农户")).to_be_visible()
        is_at_ease(buyer)


def test_small_damage_with_a_picture_goes_back_at_once(shop: Shop, way: Way, photo: Path) -> None:
    order = bought(shop, 3)
    db.session.execute(update(OrderLine).values(return_policy="fresh_excluded"))
    db.session.commit()
    with doors(shop, way) as at:
        buyer = at.open_order(order.number)
        is_at_ease(buyer)
        press(buyer, "link", "反映问题")
        buyer.get_by_text("坏了、烂了").click()
        buyer.get_by_label("拍照片").set_input_files(photo)
        buyer.get_by_label("说说怎么回事").fill("一箱压坏了")
        press(buyer, "button", "交上去")
        expect(buyer.get_by_text("已退回").first).to_be_visible()
        expect(buyer.get_by_text("¥23.32").first).to_be_visible()
        is_at_ease(buyer)
        press(buyer, "link", "回到订单")
        expect(buyer.get_by_text("−¥23.32")).to_be_visible()

        press(buyer, "link", "反映问题")  # of another box only a part: by weight
        buyer.get_by_label("坏了多少斤").fill("6")
        buyer.get_by_label("拍照片").set_input_files(photo)
        buyer.get_by_label("说说怎么回事").fill("烂了四个")
        press(buyer, "button", "交上去")
        expect(buyer.get_by_text("最多5斤。").first).to_be_visible()
        is_at_ease(buyer)
        buyer.get_by_label("坏了多少斤").fill("1")
        press(buyer, "button", "交上去")
        expect(buyer.get_by_text("¥3.99 退回你付款的地方")).to_be_visible()
        is_at_ease(buyer)


def test_the_station_sees_what_comes_back_and_sends_the_same_once_more(shop: Shop, way: Way) -> None:
    order, clerk = bought(shop, 3), clerk_of(shop)
    with doors(shop, way) as at:
        buyer = at.open_order(order.number)
        press(buyer, "link", "反映问题")
        buyer.get_by_text("不是我订的货").click()
        buyer.get_by_label("几件").fill("2")
        buyer.get_by_label("说说怎么回事").fill("送来的是梨")
        buyer.get_by_text("换同样的货").click()
        press(buyer, "button", "交上去")
        mine = buyer.url

        desk = at.open(clerk)
        desk.goto("/station/cases")
        press(desk, "link", "不是我订的货")
        press(desk, "button", "同意退回")
        is_at_ease(desk)
        buyer.reload()
        expect(buyer.get_by_text("吉县新华街 1 号")).to_be_visible()
        is_at_ease(buyer)

        desk.get_by_label("退回来几件").fill("5")
        press(desk, "button", "我看过了，收下")
        expect(desk.get_by_label("退回来几件")).to_have_value("5")
        is_at_ease(desk)
        desk.get_by_label("退回来几件").fill("2")
        press(desk, "button", "我看过了，收下")
        is_at_ease(desk)
        press(desk, "button", "换货")

        buyer.goto(mine)
        press(buyer, "link", "看看换的货到哪了")
        expect(buyer.get_by_text("这是换的货，不收钱。")).to_be_visible()
        is_at_ease(buyer)


def test_an_order_is_followed_and_called_off(shop: Shop, way: Way) -> None:
    number = shop.paid_order(shop.browser(), apples=1, millet=1)
    with doors(shop, way) as at:
        buyer = at.open_order(number)
        expect(buyer.locator(".way")).to_have_count(2)
        if way.width < 900:  # on a phone what lies ahead is folded away
            buyer.locator(".way__ahead summary").first.click()
        expect(buyer.get_by_text("打好包了").first).to_be_visible()
        is_at_ease(buyer)
        buyer.locator("summary", has_text="取消订单").click()
        is_at_ease(buyer)
        late = at.open_order(number)
        late.locator("summary", has_text="取消订单").click()
        press(buyer, "button", "取消订单，退回")
        expect(buyer.get_by_role("heading", level=1)).to_contain_text("取消")
        is_at_ease(buyer)
        press(late, "button", "取消订单，退回")
        expect(late.get_by_role("heading", level=1)).to_contain_text("取消")


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()
