"""A real browser on the real application: for what only a browser can tell. The pages run in a thread of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from flask import Flask
from playwright.sync_api import Browser, Error, Page, sync_playwright
from werkzeug.serving import make_server

from tests import peers

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 390, 1280)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=peers.chromium(), args=OPTIONS)
        yield chromium
        chromium.close()


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The address at which the application answers meanwhile."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def barriers(page: Page) -> list[str]:
    """What axe finds on the page: rule and element."""
    answer: dict[str, Any] = Axe().run(page, options={"runOnly": WCAG}).response
    return [f"{rule['id']}: {node['html']}" for rule in answer["violations"] for node in rule["nodes"]]


def overflows(page: Page) -> bool:
    """Whether the page is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def is_at_ease(page: Page, widths: tuple[int, ...] = WIDTHS) -> None:
    """The page fits every screen and nothing on it bars anybody's way; left as on a phone."""
    page.wait_for_load_state()
    try:
        fits_and_bars_nobody(page, widths)
    except Error:  # a press may still be on its way to the next page, or the page has looked again by itself
        page.wait_for_load_state()
        fits_and_bars_nobody(page, widths)


def fits_and_bars_nobody(page: Page, widths: tuple[int, ...]) -> None:
    for width in widths:
        page.set_viewport_size({"width": width, "height": 780})
        assert not overflows(page), (page.url, width)
    page.set_viewport_size({"width": 390, "height": 780})
    assert barriers(page) == [], page.url
