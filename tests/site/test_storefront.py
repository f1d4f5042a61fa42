"""The shop's pages in a browser: nothing in anyone's way, nothing wider than the screen, light at the first visit."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect
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

        assert page.locator(".product__acts [data-sum]").inner_text() == "买 2 箱 ¥119.60"


def test_filters_work_without_script(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 780}) as context:
        page = context.new_page()
        page.goto(f"{address}/categories/grains")
        page.get_by_role("link", name="筛选").click()
        page.get_by_label("地理标志").check()
        page.locator(".facets__foot button").click()

        assert "gi=1" in page.url
        assert page.locator(".chip--on").inner_text().startswith("地理标志")


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_price_and_button_are_in_the_first_view(browser: Browser, address: str, language: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 780}) as context:
        context.add_cookies([{"name": "lang", "value": language, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/listings/P0002")
        assert bottom(page, ".product__price p") < bottom(page, ".action-bar") - 80
        heights = page.locator(".action-bar .button").evaluate_all("all => all.map(each => each.offsetHeight)")
        assert heights == [48, 48]  # one line each
        page.set_viewport_size({"width": 1280, "height": 720})
        assert bottom(page, ".product__acts") <= 720


def bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box
    return box["y"] + box["height"]


def test_keys_stay_within_the_open_sheet(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=True, viewport={"width": 390, "height": 780}) as context:
        page = context.new_page()
        page.goto(f"{address}/categories/grains#filters")
        for _ in range(40):
            page.keyboard.press("Tab")
            on = page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#filters')")
            assert on


def test_the_larger_size_offers_help_by_telephone_and_a_row_for_the_search(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 780}) as context:
        page = context.new_page()
        page.goto(f"{address}/categories/fresh-fruit?elder=1")  # a shelf needs no index
        expect(page.locator('.elder-help a[href="tel:03515550058"]')).to_be_visible()
        search = page.locator("form.search").bounding_box()
        assert search and search["width"] == 358
        add = page.locator(".item__add button").first.bounding_box()
        assert add and (add["width"], add["height"]) == (56, 56)
        page.goto(f"{address}/search?elder=")
        assert not page.locator(".elder-help").count()


@pytest.mark.parametrize("path", ["/", "/listings/P0271", "/stations/141028"])
def test_a_finger_finds_footer_badges_and_summaries(browser: Browser, address: str, path: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 780}) as context:
        page = context.new_page()
        page.goto(address + path)
        targets = page.locator(".footer a, a.station, main summary, .section__head .link, .facts a[href^='tel:']")
        small = targets.evaluate_all("all => all.filter(each => each.offsetHeight < 44).map(each => each.outerHTML)")
        assert targets.count() and small == []
