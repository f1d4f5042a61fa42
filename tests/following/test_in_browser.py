"""A buyer keeps goods in mind, asks to be told, and compares: in a browser, on a phone."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from listings.following import watching
from listings.models import Listing, Variant
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from tests.browser import is_at_ease, serving
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


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 780}, bypass_csp=True)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_from_the_heart_to_the_message(real_app: Flask, page: Page) -> None:
    make_station()
    make_category()
    make_shipping()
    seller = make_person("seller").id
    for number, fen in enumerate((3980, 2980, 4980), start=1):
        listing = make_listing(code=f"G{number}", seller_id=seller, title_zh=f"苹果{number}号", is_demo=True)
        make_variant(listing, code=f"G{number}-1", price_fen=fen)
    client = real_app.test_client()
    signed_in(client)
    cookie = client.get_cookie("session")
    assert cookie is not None
    with serving(real_app) as address:
        page.context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        for number in (1, 2):
            page.goto(f"{address}/listings/G{number}")
            with page.expect_navigation():
                page.get_by_role("button", name="加收藏").click()
            expect(page.get_by_role("link", name="已收藏")).to_be_visible()

        page.goto(f"{address}/account/favourites")
        page.get_by_label("比一比 苹果1号").check()
        page.get_by_label("比一比 苹果2号").check()
        with page.expect_navigation():
            page.get_by_role("button", name="比一比勾上的").click()
        expect(page.locator(".compare__best")).to_have_count(1)
        is_at_ease(page)

        page.goto(f"{address}/account/favourites/G1-1")
        page.get_by_label("降价了告诉我").check()
        with page.expect_navigation():
            page.get_by_role("button", name="保存").click()
        expect(page.get_by_text("降价会告诉你。")).to_be_visible()
        is_at_ease(page)

        db.session.query(Variant).filter_by(code="G1-1").update({"price_fen": 2000})
        db.session.query(Listing).filter_by(code="G1").update({"version": Listing.version + 1})
        db.session.commit()
        while in_transaction(watching.look):
            pass
        (text,) = [row.text for row in db.session.query(Message)]
        page.goto(address + "/favourites/" + text.rpartition("/favourites/")[2])
        is_at_ease(page)
        with page.expect_navigation():
            page.get_by_role("button", name="不再发这件货的消息").click()
        expect(page.get_by_text("你不会再收到这件货的消息")).to_be_visible()
