"""The stations as a visitor meets them: narrow and wide, in both languages, larger, by keyboard."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.browser import barriers, overflows, serving

pytestmark = pytest.mark.full
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def address(demo_app: Flask) -> Iterator[str]:
    with serving(demo_app) as url:
        yield url


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    contexts = []

    def go(path: str, width: int = 390, cookie: str = "", script: bool = True) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 780}, java_script_enabled=script, bypass_csp=True)
        contexts.append(context)
        if cookie:
            name, _equals, value = cookie.partition("=")
            context.add_cookies([{"name": name, "value": value, "url": address}])
        page = context.new_page()
        page.goto(address + path)
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "cookie"), [(390, ""), (320, "lang=en"), (390, "elder=1"), (1280, "")])
@pytest.mark.parametrize("path", ["/stations", "/stations?prefecture=141100", "/stations/141028"])
def test_nothing_is_in_anybodys_way(visit: Visit, path: str, width: int, cookie: str) -> None:
    page = visit(path, width, cookie)

    assert barriers(page) == []
    assert not overflows(page)


def test_a_keyboard_passes_the_map_or_walks_it(visit: Visit) -> None:
    page = visit("/stations")
    page.locator(".skip--here").focus()

    page.keyboard.press("Tab")
    on_the_map = page.evaluate("document.activeElement.getAttribute('href')")
    page.locator(".skip--here").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert on_the_map == "/stations/140122"
    assert page.evaluate("document.activeElement.closest('.places__list') !== null")


def test_every_mark_is_large_enough_for_a_finger_on_a_narrow_phone(visit: Visit) -> None:
    page = visit("/stations")

    sizes = page.evaluate("[...document.querySelectorAll('.map__target')].map(each => each.getBoundingClientRect().width)")

    assert len(sizes) == 58 and min(sizes) >= 23.5


def test_without_script_a_press_on_the_map_opens_the_station(visit: Visit) -> None:
    page = visit("/stations?prefecture=141000", script=False)

    page.locator('a.map__mark[href="/stations/141028"] .map__arch').click()

    assert page.url.endswith("/stations/141028")
    assert page.locator("h1").inner_text() == "吉县站"
