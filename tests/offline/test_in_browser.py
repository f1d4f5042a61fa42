"""What only a browser can tell: acts outlive it, leave it once there is a network, and codes are known without one."""

import re
import threading
from typing import Any

import pytest
from playwright.sync_api import Error, expect

from marketplace.orders.offline import manifest
from marketplace.orders.offline.views import phone as phone_views
from marketplace.orders.states import ParcelState as S
from marketplace.payments.disputes.standing import PaymentIsDisputed
from tests.browser import barriers, overflows
from tests.offline.browsing import WIDTHS, Station, acts, find, marks, station, take
from tests.offline.conftest import TO_THE_SHELF, make_parcel, state_of, take as at_the_desk

__all__ = ["station"]

pytestmark = pytest.mark.full


@pytest.mark.parametrize("station", WIDTHS, indirect=True)
def test_a_day_without_a_network_survives_the_battery(station: Station) -> None:
    parcel, other = make_parcel(delivery="courier"), make_parcel(*TO_THE_SHELF)
    cookie = station.cookie()
    context = station.open("phone")
    page = station.sign_in(context, cookie)
    expect(page.locator("[data-strip]")).to_contain_text("有网")
    queues = page.locator("[data-queues] summary")
    assert queues.all_inner_texts()[0].split() == ["新订单", "1", "件今天要办", "1"]
    assert [text.split() for text in queues.all_inner_texts()[4:]] == [["当面交", "1"], ["在路上", "0"]]

    context.set_offline(True)
    expect(page.locator("[data-strip]")).to_have_text("没网了，照常干活。记下的来网自己送。")
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


@pytest.mark.parametrize("station", WIDTHS, indirect=True)
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


@pytest.mark.parametrize("station", WIDTHS, indirect=True)
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
    assert marks(page) == [] and page.evaluate("felt.slice(-6)") == [[200, 80, 200]] * 6


