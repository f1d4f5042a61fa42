"""What people say is moderated, in all four ways: hidden with a reason, brought back; goods go off sale."""

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from listings.customer_reviews.writing import Said
from listings.questions import answering, asking
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
    whose: Any = {"asker_id": make_person().id, "asker_name": "郭晓芸", "language": "zh"}
    question = in_transaction(asking.ask, code=apples.code, words="你家孩子几岁？", **whose)
    in_transaction(answering.answer_as_seller, question=question, seller_id=apples.seller_id, words="这个不说")
    clerk, operator = client_of(real_app, None, "station_manager"), client_of(real_app, None, "operator")
    with serving(real_app) as home:
        desk, author, office, stranger = (way.open(home, each) for each in (clerk, None, operator, None))
        desk.goto("/station/reviews")
        press(desk, "link", "吉县红富士苹果")
        desk.locator("summary", has_text="不让这条评价显示").click()
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
        author.locator("summary", has_text="请省里").click()
        author.get_by_label("为什么该显示").fill("那是站里公开的电话")
        press(author, "button", "请省里来定")
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
        press(office, "link", "你家孩子几岁")
        office.get_by_text("说的不是这件货").click()
        press(office, "button", "删掉")

        press(office, "link", "在卖的货")
        office.get_by_label("哪件货").fill("红富士")
        press(office, "button", "查找")
        is_at_ease(office)
        press(office, "link", "吉县红富士苹果")
        press(office, "button", "下架检查")
        expect(office.get_by_role("alert")).to_be_visible()
        office.get_by_label("原因").fill("检测报告过期")
        press(office, "button", "下架检查")
        expect(office.get_by_text("检测报告过期")).to_be_visible()
        is_at_ease(office)
        expect(opened(stranger, goods).get_by_role("heading", name="吉县红富士苹果")).to_have_count(0)
        office.get_by_label("原因").fill("新报告看过")
        press(office, "button", "恢复上架")
        expect(opened(stranger, goods).get_by_role("heading", name="吉县红富士苹果")).to_be_visible()
        expect(stranger.get_by_text("你家孩子几岁？")).to_have_count(0)


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    return page
