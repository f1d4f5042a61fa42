"""Phones at a station: browsers that keep what they keep, and a way to the house that can be down."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, expect
from werkzeug.serving import make_server

from marketplace.core.db import db
from marketplace.orders.models import Parcel
from marketplace.orders.offline.models import DeskAct
from tests import factories, peers
from tests.answering import LOOKS
from tests.browser import OPTIONS
from tests.offline.conftest import make_places

WIDTHS = (390, 1280)


class Station:
    """A station with a server, and phones whose browsers keep what they keep in folders of their own."""

    def __init__(self, app: Flask, browser: Browser, folder: Path, stack: ExitStack, width: int = 390) -> None:
        self.size: ViewportSize = {"width": width, "height": 780}
        self.app, self.browser, self.folder, self.stack = app, browser, folder, stack
        self.line = Line(app)
        self.address = f"http://127.0.0.1:{self.line.port}"
        stack.callback(self.line.down)

    def cookie(self, *roles: str) -> str:
        client = self.app.test_client()
        factories.signed_in(client, *(roles or ("station_clerk",)))
        cookie = client.get_cookie("session")
        assert cookie
        return str(cookie.value)

    def session(self, value: str) -> Any:
        return {"name": "session", "value": value, "url": self.address, "expires": time.time() + 86400}

    def open(self, name: str = "") -> BrowserContext:
        """A browser with the profile `name`, as it was left; without a name one that begins anew."""
        options: dict[str, Any] = {"base_url": self.address, "viewport": self.size, "reduced_motion": "reduce"}
        if name:
            options |= {"executable_path": peers.chromium(), "args": OPTIONS}
            context = self.browser.browser_type.launch_persistent_context(str(self.folder / name), **options)
        else:
            context = self.browser.new_context(**options)
        context.set_default_timeout(10_000)
        self.stack.callback(close, context)
        return context

    def sign_in(self, context: BrowserContext, cookie: str = "") -> Page:
        """On the desk's page, with a list and a service worker."""
        context.add_cookies([self.session(cookie or self.cookie())])
        page = context.pages[0] if context.pages else context.new_page()
        page.goto("/station/offline")
        expect(page.locator("[data-work]")).to_be_visible()
        page.evaluate("navigator.serviceWorker.ready.then(() => {})")
        return page

    def kill(self, name: str) -> None:
        """As if the battery had been taken out."""
        for process in psutil.process_iter(["cmdline"]):
            if f"--user-data-dir={self.folder / name}" in (process.info["cmdline"] or []):
                os.kill(process.pid, signal.SIGKILL)


def close(context: BrowserContext) -> None:
    with suppress(Error):  # it was killed
        context.close()


class Line:
    """The way to the house, which can be down for everything that wants to pass, service workers as well."""

    def __init__(self, app: Flask) -> None:
        self.app, self.port = app, 0
        self.up()

    def up(self) -> None:
        self.server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self.port = self.server.port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs=LOOKS)
        self.thread.start()

    def down(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def station(real_app: Flask, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Station]:
    """With phones; `parametrize("station", WIDTHS, indirect=True)` for a journey at the width of a phone and of a desk."""
    make_places()
    with ExitStack() as stack:
        yield Station(real_app, browser, tmp_path, stack, getattr(request, "param", 390))


def find(page: Page, text: str) -> None:
    page.fill("#code", text)
    page.press("#code", "Enter")


def take(page: Page, parcel: Parcel, step: str, **entered: str) -> None:
    find(page, f"{parcel.order.number}-1")
    form = page.locator(f"form[data-step={step}]")
    for name, value in entered.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button").click()
    expect(page.locator("[data-said]")).to_contain_text("记下了")


def marks(page: Page) -> list[str]:
    return page.locator("[data-acts] .tag").all_inner_texts()


def acts() -> list[tuple[str, str]]:
    db.session.rollback()
    return [(row.step, row.state.value) for row in db.session.query(DeskAct).order_by(DeskAct.sequence)]
