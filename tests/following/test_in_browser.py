"""A buyer keeps goods in mind, asks to be told, and compares; a message leads back, and ends with one press."""

from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from listings.following import watching
from listings.models import Listing, Variant
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from tests.browser import Way, is_at_ease, serving
from tests.factories import (
    make_category,
    make_listing,
    make_person,
    make_shipping,
    make_station,
    make_variant,
    signed_in,
)

pytestmark = pytest.mark.full


def test_from_the_heart_to_the_message(real_app: Flask, way: Way) -> None:
    goods_for_sale()
    client = real_app.test_client()
    signed_in(client)
    with serving(real_app) as home:
        page = way.open(home, client)
        page.goto("/search")
        press(page, "button", "收藏 苹果1号")
        assert page.url.endswith("/search#G1-1")
        expect(page.get_by_role("link", name="已收藏 苹果1号，看我的收藏")).to_be_visible()
        is_at_ease(page)
        page.goto("/listings/G2")
        press(page, "button", "加收藏")
        expect(page.get_by_role("link", name="已收藏，看我的收藏")).to_be_visible()

        page.goto("/account/favourites")
        page.get_by_label("比一比 苹果1号").check()
        page.get_by_label("比一比 苹果2号").check()
        press(page, "button", "比一比勾上的")
        expect(page.locator(".compare__best")).to_have_count(1)
        is_at_ease(page)

        page.goto("/account/favourites")
        press(page, "link", "提醒我什么 苹果1号")
        page.get_by_label("降价了告诉我").check()
        page.get_by_label("这个价或更低").fill("四十")
        press(page, "button", "保存")
        assert page.get_by_label("这个价或更低").input_value() == "四十"
        is_at_ease(page)
        page.get_by_label("这个价或更低").fill("25")
        press(page, "button", "保存")
        expect(page.get_by_text("降价会告诉你。")).to_be_visible()
        is_at_ease(page)

        become_cheaper("G1", 2000)
        page.goto(told())
        is_at_ease(page)
        press(page, "button", "不再发这件货的消息")
        expect(page.get_by_text("你不会再收到这件货的消息")).to_be_visible()
        page.goto("/account/favourites")
        expect(page.get_by_text("比收藏时便宜 ¥19.80")).to_be_visible()
        press(page, "button", "移走 苹果1号")
        press(page, "button", "放回去")
        expect(page.get_by_text("比收藏时便宜 ¥19.80")).to_be_visible()
        is_at_ease(page)


def goods_for_sale() -> None:
    make_station()
    make_category()
    make_shipping()
    seller = make_person("seller").id
    for number, fen in enumerate((3980, 2980, 4980), start=1):
        listing = make_listing(code=f"G{number}", seller_id=seller, title_zh=f"苹果{number}号", is_demo=True)
        make_variant(listing, code=f"G{number}-1", price_fen=fen)


def become_cheaper(code: str, fen: int) -> None:
    db.session.query(Variant).filter_by(code=f"{code}-1").update({"price_fen": fen})
    db.session.query(Listing).filter_by(code=code).update({"version": Listing.version + 1})
    db.session.commit()
    while in_transaction(watching.look):
        pass


def told() -> str:
    """Where the one message leads."""
    (text,) = [row.text for row in db.session.query(Message)]
    return "/favourites/" + text.rpartition("/favourites/")[2]


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()
