"""In Chromium: axe finds nothing, nothing is wider than the screen, and two people settle without any script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db
from tests.batches.conftest import HOUSE, Finance
from tests.batches.test_paying_out import ready
from tests.batches.transfers import desk_of
from tests.browser import barriers, overflows, serving
from tests.factories import make_person, sign_in_as

pytestmark = pytest.mark.full


@pytest.fixture
def address(real_app: Flask, real_finance: Finance) -> Iterator[str]:
    ready(real_finance)
    db.session.remove()
    with serving(real_app) as url:
        yield url


def entered(
    app: Flask, browser: Browser, address: str, who: int, *, script: bool = True, width: int = 390
) -> BrowserContext:
    """The browser of somebody who is signed in, with their second factor."""
    client = app.test_client()
    sign_in_as(client, db.session.get_one(Person, who))
    cookie = client.get_cookie("session")
    assert cookie
    db.session.remove()
    context = browser.new_context(java_script_enabled=script, viewport={"width": width, "height": 844})
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return context


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words).first.click()


def test_two_people_settle_without_script(
    real_app: Flask, real_finance: Finance, browser: Browser, address: str, tmp_path: Path
) -> None:
    first, second = (
        entered(real_app, browser, address, who, script=False).new_page()
        for who in (real_finance.drafter, real_finance.approver)
    )
    first.goto(f"{address}/operator/settlements")
    press(first, "拟一批")
    assert "另一个人" in first.locator("main").inner_text()
    second.goto(first.url)
    press(second, "批准 ¥39.80")
    second.get_by_label("银行批量文件").check()
    press(second, "付出 ¥39.80")
    with second.expect_download() as waiting:
        press(second, "下载付款文件")
    rows = [row.split(",") for row in waiting.value.path().read_text().splitlines() if row.startswith("P,")]
    assert [row[5] for row in rows] == ["3662", "318"]
    answer = tmp_path / "answer.csv"
    answer.write_text("end_to_end_id,fen,result,said\n" + "".join(f"{row[1]},{row[5]},paid,B-1\n" for row in rows))
    first.reload()
    first.locator("input[type=file]").set_input_files(answer)
    press(first, "先看看会记什么")
    press(first, "记下这些")
    assert "已了结" in first.locator("main").inner_text()
    assert real_finance.owed(real_finance.feng) == real_finance.owed(HOUSE) == 0


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_in_the_way(real_app: Flask, real_finance: Finance, browser: Browser, address: str, width: int) -> None:
    batch, month = real_finance.sent(), f"{clock.today():%Y-%m}"
    real_finance.send_back(batch, HOUSE)
    feng = db.session.scalars(select(Person.id).where(Person.public_id == real_finance.feng[1])).one()
    line, account = real_finance.line(batch, real_finance.feng).public_id, real_finance.account(HOUSE).public_id
    manager = make_person("station_manager").id
    province = "/operator/settlements"
    pages = {
        real_finance.drafter: [province, f"{province}/{batch}", f"{province}/{batch}/lines/{line}", "/operator/payees"],
        real_finance.approver: [f"/operator/payees/{account}"],
        feng: ["/seller/account", "/seller/statements", f"/seller/statements/{month}"],
        manager: ["/station", "/station/account", f"/station/statements/{month}"],
    }
    for who, paths in pages.items():
        page = entered(real_app, browser, address, who, width=width).new_page()
        for path in paths:
            page.goto(address + path)
            assert barriers(page) == [], path
            assert not overflows(page), path


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_in_the_way_where_the_gateway_pays(
    real_app: Flask, real_finance: Finance, browser: Browser, address: str, width: int
) -> None:
    """Without a script: from the seller's page to the cashier's and back, and what the province sees of it."""
    desk = desk_of(real_finance)
    desk.cashier.base_url = address
    feng = db.session.scalars(select(Person.id).where(Person.public_id == real_finance.feng[1])).one()
    mine = entered(real_app, browser, address, feng, script=False, width=width)
    page = mine.new_page()
    page.goto(f"{address}/seller/account")
    press(page, "去开通")
    there = page.url
    page.get_by_label("你银行账号的后四位").fill("7890")
    press(page, "是我本人")
    desk.ask(desk.payee(real_finance.feng).remote_id or "")
    assert page.url.startswith("http://127.0.0.1")
    account = real_finance.account(real_finance.feng).public_id
    shown = {feng: ["/seller/account", there.removeprefix(address)]}
    shown[real_finance.approver] = [f"/operator/payees/{account}", "/operator/payees"]
    look(real_app, browser, address, shown, width)
    desk.look_at(real_finance.feng)
    batch = real_finance.draft()
    real_finance.approve(batch)
    here = f"/operator/settlements/{batch}"
    look(real_app, browser, address, {real_finance.approver: [here]}, width)
    real_finance.send(batch, "transfer")
    line = real_finance.line(batch, real_finance.feng).public_id
    look(real_app, browser, address, {real_finance.approver: [here, f"{here}/lines/{line}"]}, width)
    desk.cashier.storage.dispose()


def look(app: Flask, browser: Browser, address: str, pages: dict[int, list[str]], width: int) -> None:
    for who, paths in pages.items():
        context = entered(app, browser, address, who, width=width)
        page = context.new_page()
        for path in paths:
            page.goto(address + path)
            assert not overflows(page), path
            assert barriers(page) == [], path
        context.close()
