"""Giving together, lived in four ways: a large gift in honour of somebody by a team, claimed later; cash; news."""

import struct
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from crowdfund.campaigns.honours import dedicating
from marketplace.core.db import db
from tests.browser import Way, is_at_ease, serving
from tests.campaigns.conftest import STATION, Fund, latest_gift
from tests.factories import make_person, sign_in_as

pytestmark = pytest.mark.full


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()


def test_a_team_raises_and_a_guest_honours_somebody(fund: Fund, way: Way) -> None:
    campaign = fund.open()
    leader = fund.browser()
    sign_in_as(leader, make_person(name="赵明"))
    with serving(fund.app) as home:
        fund.cashier.base_url = home
        page = way.open(home, leader)
        page.goto(f"/campaigns/{campaign}")
        is_at_ease(page)
        press(page, "link", "开一个团队")
        page.get_by_label("团队叫什么").fill("三年二班")
        is_at_ease(page)
        press(page, "button", "开团队")
        is_at_ease(page)
        team = page.url

        guest = way.open(home)
        guest.goto(team)
        guest.get_by_text("自己填", exact=True).first.click()
        guest.locator("[name=amount]").fill("3000")
        press(guest, "button", "和这个团队一起捐" if not way.script else "捐 ¥3,000.00")
        guest.locator("[name=name]").fill("李承志")
        guest.get_by_text("以别人的名义捐，附一张卡片").click()
        guest.locator("[name=honoured]").fill("外婆")
        guest.locator("[name=card_words]").fill("您教我认字")
        is_at_ease(guest)
        press(guest, "button", "捐 ¥3,000.00")
        expect(guest.get_by_role("heading", name="真的要捐这么多吗")).to_be_visible()
        is_at_ease(guest)
        press(guest, "button", "不，我改一改")
        expect(guest.locator("[name=card_words]")).to_have_value("您教我认字")
        guest.locator("[name=amount]").fill("30")
        press(guest, "button", "去付款")
        gift = latest_gift()
        assert gift.fen == 3000 and "/sandbox-cashier/" in guest.url
        fund.cashier.decide(fund.remote_of(gift.public_id), "succeeded")
        fund.work()
        guest.goto(team)
        expect(guest.get_by_role("cell", name="李**")).to_be_visible()
        is_at_ease(guest)
        guest.goto(dedicating.url_of(campaign, gift.public_id))
        expect(guest.get_by_role("heading", name="外婆")).to_be_visible()
        is_at_ease(guest)
        page.reload()
        press(page, "button", "关闭团队")
        expect(page.get_by_text("这个团队不再收捐款").first).to_be_visible()


def test_a_guests_gift_is_found_in_the_account(fund: Fund, way: Way) -> None:
    campaign = fund.open()
    fund.give(campaign, 660, contact="13835172045")
    client = fund.browser()
    sign_in_as(client, make_person(phone="13835172045"))
    with serving(fund.app) as home:
        page = way.open(home, client)
        page.goto("/account/gifts")
        is_at_ease(page)
        press(page, "button", "记到我的账户里")
        expect(page.get_by_text("¥6.60")).to_be_visible()
        is_at_ease(page)


def test_cash_at_a_station_and_the_closing_of_its_day(fund: Fund, way: Way) -> None:
    fund.open()
    client = fund.browser()
    sign_in_as(client, make_person("station_manager", station=STATION))
    with serving(fund.app) as home:
        page = way.open(home, client)
        page.goto("/station/cash-gifts")
        page.locator("[name=amount]").fill("50")
        page.locator("[name=again]").fill("500")
        is_at_ease(page)
        press(page, "button", "钱已放进抽屉")
        expect(page.get_by_text("两次数的不一样").last).to_be_visible()
        is_at_ease(page)
        page.locator("[name=again]").fill("50")
        press(page, "button", "钱已放进抽屉")
        expect(page.get_by_role("heading", name="现金捐款 ¥50.00")).to_be_visible()
        is_at_ease(page)
        page.goto("/station/closing")
        is_at_ease(page)
        press(page, "button", "结今天的账")
        expect(page.get_by_text("数过再结账").last).to_be_visible()
        page.locator("[name=counted]").fill("50")
        press(page, "button", "结今天的账")
        expect(page.get_by_role("button", name="结今天的账")).to_have_count(0)
        db.session.rollback()


def test_news_comments_and_what_is_shared(fund: Fund, way: Way) -> None:
    campaign = fund.open()
    officer, reader = fund.browser(), fund.browser()
    sign_in_as(officer, fund.officer)
    sign_in_as(reader, make_person(name="李承志"))
    with serving(fund.app) as home:
        desk = way.open(home, officer)
        desk.goto(f"/charity/campaigns/{campaign}")
        press(desk, "link", "写进展")
        desk.get_by_label("标题").fill("书到了")
        desk.get_by_label("发生了什么").fill("三百册都上架了")
        is_at_ease(desk)
        press(desk, "button", "发出去")
        is_at_ease(desk)
        page = way.open(home, reader)
        page.goto(f"/campaigns/{campaign}/updates")
        press(page, "link", "留言")
        page.get_by_label("你想说的").fill("书架真好看")
        is_at_ease(page)
        press(page, "button", "提交")
        desk.goto("/charity")
        is_at_ease(desk)
        press(desk, "button", "放出去")
        page.reload()
        expect(page.get_by_text("书架真好看")).to_be_visible()
        for name in ("share", "poster", "embed"):
            page.goto(f"/campaigns/{campaign}/{name}")
            is_at_ease(page)
        page.goto(f"/campaigns/{campaign}/share")
        with page.expect_download() as taken:
            page.get_by_role("link", name="存成图片").click()
        picture = taken.value.path().read_bytes()
        if way.script:
            assert taken.value.suggested_filename == f"poster-{campaign}.png"
            assert picture[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", picture[16:24]) == (1200, 1600)
        else:
            assert taken.value.suggested_filename == f"poster-{campaign}.svg" and b"<svg" in picture
