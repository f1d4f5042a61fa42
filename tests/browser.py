"""A real browser on the real application: for what only a browser can tell. The pages run in a thread of the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Error, Page, ViewportSize, sync_playwright
from werkzeug.serving import make_server

from tests import peers
from tests.answering import answering

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 390, 1280)
PHONE: ViewportSize = {"width": 390, "height": 780}
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

# axe waits by timers, which a page without scripts does not run
TIMERS_WITHOUT_SCRIPTS = """
if (matchMedia("(scripting: none)").matches) window.setTimeout = (task) => { Promise.resolve().then(task); return 0; };
"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for the whole session: Playwright runs once in a process."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=peers.chromium(), args=OPTIONS)
        yield launched
        launched.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """Nobody's pages stay open behind a test: they would go on asking, and fill the memory."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@dataclass(frozen=True)
class Way:
    """How somebody meets the pages: on a screen so wide, with scripts or without."""

    browser: Browser
    width: int
    script: bool

    def open(self, home: str, client: FlaskClient | None = None) -> Page:
        """A page of somebody's own; of whoever is signed in with `client`."""
        context = self.browser.new_context(
            base_url=home,
            viewport={"width": self.width, "height": 780},
            java_script_enabled=self.script,
            reduced_motion="reduce",
            bypass_csp=True,  # for axe
        )
        if client and (cookie := client.get_cookie("session")):
            context.add_cookies([{"name": "session", "value": cookie.value, "url": home}])
        return context.new_page()


WAYS = {
    f"{width}-{'with' if script else 'without'}-script": (width, script) for width in (390, 1280) for script in (True, False)
}


EVERY_TIME = ("390-without-script", "1280-with-script")  # each width and each way of life once: a browser is dear


@pytest.fixture(
    params=[
        pytest.param(way, id=name, marks=[] if name in EVERY_TIME else pytest.mark.nightly) for name, way in WAYS.items()
    ]
)
def way(request: pytest.FixtureRequest, browser: Browser) -> Way:
    """For journeys, on one database (conftest.py); what they write has tests on both. At night each is lived in all four
    ways, before that in the two that are as different as can be."""
    return Way(browser, *request.param)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The address at which the application answers meanwhile."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    with answering(server):
        yield f"http://127.0.0.1:{server.port}"


def barriers(page: Page) -> list[str]:
    """What axe finds on the page: rule and element."""
    page.evaluate(TIMERS_WITHOUT_SCRIPTS)
    answer: dict[str, Any] = Axe().run(page, options={"runOnly": WCAG}).response
    return [f"{rule['id']}: {node['html']}" for rule in answer["violations"] for node in rule["nodes"]]


def overflows(page: Page) -> bool:
    """Whether the page is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


SMALL = """() => {
  const seen = (element) => element.offsetParent && element.getBoundingClientRect().width > 2;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const size = parseFloat(getComputedStyle(node.parentElement).fontSize), words = node.textContent.trim();
    const isShown = words && seen(node.parentElement) && !node.parentElement.closest(".slip");
    if (isShown && size > 0 && size < 16) found.push(`${size} px: ${words}`);
  }
  const fields = "select, input:not([type=hidden])";
  for (const each of document.querySelectorAll(`button, .button, .tab, .scan, .queues a, summary, ${fields}`)) {
    const box = (["checkbox", "radio"].includes(each.type) && each.closest("label")) || each;
    const height = Math.round(box.getBoundingClientRect().height);
    if (seen(each) && height < 56) found.push(`${height} px high: ${each.innerText || each.name}`);
  }
  return found;
}"""


def too_small(page: Page) -> list[str]:
    """Of a station's desk on a phone, but for what is printed: type below 16 px, targets below 56."""
    before = page.viewport_size or PHONE
    page.set_viewport_size({"width": 390, "height": before["height"]})
    found: list[str] = page.evaluate(SMALL)
    page.set_viewport_size(before)
    return found


def is_at_ease(page: Page, widths: tuple[int, ...] = WIDTHS) -> None:
    """The page fits every screen and nothing on it bars anybody's way, on a phone; left as wide as it was."""
    page.wait_for_load_state()
    try:
        fits_and_bars_nobody(page, widths)
    except Error:  # a press may still be on its way to the next page, or the page has looked again by itself
        page.wait_for_load_state()
        fits_and_bars_nobody(page, widths)


def fits_and_bars_nobody(page: Page, widths: tuple[int, ...]) -> None:
    before = page.viewport_size or PHONE
    for width in widths:
        page.set_viewport_size({"width": width, "height": before["height"]})
        assert not overflows(page), (page.url, width)
    page.set_viewport_size({"width": 390, "height": before["height"]})
    assert barriers(page) == [], page.url
    page.set_viewport_size(before)
