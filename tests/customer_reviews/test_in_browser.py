"""Somebody says on a phone how their apples were, and everybody's page of them fits and bars nobody's way."""

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from listings.customer_reviews.writing import Said
from marketplace.orders import access
from tests.browser import is_at_ease, serving
from tests.customer_reviews.conftest import buy, for_sale

pytestmark = pytest.mark.full


def test_a_review_on_a_phone(real_app: Flask, browser: Browser) -> None:
    apples = for_sale()
    for stars in (5, 4):
        buy(apples).write(Said(stars, "汁多" * 40))
    bought, goods = buy(apples), f"/listings/{apples.code}"
    with serving(real_app) as url:
        page = browser.new_page(viewport={"width": 390, "height": 780})
        page.goto(f"{url}/orders/{bought.number}?key={access.link_key(bought.number)}")
        with page.expect_navigation():
            page.get_by_role("link", name="东西怎么样？写评价").click()
        is_at_ease(page)
        page.get_by_text("2 星，不太好").click()
        page.get_by_label("说说怎么回事").fill("放了三天就面了")
        with page.expect_navigation():
            page.get_by_role("button", name="交上去").click()
        expect(page.get_by_text("大家都能看到")).to_be_visible()
        is_at_ease(page)
        for path in (goods, f"{goods}/reviews", f"{goods}/questions"):
            page.goto(url + path)
            is_at_ease(page)
        page.goto(f"{url}{goods}/reviews")
        expect(page.get_by_text("3.7")).to_be_visible()
        page.close()
