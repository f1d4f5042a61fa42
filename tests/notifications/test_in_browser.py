"""What only a browser can tell of keys and addresses for programs: nothing is too wide, nothing bars the way."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.notifications import delivering
from marketplace.notifications.models import Delivery
from marketplace.notifications.reaching import Answer
from tests.browser import is_at_ease, serving
from tests.factories import make_person, make_token, sign_in_as
from tests.notifications.partners import enter, tell

pytestmark = pytest.mark.full
LONG = "https://events.example.org/" + "a-very-long-path/" * 12


@pytest.fixture
def page(real_app: Flask, browser: Browser) -> Iterator[Page]:
    """A clerk's browser; one key, one address, one event that was not taken, with a long answer."""
    client, person = real_app.test_client(), make_person("station_clerk", name="郝建军")
    sign_in_as(client, person)
    make_token(person)
    enter(person, LONG)
    tell(person)
    row = db.session.scalars(select(Delivery)).one()
    answer = Answer(500, "<html>" + "x" * 1000, "", 230)
    in_transaction(delivering.note, delivery=row.id, answer=answer, at=clock.now())
    db.session.remove()
    cookie = client.get_cookie("session")
    assert cookie
    with serving(real_app) as address:
        size: ViewportSize = {"width": 390, "height": 780}
        context = browser.new_context(base_url=address, viewport=size, reduced_motion="reduce", bypass_csp=True)
        context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        yield context.new_page()
        context.close()


def test_a_key_and_an_address_are_made_where_nothing_bars_the_way(page: Page) -> None:
    for path in ("/account", "/account/tokens", "/account/webhooks", "/account/messages"):
        page.goto(path)
        is_at_ease(page)

    page.goto("/account/tokens/new")
    is_at_ease(page)
    page.get_by_label("给哪个程序用").fill("站里的进销存")
    page.get_by_label("接单、打包").check()
    page.get_by_role("button", name="建密钥").click()
    expect(page.get_by_text("pav_").first).to_be_visible()
    is_at_ease(page)

    page.goto("/account/webhooks/new")
    page.get_by_label("地址").fill("http://127.0.0.1/")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert")).to_be_visible()
    is_at_ease(page)
    page.get_by_label("地址").fill("https://example.org/events")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("whsec_").first).to_be_visible()
    is_at_ease(page)

    page.goto("/account/webhooks")
    page.get_by_role("link", name="a-very-long-path").click()
    is_at_ease(page)
    page.get_by_role("link", name="订单已付款").click()
    is_at_ease(page)