def test_the_page_is_in_nobodys_way(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    parcel = make_parcel(*TO_THE_SHELF)
    make_parcel("acceptance", "collection")
    monkeypatch.setattr(manifest, "MOST", 1)
    page = station.sign_in(station.open())
    expect(page.locator("[data-updated]")).to_contain_text("还有 1 个，办完这些就排上来")
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


TRACKS = "stream.getTracks().map((track) => track.readyState)"
LOOKED_AWAY = """() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    delete document.hidden;
}"""


def test_a_camera_reads_the_code_where_the_browser_can(station: Station) -> None:
    parcel = make_parcel(*TO_THE_SHELF)
    context = station.open()
    page = station.sign_in(context)
    expect(page.locator("[data-scan]")).not_to_be_visible()
    context.add_init_script(f"({CAMERA})('{station.address}/parcels/{parcel.public_id}')")
    page.reload()
    page.locator("[data-scan]").click()

    expect(page.locator("form[data-step=pickup]")).to_be_visible()
    expect(page.locator("[data-camera]")).not_to_be_visible()
    assert page.evaluate(TRACKS) == ["ended"]

    for lost in (LOOKED_AWAY, "stream.getTracks()[0].stop()"):  # another page is looked at; the phone takes the camera away
        page.evaluate("BarcodeDetector.prototype.detect = async () => []")
        page.locator("[data-scan]").click()
        expect(page.locator("[data-camera]")).to_be_visible()
        page.evaluate(lost)
        expect(page.locator("[data-camera]")).not_to_be_visible()
        assert page.evaluate(TRACKS) == ["ended"]

    page.goto(f"{station.address}/station/parcels")  # the same with a network
    page.locator("[data-scan]").click()
    page.wait_for_url(f"**/station/parcels/{parcel.public_id}")


def test_a_new_version_takes_the_place_of_the_old_one(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    page = station.sign_in(station.open())
    (before,) = page.evaluate("caches.keys()")
    made = phone_views.worker_text
    monkeypatch.setattr(phone_views, "worker_text", lambda shell: made(shell).replace(before.removeprefix("desk-"), "2"))
    page.evaluate("navigator.serviceWorker.getRegistration('/station/').then((worker) => worker.update())")
    page.wait_for_function("caches.keys().then((names) => names.join() === 'desk-2')")


def test_a_page_of_a_new_version_is_not_kept_by_the_old_one(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which lacks what the page is made of: the network may go before the new version has all of it."""
    context = station.open()
    page = station.sign_in(context)
    page.reload()
    shown = station.app.view_functions["desk_phone.show_phone"]

    def of_another_version() -> Any:
        return re.sub(r"/static/js/desk\.\w+\.js", "/static/js/desk.0123456789.js", str(shown()))

    monkeypatch.setitem(station.app.view_functions, "desk_phone.show_phone", of_another_version)
    page.goto("/station/offline")
    context.set_offline(True)

    page.goto("/station/offline")

    expect(page.locator("[data-work]")).to_be_visible()


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
    expect(page.locator("[data-acts] .tag").first).to_have_text("reached the books")
    context.set_offline(True)
    page.goto("/station/offline")
    expect(page.locator("[data-strip]")).to_contain_text("No network, carry on")
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("station", WIDTHS, indirect=True)
@pytest.mark.parametrize("path", ["/station", "/station?lang=zh", "/station/queues/acceptance"])
def test_where_another_page_of_the_desk_was_asked_for_the_kept_one_opens(station: Station, path: str) -> None:
    make_parcel()
    context = station.open()
    page = station.sign_in(context)
    page.reload()
    context.set_offline(True)
    page.goto(path)
    expect(page.locator("[data-strip]")).to_contain_text("没网了")
    assert page.url.endswith("/station/offline")


def test_the_shops_list_of_stations_is_not_the_desks(station: Station) -> None:
    context = station.open()
    page = station.sign_in(context)
    page.goto("/stations")
    (kept,) = page.evaluate("caches.keys()")
    addresses = page.evaluate(f"caches.open('{kept}').then((it) => it.keys()).then((all) => all.map((each) => each.url))")
    assert len(addresses) == 6 and not any(address.endswith("/stations") for address in addresses)
    context.set_offline(True)
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.goto("/stations")


def test_a_worker_of_before_makes_room(station: Station) -> None:
    page = station.sign_in(station.open())
    page.evaluate("navigator.serviceWorker.register('/station/worker.js', { scope: '/station/' })")
    page.wait_for_function("navigator.serviceWorker.getRegistrations().then((all) => all.length === 2)")
    page.goto("/station/offline")
    scopes = (
        "navigator.serviceWorker.getRegistrations().then((all) => all.map((each) => new URL(each.scope).pathname).join()"
    )
    page.wait_for_function(f"{scopes} === '/station')")


def test_what_was_set_aside_does_not_stand_in_the_phone_any_more(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says where the parcel stands: an act without effect neither hides that nor keeps its place."""
    parcel = make_parcel("acceptance", "collection", "packing", delivery="courier")
    page = station.sign_in(station.open())

    def refuse(_session: object, number: str) -> None:
        raise PaymentIsDisputed(number)

    with monkeypatch.context() as patch:
        patch.setattr("marketplace.orders.disputed.refuse_disputed", refuse)
        take(page, parcel, "dispatch", carrier="邮政", tracking_number="YT123456")
        expect(page.locator("[data-acts] .tag").first).to_have_text("有冲突")
        expect(page.locator("[data-strip]")).to_contain_text("有 1 条对不上")
    page.goto("/station/conflicts")
    page.get_by_label("这条作废").check()
    page.get_by_label("查到的情况").fill("还在架上")
    page.get_by_role("button", name="就这么定").click()
    page.goto("/station/offline")
    expect(page.locator("[data-acts] .tag").first).to_have_text("已送到")

    take(page, parcel, "dispatch", carrier="邮政", tracking_number="YT123456")

    expect(page.locator("[data-acts] .tag")).to_have_text(["已送到", "已送到"])
    assert acts() == [("dispatch", "dismissed"), ("dispatch", "applied")]


@pytest.mark.parametrize("station", WIDTHS, indirect=True)
def test_a_code_leads_to_a_parcel_that_nobody_came_for(station: Station) -> None:
    parcel = make_parcel(*TO_THE_SHELF)
    at_the_desk(parcel, "no-show")
    context = station.open()
    page = station.sign_in(context)
    context.set_offline(True)
    find(page, parcel.pickup_code or "")
    page.locator("form[data-step=second-shelving] button").click()
    expect(page.locator("[data-said]")).to_contain_text("记下了")
    find(page, parcel.pickup_code or "")
    page.locator("form[data-step=pickup] button").click()
    expect(page.locator("[data-said]")).to_contain_text("记下了")
    find(page, parcel.pickup_code or "")
    expect(page.locator("[data-said]")).to_contain_text("已经记过了")
    context.set_offline(False)
    expect(page.locator("[data-acts] .tag")).to_have_text(["已送到", "已送到"])
    assert state_of(parcel) is S.PICKED_UP


@pytest.mark.parametrize("station", WIDTHS, indirect=True)
def test_what_the_house_would_not_take_is_said_while_it_can_be_mended(station: Station) -> None:
    parcel = make_parcel("acceptance", "collection", "packing", delivery="courier")
    context = station.open()
    page = station.sign_in(context)
    context.set_offline(True)
    find(page, f"{parcel.order.number}-1")
    form = page.locator("form[data-step=dispatch]")
    form.locator("[name=carrier]").fill("邮政")
    for number in ("YT123", "邮政 123456"):
        form.locator("[name=tracking_number]").fill(number)
        form.locator("button").click()
        expect(page.locator("[data-said]")).to_contain_text("快递单号是 6 到 40 位")
    assert marks(page) == []
    form.locator("[name=tracking_number]").fill("YT123456")
    form.locator("button").click()
    expect(page.locator("[data-said]")).to_contain_text("记下了")


HELD = """() => {
    const sign = crypto.subtle.sign.bind(crypto.subtle);
    const held = new Promise((done) => { window.goOn = done; });
    crypto.subtle.sign = async (...what) => { await held; return sign(...what); };
}"""


def test_a_step_is_of_the_parcel_that_it_was_entered_for(station: Station) -> None:
    """Though a scanner opens another while its code is looked at."""
    first, second = make_parcel(*TO_THE_SHELF), make_parcel(*TO_THE_SHELF)
    context = station.open()
    page = station.sign_in(context)
    context.set_offline(True)
    find(page, f"{first.order.number}-1")
    page.fill("form[data-step=pickup] [name=code]", first.pickup_code or "")
    page.evaluate(HELD)
    page.locator("form[data-step=pickup] button").click()
    find(page, f"{second.order.number}-1")
    expect(page.locator("[data-parcel] .nowrap")).to_have_text(f"{second.order.number}-1")
    page.evaluate("goOn()")
    expect(page.locator("[data-acts] .acts__words")).to_have_text(f"交到了 {first.order.number}-1")


def test_a_network_that_says_nothing_keeps_nobody_waiting(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bar of it is worse than none: the kept page opens, and what is written is kept."""
    parcel, silence = make_parcel(), threading.Event()
    page = station.sign_in(station.open())
    page.reload()
    for view in ("show_phone", "show_day"):
        monkeypatch.setitem(station.app.view_functions, f"desk_phone.{view}", lambda: (silence.wait(30), ("", 503))[1])
    page.set_default_timeout(15_000)

    page.goto("/station/offline")
    expect(page.locator("[data-work]")).to_be_visible(timeout=10_000)
    take(page, parcel, "acceptance")

    assert marks(page) == ["在手机里"]
    silence.set()
