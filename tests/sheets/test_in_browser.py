"""A sheet in a real browser, in all four ways: the page looks again by itself, nothing is too wide, nothing bars the way."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from listings.sheets import working
from marketplace.core.db import db
from tests.browser import Way, is_at_ease, serving
from tests.sheets.conftest import HEADINGS, MILLET, Trader, as_csv, changed, make_categories, make_trader

pytestmark = pytest.mark.full


@pytest.fixture
def trader(real_app: Flask) -> Trader:
    make_categories()
    found = make_trader(real_app)
    found.offer("GA", tiers=((10, 3680),))
    found.offer("GB")
    return found


@pytest.fixture
def page(trader: Trader, way: Way) -> Iterator[Page]:
    with serving(trader.app) as address, at_work(trader.app):
        yield way.open(address, trader.client)


class at_work:
    """The worker, in a thread of its own."""

    def __init__(self, app: Flask) -> None:
        self.stop, self.app = threading.Event(), app
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        with self.app.app_context():
            while not self.stop.is_set():
                if not working.work():
                    self.stop.wait(0.3)
            db.session.remove()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_error: object) -> None:
        self.stop.set()
        self.thread.join()


def choose(page: Page, path: Path, *lines: tuple[str, ...]) -> None:
    path.write_bytes(as_csv(*lines))
    page.goto("/seller/imports")
    page.set_input_files("input[name=sheet]", path)
    press(page, "先看会改什么")


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).click()


def test_from_the_file_to_the_shelf_and_back(page: Page, tmp_path: Path) -> None:
    page.goto("/seller/imports")
    is_at_ease(page)
    heads = (*HEADINGS, "平台编号", "随便")
    bad = changed(MILLET, number="A002", price="39,80", unit="礼盒", title="")
    dearer = ("", "", "小米GA", "5斤箱", "41.50", "25", "次村", MILLET[7], "GA", "")
    same = ("", "小米", "小米GB", "5斤箱", "39.80", "10", "次村", MILLET[7], "GB", "")
    choose(page, tmp_path / "今年的货.csv", heads, (*MILLET, "", "x"), (*bad, "", ""), ("", "小米", *dearer[2:]), same)
    page.get_by_role("heading", name="1 种新货，1 种要改").wait_for()  # the page has looked again by itself
    expect(page.get_by_text("“39,80”不是金额")).to_be_visible()
    is_at_ease(page)
    with page.expect_download() as told:
        page.get_by_role("link", name="下载").first.click()
    assert '3,单价（元）,"39,80",' in told.value.path().read_text("utf-8-sig")
    page.get_by_role("link", name="要改 1").click()
    is_at_ease(page)
    page.get_by_role("link", name="新货 1").click()
    is_at_ease(page)
    press(page, "只办填对的 2 行")
    page.get_by_role("heading", name="办好了 2 行").wait_for()
    is_at_ease(page)
    press(page, "撤销这张表")
    page.get_by_role("heading", name="撤销了 2 行").wait_for()
    is_at_ease(page)
    choose(page, tmp_path / "空.csv", HEADINGS)
    page.get_by_role("alert").wait_for()
    is_at_ease(page)


def test_how_far_it_is_stands_there_meanwhile(trader: Trader, way: Way) -> None:
    trader.send(as_csv(HEADINGS, MILLET))
    with serving(trader.app) as address:
        page = way.open(address, trader.client)
        page.goto("/seller/imports")
        page.get_by_role("link", name="打开").click()
        expect(page.locator("progress")).to_be_visible()
        with at_work(trader.app):
            page.get_by_role("heading", name="1 种新货").wait_for(timeout=15_000)
