"""In Chromium, on a phone and on a desk, with scripts and without: the start page leads to everything it counts."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db
from tests import factories
from tests.browser import Way, is_at_ease, serving
from tests.console.conftest import HOURS, JIXIAN, QINXIAN, heard, sold
from tests.factories import make_person, sign_in_as

pytestmark = pytest.mark.full


@pytest.fixture
def address(real_app: Flask) -> Iterator[str]:
    factories.make_station(JIXIAN)
    factories.make_station(QINXIAN, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    factories.make_shipping()
    session, now = db.session(), clock.now()
    for hours, after in ((49, None), (50, HOURS), (25, 25 * HOURS), (1, None)):
        sold(session, now - hours * HOURS, after, QINXIAN)
    heard(session, QINXIAN, now - 3 * HOURS)
    db.session.remove()
    with serving(real_app) as url:
        yield url


def office(app: Flask, way: Way, home: str, who: int) -> Page:
    client = app.test_client()
    sign_in_as(client, db.session.get_one(Person, who))
    db.session.remove()
    return way.open(home, client)


def test_the_day_of_the_province(real_app: Flask, way: Way, address: str) -> None:
    page = office(real_app, way, address, make_person("operator", "finance_operator").id)
    page.goto("/operator")
    expect(page.locator(".tile").first).to_have_attribute("href", re.compile("orders"))
    is_at_ease(page)
    page.get_by_role("link", name="看是哪些 沁县站 1 件超 48 小时没发").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("包裹，沁县站")
    is_at_ease(page)
    page.get_by_role("link", name="看所有站").click()
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("沁县站")
    number = page.locator("main table a").first.inner_text().rsplit("-", 1)[0]
    page.get_by_role("searchbox").fill(number)
    page.get_by_role("button", name="查找").click()
    expect(page.locator("main table")).to_contain_text(number)
    is_at_ease(page)
    page.goto("/operator?lang=en")
    page.locator(".today__period summary").click()
    page.get_by_role("link", name="7 days").click()
    expect(page.locator(".today__period summary")).to_contain_text("7 days")
    is_at_ease(page)
    for path in ("/operator/orders", "/operator/gifts", "/operator/work", "/operator/goods-in-review"):
        page.goto(path)
        is_at_ease(page)
