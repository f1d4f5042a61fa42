"""Nothing that can be read stays in a browser after its session, and nothing that was not delivered is lost with it."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from marketplace.accounts import sign_in
from marketplace.core import clock
from marketplace.core.db import in_transaction
from tests import factories
from tests.offline.browsing import Station, acts, marks, station, take
from tests.offline.conftest import TO_THE_SHELF, make_parcel

__all__ = ["station"]

pytestmark = pytest.mark.full
KEPT = """async () => ({
    bases: (await indexedDB.databases()).map((each) => each.name),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    stored: Object.keys(localStorage).length + Object.keys(sessionStorage).length,
})"""
NOTHING = {"bases": [], "caches": [], "workers": 0, "stored": 0}

FULL = """(isFull) => {
    const rows = IDBObjectStore.prototype;
    rows.whenFree ??= rows.put;
    rows.put = isFull ? () => { throw new DOMException("no room", "QuotaExceededError"); } : rows.whenFree;
}"""


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


def test_the_next_person_at_the_phone_works_without_a_network_too(station: Station) -> None:
    """As does one who goes to another of their stations."""
    context = station.open()
    page = station.sign_in(context)
    page = station.sign_in(context)
    expect(page.locator("[data-strip]")).to_contain_text("有网，都送到了")
    context.set_offline(True)

    page.goto("/station/offline")

    expect(page.locator("[data-strip]")).to_contain_text("没网了，照常干活")


def test_a_step_that_cannot_be_written_any_more_is_said(station: Station) -> None:
    """The worker has cleared up behind the page, say, since the session had ended: nobody may take it for done."""
    parcel = make_parcel()
    context = station.open()
    page = station.sign_in(context)
    context.set_offline(True)
    page.fill("#code", f"{parcel.order.number}-1")
    page.press("#code", "Enter")
    expect(page.locator("form[data-step=acceptance]")).to_be_visible()
    page.evaluate("() => new Promise((done) => { indexedDB.deleteDatabase('desk').onsuccess = () => done(); })")

    page.locator("form[data-step=acceptance] button").click()

    expect(page.locator("[data-said]")).to_contain_text("没记下来")


def test_a_full_phone_is_not_called_one_without_a_network(station: Station) -> None:
    page = station.sign_in(station.open())
    strip = page.locator("[data-strip]")
    expect(strip).to_contain_text("有网，都送到了")
    page.evaluate(FULL, True)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(strip).to_contain_text("这部手机存满了，清单更新不了。清一清再来，还没送出的有 0 条。")
    page.evaluate(FULL, False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(strip).to_contain_text("有网，都送到了")
