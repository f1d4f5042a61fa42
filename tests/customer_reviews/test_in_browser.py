"""Somebody asks before they buy, and says afterwards how it was, with a picture; seller and station take part."""

from pathlib import Path
from typing import Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from listings.customer_reviews.writing import Said
from marketplace.accounts.models import Person
from marketplace.core.db import db
from marketplace.orders import access
from tests.browser import Way, is_at_ease, serving
from tests.customer_reviews.conftest import buy, for_sale
from tests.factories import sign_in_as, signed_in
from tests.orders.casework import picture

pytestmark = pytest.mark.full


def client_of(app: Flask, person: int | None = None, *roles: str) -> FlaskClient:
    client = app.test_client()
    if person is None:
        signed_in(client, *roles)
    else:
        sign_in_as(client, db.session.get_one(Person, person))
    return client


def test_a_review_with_a_picture(real_app: Flask, way: Way, tmp_path: Path) -> None:
    apples = for_sale()
    for stars in (5, 4):
        buy(apples).write(Said(stars, "汁多" * 40))
    bought, goods = buy(apples), f"/listings/{apples.code}"
    clerk, grower = client_of(real_app, None, "station_clerk"), client_of(real_app, apples.seller_id)
    photo = tmp_path / "apple.jpg"
    photo.write_bytes(picture()[0].read())
    with serving(real_app) as home:
        buyer = way.open(home)
        buyer.goto(f"/orders/{bought.number}?key={access.link_key(bought.number)}")
        press(buyer, "link", "东西怎么样？写评价")
        buyer.get_by_label("说说怎么回事").fill("放了三天就面了")
        press(buyer, "button", "交上去")
        expect(buyer.get_by_text("选一下几星。").first).to_be_visible()
        expect(buyer.get_by_label("说说怎么回事")).to_have_value("放了三天就面了")
        is_at_ease(buyer)
        buyer.get_by_text("2 星，不太好").click()
        buyer.get_by_label("拍照片").set_input_files(photo)
        press(buyer, "button", "交上去")
        expect(buyer.get_by_text("大家都能看到")).to_be_visible()
        expect(buyer.get_by_text("等着看")).to_be_visible()
        is_at_ease(buyer)

        desk = way.open(home, clerk)
        desk.goto("/station/reviews")
        is_at_ease(desk)
        press(desk, "link", "吉县红富士苹果")
        is_at_ease(desk)
        press(desk, "button", "这张照片可以显示")

        office = way.open(home, grower)
        office.goto("/seller/reviews")
        is_at_ease(office)
        press(office, "link", "吉县红富士苹果")
        office.get_by_label("你的回答").fill("对不起，那一批采晚了")
        press(office, "button", "回答")
        is_at_ease(office)

        buyer.goto(f"{goods}/reviews")
        expect(buyer.get_by_text("3.7")).to_be_visible()
        expect(buyer.get_by_role("img", name="照片 1")).to_be_visible()
        expect(buyer.get_by_text("对不起，那一批采晚了")).to_be_visible()
        is_at_ease(buyer)
        buyer.goto(goods)
        expect(buyer.get_by_text("放了三天就面了")).to_be_visible()
        is_at_ease(buyer)


def test_a_question_and_its_answer(real_app: Flask, way: Way) -> None:
    apples = for_sale()
    asker, grower = client_of(real_app), client_of(real_app, apples.seller_id)
    with serving(real_app) as home:
        buyer = way.open(home, asker)
        buyer.goto(f"/listings/{apples.code}")
        press(buyer, "link", "问卖家一个问题")
        is_at_ease(buyer)
        press(buyer, "link", "问卖家")
        press(buyer, "button", "问")
        expect(buyer.get_by_text("写上你的问题。").first).to_be_visible()
        is_at_ease(buyer)
        buyer.get_by_label("你的问题").fill("苹果打蜡吗？")
        press(buyer, "button", "问")
        expect(buyer.get_by_text("等回答")).to_be_visible()
        is_at_ease(buyer)

        office = way.open(home, grower)
        office.goto("/seller/questions")
        is_at_ease(office)
        press(office, "link", "苹果打蜡吗？")
        office.get_by_label("你的回答").fill("打我电话 13835172045")
        press(office, "button", "回答")
        expect(office.get_by_label("你的回答")).to_have_value("打我电话 13835172045")
        is_at_ease(office)
        office.get_by_label("你的回答").fill("不打蜡，洗洗就吃")
        press(office, "button", "回答")

        stranger = way.open(home)
        stranger.goto(f"/listings/{apples.code}")
        press(stranger, "link", "卖家答过 1 个问题")
        expect(stranger.get_by_text("不打蜡，洗洗就吃")).to_be_visible()
        is_at_ease(stranger)


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()
