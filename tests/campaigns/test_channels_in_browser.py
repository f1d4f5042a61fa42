"""The other ways in which gifts come, lived once: from a closed list, from a platform's file, cash into the bank."""

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from marketplace.accounts.models import Person
from marketplace.core.db import db
from tests.browser import Way, is_at_ease, serving
from tests.campaigns.conftest import STATION, Fund, latest_gift, public_rows
from tests.campaigns.test_banking import balances
from tests.campaigns.test_cash import take
from tests.campaigns.test_in_browser import press
from tests.factories import make_person, sign_in_as
from tests.mirrors.conftest import FIRST, ON_PLATFORM, sheet, total, work

pytestmark = pytest.mark.full

SEEN = (390,)  # each of these pages has its own test at all widths of the house


def at(fund: Fund, person: Person) -> FlaskClient:
    client = fund.browser()
    sign_in_as(client, person)
    return client


def test_a_closed_list_a_platforms_file_and_cash_at_the_bank(fund: Fund, way: Way) -> None:
    """One run of all three: what it costs is the browser."""
    closed = fund.open(channel="directed", title_zh="校友们的一间图书室")
    mirrored = fund.open(**ON_PLATFORM)
    open_one = fund.open()
    take(open_one, 5000)
    with serving(fund.app) as home:
        fund.cashier.base_url = home
        desk = way.open(home, at(fund, fund.officer))
        give_from_the_list(fund, desk, way.open(home, at(fund, make_person(name="李承志"))), closed)
        take_the_file(desk, way.open(home), mirrored)
        clerk = make_person("station_clerk", station=STATION)
        pay_in(way.open(home, at(fund, clerk)), way.open(home, at(fund, make_person("finance_operator"))))


def give_from_the_list(fund: Fund, desk: Page, friend: Page, campaign: str) -> None:
    """Whoever is handed a code sees what nobody else does, and no public row names them."""
    friend.goto(f"/campaigns/{campaign}")
    expect(friend.get_by_role("heading", name="这个项目不向公众开放")).to_be_visible()
    assert "校友们的一间图书室" not in friend.content()
    is_at_ease(friend, SEEN)
    desk.goto(f"/charity/campaigns/{campaign}/list")
    desk.locator("[name=note]").fill("七八届")
    is_at_ease(desk, SEEN)
    press(desk, "button", "加入名单")
    code = desk.locator(".work__words").first.inner_text().split("邀请码 ")[-1].split(" ")[0]
    friend.locator("[name=code]").fill("AAAA-BBBB-CCCC")
    press(friend, "button", "进入项目")
    expect(friend.get_by_text("邀请码不对").last).to_be_visible()
    is_at_ease(friend, SEEN)
    friend.locator("[name=code]").fill(code)
    press(friend, "button", "进入项目")
    expect(friend.get_by_role("heading", name="校友们的一间图书室").first).to_be_visible()
    is_at_ease(friend, SEEN)
    friend.goto(f"/campaigns/{campaign}/gifts/new?choice=660")
    friend.locator("[name=name]").fill("李承志")
    is_at_ease(friend, SEEN)
    press(friend, "button", "捐 ¥6.60")
    fund.cashier.decide(fund.remote_of(latest_gift().public_id), "succeeded")
    fund.work()
    assert public_rows(campaign) == [("gift", 660, "")]
    desk.reload()
    expect(desk.get_by_text("已接受").first).to_be_visible()


def take_the_file(desk: Page, stranger: Page, campaign: str) -> None:
    """What a platform exported is looked at first, and then everybody reads it apart from our own books."""
    desk.goto(f"/charity/campaigns/{campaign}/files")
    raw = sheet(*FIRST)
    desk.locator("[name=file]").set_input_files({"name": "导出.csv", "mimeType": "text/csv", "buffer": raw})
    is_at_ease(desk, SEEN)
    press(desk, "button", "看看有哪些新的")
    work()
    desk.reload()
    expect(desk.get_by_text("¥1,210.01").first).to_be_visible()
    assert "王小雯" not in desk.content()
    is_at_ease(desk, SEEN)
    assert total() == (0, 0)
    press(desk, "button", "导入新的捐款")
    work()
    assert total() == (121_001, 3)
    stranger.goto(f"/campaigns/{campaign}")
    expect(stranger.get_by_text("王**")).to_be_visible()
    expect(stranger.get_by_role("link", name="去腾讯公益捐赠").first).to_be_visible()
    is_at_ease(stranger, SEEN)
    assert public_rows(campaign) == []


def pay_in(station: Page, province: Page) -> None:
    """All of the drawer, to the fen; another sum at the bank books nothing until the same one is found."""
    station.goto("/station/cash-gifts/deposits")
    station.locator("[name=amount]").fill("49")
    station.locator("[name=slip_number]").fill("20261127001")
    press(station, "button", "已存入银行")
    expect(station.get_by_text("一分不差地全部存入").last).to_be_visible()
    is_at_ease(station, SEEN)
    station.locator("[name=amount]").fill("50")
    press(station, "button", "已存入银行")
    assert balances() == (0, 5000, 0)
    is_at_ease(station, SEEN)
    province.goto("/operator/cash-deposits")
    province.locator("[name$=found]").fill("5")
    press(province, "button", "以上是银行的记录")
    is_at_ease(province, SEEN)
    province.locator("[name$=found]").fill("50")
    press(province, "button", "以上是银行的记录")
    is_at_ease(province, SEEN)
    assert balances() == (0, 0, 5000)
    station.reload()
    expect(station.get_by_text("已在银行").first).to_be_visible()
    db.session.rollback()
