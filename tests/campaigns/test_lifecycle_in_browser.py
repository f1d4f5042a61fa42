"""A campaign's whole life in a browser: written, sent back with a reason, approved by another, filed, opened, given to,
called off, and every gift back."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from marketplace.core import clock
from tests.browser import Way, is_at_ease, serving
from tests.campaigns.conftest import Fund
from tests.campaigns.test_officers import typed
from tests.customer_reviews.test_in_browser import press
from tests.factories import sign_in_as

pytestmark = pytest.mark.full
CHOSEN = {"kind", "station_code", "past_goal"}


def write(page: Page, **changes: str) -> None:
    for name, value in typed(**changes).items():
        field = page.locator(f"[name={name}]")
        if name in CHOSEN:
            field.select_option(value)
        else:
            field.fill(value)
    press(page, "button", "存")


def test_from_the_first_word_to_the_last_fen_back(fund: Fund, way: Way) -> None:
    officer, approver = fund.browser(), fund.browser()
    sign_in_as(officer, fund.officer)
    sign_in_as(approver, fund.approver)
    with serving(fund.app) as home:
        fund.cashier.base_url = home
        desk, second, giver = way.open(home, officer), way.open(home, approver), way.open(home)
        desk.goto("/charity/campaigns/new")
        write(desk, goal="一万八")
        expect(desk.locator("[name=goal]")).to_have_value("一万八")
        expect(desk.locator("[name=story_zh]")).to_have_value("翻软了")
        is_at_ease(desk)
        write(desk)
        address = desk.url
        press(desk, "button", "交上去审")
        expect(desk.get_by_text("自己写的，要请另一个人来审")).to_be_visible()

        second.goto(address)
        press(second, "button", "退回去改")
        expect(second.locator("#objection-why")).to_have_attribute("aria-invalid", "true")
        is_at_ease(second)
        second.locator("#objection-why").fill("预算写细一点")
        press(second, "button", "退回去改")
        desk.reload()
        expect(desk.get_by_text("预算写细一点")).to_be_visible()
        press(desk, "link", "改内容")
        write(desk, budget="图书 300 册 12000\n书架 3000\n运输与公示 3000")
        press(desk, "button", "交上去审")
        second.reload()
        second.locator("#approval-why").fill("预算核过")
        press(second, "button", "批准")
        desk.reload()
        desk.locator("[name=number]").fill("DEMO-1")
        desk.locator("[name=filed_on]").fill((clock.today() - timedelta(days=10)).isoformat())
        press(desk, "button", "存")
        press(desk, "button", "开始募")
        is_at_ease(desk)

        public = desk.get_by_role("link", name="大家看到的样子").get_attribute("href")
        give(giver, f"{public}/gifts/new?choice=660", fund)
        giver.goto(str(public))
        expect(giver.get_by_text("6.60").first).to_be_visible()
        is_at_ease(giver)

        desk.locator("summary", has_text="撤项").click()
        press(desk, "button", "撤项，全部退款")
        expect(desk.locator("#cancellation-why")).to_have_attribute("aria-invalid", "true")
        desk.locator("#cancellation-why").fill("学校合并了")
        press(desk, "button", "撤项，全部退款")
        fund.work()
        desk.reload()
        expect(desk.get_by_text("1 笔里已退到", exact=False)).to_be_visible()
        is_at_ease(desk)
        giver.reload()
        expect(giver.get_by_text("每一笔都原路全额退回")).to_be_visible()
        is_at_ease(giver)


def give(page: Page, path: str, fund: Fund) -> None:
    page.goto(path)
    is_at_ease(page)
    press(page, "button", "捐 ¥6.60")
    press(page, "button", "付成功")
    fund.work()
