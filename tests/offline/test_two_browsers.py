"""Two phones with their own script, on a line that drops, doubles and keeps answers to itself, with clocks that are wrong
and batteries that fail: what was written in them is in the books once. `test_lives` says the same of the house alone."""

import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from marketplace.core.db import db
from marketplace.orders.models import Parcel
from marketplace.orders.offline import syncing
from marketplace.orders.states import ParcelState as S
from tests.offline.browsing import Station, station
from tests.offline.conftest import ENTERED, make_parcel
from tests.offline.test_lives import judge

__all__ = ["station"]

pytestmark = pytest.mark.full
OPERATIONS: Final = int(os.environ.get("DESK_OPERATIONS", "60"))
AT_ONCE: Final = 10
HOURS: Final = (30, -7)  # by which the clocks of the phones are wrong
MOVING: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING, S.PACKED, S.READY_FOR_PICKUP, S.SHIPPED)
TROUBLE: Final = 0.4

SLOW = "(hours) => { const now = Date.now.bind(Date); Date.now = () => now() - hours * 3600000; }"
WORK = """async ({ labels, codes, typed }) => {
    const until = async (look) => {
        for (const end = performance.now() + 5000; performance.now() < end;) {
            if (look()) return look();
            await new Promise((done) => { setTimeout(done, 4); });
        }
        throw new Error("nothing came of it");
    };
    const said = document.querySelector("[data-said]"), pane = document.querySelector("[data-parcel]");
    const told = [];
    for (const label of labels) {
        document.querySelector("#code").value = label;
        document.querySelector("[data-find]").requestSubmit();
        const isOpen = () => pane.querySelector("[data-label]")?.textContent === label;
        await until(() => isOpen() || !said.hidden && said.classList.contains("flash--failed"));
        const form = pane.querySelector("form[data-step]:not([data-step=no-show])");
        if (!form) continue;
        for (const input of form.querySelectorAll("input")) input.value = { ...typed, code: codes[label] ?? "" }[input.name];
        if (form.querySelector("[name=code]")?.value === "") continue;
        form.requestSubmit();
        await until(() => !said.hidden);
        told.push(said.className.includes("done") ? "kept" : said.textContent);
    }
    return told;
}"""
KEYS = """() => new Promise((done) => {
    const asked = indexedDB.open("desk-acts");
    asked.onsuccess = () => {
        const all = asked.result.transaction("rows").objectStore("rows").getAll();
        all.onsuccess = () => done(all.result.map((row) => [row.key, row.state]));
    };
})"""


def troubled(app: Flask, chance: Random) -> Callable[[], Any]:
    """The house's own answer, or none, or one that never arrives, or the second one of two."""
    sent = app.view_functions["desk_phone.create_acts"]

    def create_acts() -> Any:
        luck = chance.random()
        if luck < TROUBLE / 3:
            return "", 503
        answer = sent()
        if luck < TROUBLE * 2 / 3:
            return "", 503
        return sent() if luck < TROUBLE else answer

    return create_acts


def at_work(station: Station, name: str, cookie: str, hours: int) -> tuple[BrowserContext, Page]:
    context = station.open(name)
    context.add_init_script(f"({SLOW})({hours})")
    return context, station.sign_in(context, cookie)


def labels_and_codes() -> tuple[list[str], dict[str, str]]:
    db.session.rollback()
    rows = {f"{row.order.number}-{row.number}": row for row in db.session.query(Parcel)}
    moving = sorted(label for label, row in rows.items() if row.state in MOVING)
    return moving, {label: row.pickup_code or "" for label, row in rows.items()}


def test_what_two_phones_wrote_is_in_the_books_once(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(20261127)
    for _parcel in range(OPERATIONS // 5):
        make_parcel(delivery=chance.choice(["courier", "pickup"]))
    names, cookies = ("one", "two"), [station.cookie(), station.cookie()]
    phones = [at_work(station, *each) for each in zip(names, cookies, HOURS, strict=True)]
    monkeypatch.setitem(station.app.view_functions, "desk_phone.create_acts", troubled(station.app, chance))
    fared: Counter[str] = Counter()
    while fared["kept"] < OPERATIONS:
        which = chance.randrange(2)
        context, page = phones[which]
        labels, codes = labels_and_codes()
        if len(labels) < AT_ONCE:
            db.session.rollback()  # who writes on top of what they read is refused at once where phones wrote meanwhile
            make_parcel()
        context.set_offline(chance.random() < 0.5)
        typed = ENTERED["dispatch"] | {"shelf": chance.choice(["B-03", "B-03", "A-1"])}
        wanted = {"labels": chance.choices(labels, k=AT_ONCE), "codes": codes, "typed": typed}
        fared.update(page.evaluate(WORK, wanted))
        if chance.random() < 0.1:
            station.kill(names[which])
            phones[which] = at_work(station, names[which], cookies[which], HOURS[which])

    written = [bring_back(*phone) for phone in phones]
    syncing.look_again()

    ended = judge(written[0] | written[1])
    assert sum(ended.values()) == fared["kept"]
    assert ended["applied"] > OPERATIONS / 3, (ended, fared)


def bring_back(context: BrowserContext, page: Page) -> set[str]:
    """The keys of all that it wrote, when nothing of it waits there any more."""
    context.set_offline(False)
    for _try in range(40):
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_timeout(150)
        rows = page.evaluate(KEYS)
        if all(state != "here" for _key, state in rows):
            break
    expect(page.locator("[data-strip]")).not_to_contain_text("记在这部手机里")
    return {key for key, _state in rows}
