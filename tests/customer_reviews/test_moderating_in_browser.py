"""What people say is moderated, in all four ways: hidden with a reason, asked about, brought back; goods off sale and back."""

import pytest
from flask import Flask
from playwright.sync_api import expect

from listings.customer_reviews.writing import Said
from listings.questions import asking
from marketplace.core.db import in_transaction
from marketplace.orders import access
from tests.browser import Way, is_at_ease, serving
from tests.customer_reviews.conftest import buy, for_sale
from tests.customer_reviews.test_in_browser import client_of, press
from tests.factories import make_person

pytestmark = pytest.mark.full


def test_station_author_and_province_decide_about_words_and_goods(real_app: Flask, way: Way) -> None:
    apples = for_sale()
    goods, number = f"/listings/{apples.code}", (bought := buy(apples)).number
    bought.write(Said(1, "站里的电话 13835172045 没人接"))
    asked = {"listing": apples.code, "person_id": make_person().id, "words": "你家孩子几岁？"}
    in_transaction(asking.ask, **asked)
    clerk, operator = client_of(real_app, None, "station_manager"), client_of(real_app, None, "operator")
    with serving(real_app) as home:
        desk, author, office, stranger = (way.open(home, each) for each in (clerk, None, operator, None))
        desk.goto("/station/reviews")
        press(desk, "link", "吉县红富士苹果")
        desk.locator("summary", has_text="不显示这条评价").click()
        press(desk, "button", "不显示")
        expect(desk.get_by_role("alert")).to_be_visible()  # nobody hides without a reason
        is_at_ease(desk)
        desk.get_by_text("写了人名、电话或住址").click()
        press(desk, "button", "不显示")

        stranger.goto(f"{goods}/reviews")
        expect(stranger.get_by_text("没有显示：写了人名、电话或住址")).to_be_visible()
        is_at_ease(stranger)
        author.goto(f"/orders/{number}?key={access.link_key(number)}")
        author.goto(f"/orders/{number}/reviews/{bought.line}")
        author.get_by_label("想让省里知道的话").fill("那是站里公开的电话")
        press(author, "button", "请省里看")
        is_at_ease(author)

        office.goto("/operator/reviews")
        is_at_ease(office)
        press(office, "link", "吉县红富士苹果")
        office.get_by_text("恢复显示").click()
        office.get_by_label("为什么").fill("站里的电话是公开的")
        press(office, "button", "就这么定")
        stranger.reload()
        expect(stranger.get_by_text("13835172045")).to_be_visible()

        office.goto("/operator/questions")
        is_at_ease(office)
