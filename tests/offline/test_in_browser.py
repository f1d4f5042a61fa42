"""What only a browser can tell: acts outlive it, leave it once there is a network, and nothing stays after signing out."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, expect
from werkzeug.serving import make_server

from marketplace.accounts import sign_in
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders.models import Parcel
from marketplace.orders.offline.models import DeskAct
from marketplace.orders.offline.views import phone as phone_views
from marketplace.orders.states import ParcelState as S
from tests import factories, peers
from tests.browser import OPTIONS, barriers, overflows
from tests.offline.conftest import TO_THE_SHELF, make_parcel, make_places, state_of

pytestmark = pytest.mark.full
PHONE: ViewportSize = {"width": 390, "height": 780}
KEPT = """async () => ({
    bases: (await indexedDB.databases()).map((each) => each.name),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    stored: Object.keys(localStorage).length + Object.keys(sessionStorage).length,
})"""
NOTHING = {"bases": [], "caches": [], "workers": 0, "stored": 0}


class Station:
    """A station with a server, and phones whose browsers keep what they keep in folders of their own."""

    def __init__(self, app: Flask, browser: Browser, folder: Path, stack: ExitStack) -> None:
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
        options: dict[str, Any] = {"base_url": self.address, "viewport": PHONE, "reduced_motion": "reduce"}
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
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def down(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def station(real_app: Flask, browser: Browser, tmp_path: Path) -> Iterator[Station]:
    make_places()
    with ExitStack() as stack:
        yield Station(real_app, browser, tmp_path, stack)


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


def test_a_day_without_a_network_survives_the_battery(station: Station) -> None:
    parcel, other = make_parcel(delivery="courier"), make_parcel(*TO_THE_SHELF)
    cookie = station.cookie()
    context = station.open("phone")
    page = station.sign_in(context, cookie)
    expect(page.locator("[data-strip]")).to_contain_text("有网")

    context.set_offline(True)
    take(page, parcel, "acceptance")
    take(page, parcel, "collection")
    take(page, parcel, "packing", shelf="C-07")
    find(page, other.pickup_code or "")
    assert page.locator("[data-step=pickup] [name=code]").input_value() == other.pickup_code
    assert page.locator("form[data-step]").count() == 1 and page.evaluate("document.activeElement.textContent") == "交给他"
    page.keyboard.press("Enter")
    expect(page.locator("[data-said]")).to_contain_text("记下了")
    expect(page.locator("[data-strip]")).to_contain_text("4 条记在这部手机里")
    assert marks(page) == ["在手机里"] * 4
    assert acts() == [] and state_of(parcel) is S.AWAITING_ACCEPTANCE

    station.line.down()
    station.kill("phone")
    context = station.open("phone")
    page = context.pages[0]
    page.goto("/station/offline")
    expect(page.locator("[data-strip]")).to_contain_text("4 条记在这部手机里")
    assert marks(page) == ["在手机里"] * 4
    find(page, f"{parcel.order.number}-1")
    expect(page.locator("[data-parcel] .job__shelf")).to_contain_text("C-07")

    context.add_cookies([station.session(cookie)])  # browsers write theirs down every half minute
    station.line.up()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("[data-strip]")).to_contain_text("都送到了")
    expect(page.locator("[data-acts] .tag").first).to_have_text("已送到")
    rows = page.locator("[data-acts] .acts__words").all_inner_texts()
    assert rows[0] == f"交到了 {other.order.number}-1"
    assert acts() == [(step, "applied") for step in ("acceptance", "collection", "packing", "pickup")]
    assert (state_of(parcel), state_of(other)) == (S.PACKED, S.PICKED_UP)


def test_two_phones_hand_over_one_parcel_and_a_person_decides(station: Station) -> None:
    parcel = make_parcel(*TO_THE_SHELF)
    code = parcel.pickup_code or ""
    contexts = [station.open(), station.open()]
    pages = [station.sign_in(context) for context in contexts]
    for context, page in zip(contexts, pages, strict=True):
        context.set_offline(True)
        take(page, parcel, "pickup", code=code)
        find(page, code)  # the same phone knows that it is gone
        expect(page.locator("[data-said]")).to_contain_text("已经记过了")
    contexts[0].set_offline(False)
    expect(pages[0].locator("[data-acts] .tag").first).to_have_text("已送到")
    contexts[1].set_offline(False)
    expect(pages[1].locator("[data-acts] .tag").first).to_have_text("有冲突")
    assert [state for _step, state in acts()].count("applied") == 1

    pages[1].goto("/station/conflicts")
    assert barriers(pages[1]) == [] and not overflows(pages[1])
    pages[1].get_by_label("查到的情况").fill("是一家人，取了一次")
    pages[1].get_by_role("button", name="就这么定").click()
    expect(pages[1].locator("main")).to_contain_text("都对得上")
    pages[1].goto("/station/offline")
    expect(pages[1].locator("[data-acts] .tag").first).to_have_text("已送到")


def test_a_wrong_code_is_refused_without_asking_anybody(station: Station) -> None:
    parcel = make_parcel(*TO_THE_SHELF)
    code = parcel.pickup_code or ""
    context = station.open()
    page = station.sign_in(context)
    context.set_offline(True)
    find(page, f"{parcel.order.number}-1")
    form = page.locator("form[data-step=pickup]")
    page.evaluate("() => { window.felt = []; navigator.vibrate = (pattern) => felt.push(pattern); }")
    for number in range(1, 7):
        form.locator("[name=code]").fill(f"{code[:8]}{(int(code[8]) + number) % 10}")
        form.locator("button").click()
        expect(page.locator("[data-said]")).to_contain_text("取货码不对" if number < 6 else "错了太多次")
    assert marks(page) == [] and page.evaluate("felt") == [[200, 80, 200]] * 6


def test_signing_out_leaves_nothing(station: Station) -> None:
    parcel = make_parcel()
    context = station.open()
    page = station.sign_in(context)
    take(page, parcel, "acceptance")
    expect(page.locator("[data-acts] .tag").first).to_have_text("已送到")
    kept = page.evaluate(KEPT)
    assert set(kept["bases"]) == {"desk", "desk-acts"} and len(kept["caches"]) == 1 and kept["workers"] == 1

    page.goto("/account")
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/")

    assert page.evaluate(KEPT) == NOTHING
    context.set_offline(True)
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        page.goto("/station/offline")


def test_what_was_not_delivered_is_told_before_signing_out(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    parcel = make_parcel()
    context = station.open()
    page = station.sign_in(context)
    monkeypatch.setitem(station.app.view_functions, "desk_phone.create_acts", lambda: ("", 503))
    take(page, parcel, "acceptance")

    page.goto("/account")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("alert")).to_contain_text("还有 1 条只记在这部手机里")
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/")
    assert page.evaluate(KEPT) == NOTHING


def test_a_session_that_ended_elsewhere_leaves_nothing_readable_and_loses_nothing(station: Station) -> None:
    parcel = make_parcel()
    person = factories.make_person("station_clerk")

    def cookie() -> str:
        client = station.app.test_client()
        factories.sign_in_as(client, person)
        found = client.get_cookie("session")
        assert found
        return str(found.value)

    context = station.open()
    page = station.sign_in(context, cookie())
    context.set_offline(True)
    take(page, parcel, "acceptance")
    end_sessions(person.id)
    context.set_offline(False)
    expect(page.locator("[data-strip]")).to_contain_text("已经退出登录")
    expect(page.locator("[data-work]")).not_to_be_visible()
    page.goto("/sign-in")
    page.wait_for_timeout(300)
    assert page.evaluate(KEPT) == NOTHING | {"bases": ["desk-acts"]}
    assert parcel.public_id in page.evaluate(PLACES)  # the label's code, and nothing else that can be read

    page = station.sign_in(context)  # another person, who sees and sends none of it
    assert marks(page) == [] and acts() == []
    page = station.sign_in(context, cookie())
    expect(page.locator("[data-acts] .tag").first).to_have_text("已送到")
    assert acts() == [("acceptance", "applied")]


PLACES = """() => new Promise((done) => {
    const asked = indexedDB.open("desk-acts");
    asked.onsuccess = () => {
        const all = asked.result.transaction("rows").objectStore("rows").getAll();
        all.onsuccess = () => done(all.result.map((row) => row.place).join(" "));
    };
})"""


def end_sessions(person: int) -> None:
    in_transaction(sign_in.end_others, person_id=person, but="")


def test_the_next_person_at_the_phone_sees_only_their_own(station: Station) -> None:
    first = make_parcel()
    context = station.open()
    page = station.sign_in(context)
    take(page, first, "acceptance")
    expect(page.locator("[data-acts] .tag").first).to_have_text("已送到")

    page = station.sign_in(context)

    assert marks(page) == []


def test_the_page_is_in_nobodys_way(station: Station) -> None:
    parcel = make_parcel(*TO_THE_SHELF)
    make_parcel("acceptance", "collection")
    page = station.sign_in(station.open())
    find(page, f"{parcel.order.number}-1")
    expect(page.locator("form[data-step=pickup]")).to_be_visible()
    page.locator("[data-queues] summary").nth(2).click()
    assert barriers(page) == []
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 780})
        assert not overflows(page)
        sizes = page.eval_on_selector_all(
            "main button, main summary, main input",
            "all => all.filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect().height)",
        )
        assert min(sizes) >= (44 if width > 899 else 56)


CAMERA = """(code) => {
    window.BarcodeDetector = class {
        static async getSupportedFormats() { return ["qr_code"]; }
        async detect() { return [{ rawValue: code }]; }
    };
    const canvas = document.createElement("canvas");
    setInterval(() => canvas.getContext("2d").fillRect(0, 0, 9, 9), 50);
    navigator.mediaDevices.getUserMedia = async () => window.stream = canvas.captureStream();
}"""


def test_a_camera_reads_the_code_where_the_browser_can(station: Station) -> None:
    parcel = make_parcel(*TO_THE_SHELF)
    context = station.open()
    page = station.sign_in(context)
    assert not page.locator("[data-scan]").is_visible()
    context.add_init_script(f"({CAMERA})('{station.address}/parcels/{parcel.public_id}')")
    page.reload()
    page.locator("[data-scan]").click()

    expect(page.locator("form[data-step=pickup]")).to_be_visible()
    expect(page.locator("[data-camera]")).not_to_be_visible()
    assert page.evaluate("stream.getTracks().map((track) => track.readyState)") == ["ended"]


def test_a_new_version_takes_the_place_of_the_old_one(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    page = station.sign_in(station.open())
    (before,) = page.evaluate("caches.keys()")
    made = phone_views.worker_text
    monkeypatch.setattr(phone_views, "worker_text", lambda shell: made(shell).replace(before.removeprefix("desk-"), "2"))
    page.evaluate("navigator.serviceWorker.getRegistration('/station/').then((worker) => worker.update())")
    page.wait_for_function("caches.keys().then((names) => names.join() === 'desk-2')")


def test_a_phone_can_install_it(station: Station) -> None:
    page = station.sign_in(station.open())
    chrome = page.context.new_cdp_session(page)
    found = chrome.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {error["errorId"] for error in found} <= {"in-incognito"}
    assert chrome.send("Page.getAppManifest")["errors"] == []


def test_another_language_is_kept_like_the_first_and_ends_nothing(station: Station) -> None:
    parcel = make_parcel()
    context = station.open()
    page = station.sign_in(context)
    take(page, parcel, "acceptance")
    expect(page.locator("[data-acts] .tag").first).to_have_text("已送到")
    page.goto("/station/offline?lang=en")
    expect(page.locator("[data-acts] .tag").first).to_have_text("delivered")
    context.set_offline(True)
    page.goto("/station/offline")
    expect(page.locator("[data-strip]")).to_contain_text("No network, carry on")
    assert page.locator("html").get_attribute("lang") == "en"


def test_a_list_of_before_yesterday_is_dropped_with_its_keys(station: Station) -> None:
    make_parcel(*TO_THE_SHELF)
    context = station.open()
    page = station.sign_in(context)
    context.set_offline(True)
    page.clock.set_fixed_time(clock.now() + timedelta(days=1))
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("[data-strip]")).to_contain_text("这不是今天的单子")
    page.clock.set_fixed_time(clock.now() + timedelta(days=2))
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("[data-strip]")).to_contain_text("还没有今天的单子")
    assert page.evaluate(KEYS) == 0


KEYS = """() => new Promise((done) => {
    const asked = indexedDB.open("desk");
    asked.onsuccess = () => {
        const keys = asked.result.transaction("rows").objectStore("rows").get("keys");
        keys.onsuccess = () => done(Object.keys(keys.result).length);
    };
})"""


def test_where_another_page_of_the_desk_was_asked_for_the_kept_one_opens(station: Station) -> None:
    make_parcel()
    context = station.open()
    page = station.sign_in(context)
    page.reload()
    context.set_offline(True)
    page.goto("/station/queues/acceptance")
    expect(page.locator("[data-strip]")).to_contain_text("没网了")
    assert page.url.endswith("/station/offline")
