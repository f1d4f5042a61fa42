"""The shop's pages in a browser: nothing in anyone's way, nothing wider than the screen, light at the first visit."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Response
from sqlalchemy.orm import Session

from tests.browser import barriers, overflows, serving

pytestmark = pytest.mark.full
PAGES = ("/", "/search?q=%E8%8B%B9%E6%9E%9C", "/categories/grains?gi=1", "/listings/P0271", "/help", "/categories/none")
FIRST_VIEW = 60_000
REQUESTS = 12


@pytest.fixture
def address(demo_app: Flask, demonstration: Session) -> Iterator[str]:
    demo_app.extensions["page_cache"].pages.clear()
    with serving(demo_app) as address:
        yield address


@pytest.fixture(params=["zh_CN", "en", "elder"])
def context(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        name, value = ("elder", "1") if request.param == "elder" else ("lang", request.param)
        context.add_cookies([{"name": name, "value": value, "url": address}])
        yield context


@pytest.mark.parametrize("path", PAGES)
def test_nothing_stands_in_anyone_s_way(context: BrowserContext, address: str, path: str) -> None:
    page = context.new_page()
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 780})
        page.goto(address + path)
        assert barriers(page) == []
        assert not overflows(page), width


@pytest.mark.parametrize("width", [1280, 390])
def test_the_first_visit_is_light(browser: Browser, address: str, width: int) -> None:
    answers: list[Response] = []
    with browser.new_context(viewport={"width": width, "height": 780}) as context:
        page = context.new_page()
        page.on("response", lambda answer: answers.append(answer))
        page.goto(address, wait_until="networkidle")
        plain = [answer for answer in answers if not re.search("/produce/|/drawings/|/doors", answer.url)]
        weight = sum(answer.request.sizes()["responseBodySize"] for answer in plain)

    assert len(answers) <= REQUESTS, [answer.url for answer in answers]
    assert weight <= FIRST_VIEW


def test_the_buying_button_says_the_sum(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/listings/P0271")
        page.get_by_role("button", name="多一件").click()

        assert page.locator(".product__acts [data-sum]").inner_text() == "立即买 2 份　¥119.60"


def test_filters_work_without_script(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 780}) as context:
        page = context.new_page()
        page.goto(f"{address}/categories/grains")
        page.get_by_role("link", name="筛选").click()
        page.get_by_label("地理标志").check()
        page.get_by_role("button", name="看货").click()

        assert "gi=1" in page.url
        assert page.locator(".chip--on").inner_text().startswith("地理标志")
