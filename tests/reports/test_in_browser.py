"""From the gift to the line of an invoice and the published report, on a phone and a desk, with scripts and without."""

from datetime import timedelta
from typing import Any, Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from crowdfund.campaigns.faces import looking
from crowdfund.campaigns.states import CampaignState as C
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests.browser import Way, is_at_ease, serving
from tests.faces.test_looking import drawn
from tests.factories import sign_in_as
from tests.public_ledger.conftest import CREDIT_CODE, Giving
from tests.public_ledger.test_disbursing import lay
from tests.public_ledger.test_receipts import give, of
from tests.whereabouts.conftest import follow

pytestmark = pytest.mark.full


def office(app: Flask, person: int) -> FlaskClient:
    client = app.test_client()
    sign_in_as(client, db.session.get_one(Person, person))
    return client


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()


def test_a_gift_is_followed_to_the_line_that_it_paid(real_app: Flask, real_giving: Giving, way: Way) -> None:
    giving, campaign = real_giving, real_giving.campaign()
    gift = in_transaction(give, campaign.public_id, fen=500, giver="石榴花")
    officer, approver = office(real_app, giving.officer), office(real_app, giving.approver)
    with serving(real_app) as home:
        desk = way.open(home, officer)
        desk.goto(f"/charity/disbursements/new?campaign={campaign.public_id}")
        desk.get_by_label("图书").check()
        bill = {"amount": "3.00", "purpose": "第一批书", "provider": "临汾新华书店", "provider_credit_code": CREDIT_CODE}
        for name, typed in {**bill, "invoice_number": "FP-1", "lines": "绘本 2.00\n书签 0.90"}.items():
            desk.locator(f"[name={name}]").fill(typed)
        press(desk, "button", "申请")
        expect(desk.get_by_text("明细加起来是 ¥2.90，和金额对不上。").last).to_be_visible()
        is_at_ease(desk)
        desk.locator("[name=lines]").fill("绘本 2.00\n书签 1.00")
        press(desk, "button", "申请")
        place = desk.url.removeprefix(home)
        second = way.open(home, approver)
        second.goto(place)
        press(second, "button", "批准 ¥3.00")
        desk.goto(place)
        press(desk, "button", "已通知银行付 ¥3.00")
        desk.locator("[name=bank_reference]").fill("B-1")
        press(desk, "button", "收款方收到了 ¥3.00")
        desk.get_by_label("照片").check()
        desk.locator("[name=file]").set_input_files({"name": "p.jpg", "mimeType": "image/jpeg", "buffer": drawn(face=True)})
        desk.locator("[name=is_public]").check()
        press(desk, "button", "收下文件")
        expect(desk.get_by_text("稍后检查有没有人脸，检查前不公开")).to_be_visible()
        looking.look_at_one()
        desk.reload()
        expect(desk.get_by_text("另一个人看过之后可以决定。")).to_be_visible()
        is_at_ease(desk)
        second.reload()
        is_at_ease(second)
        second.locator("[name=overruling-reason]").fill("墙上的画")
        press(second, "button", "公开这张图片")
        expect(second.get_by_text("检查到人脸仍公开，理由：墙上的画")).to_be_visible()

        follow(giving)
        stranger = way.open(home)
        stranger.goto(f"/receipts/{of(gift)[0][0]}")
        expect(stranger.get_by_role("heading", name="这笔钱现在在哪")).to_be_visible()
        expect(stranger.get_by_text("还没花")).to_be_visible()
        is_at_ease(stranger)
        press(stranger, "link", "绘本")
        expect(stranger.get_by_text("1 笔捐款付了 ¥2.00")).to_be_visible()
        is_at_ease(stranger)


def test_a_late_report_is_said_written_read_and_published(real_app: Flask, real_giving: Giving, way: Way) -> None:
    giving = real_giving
    long_ago = clock.now() - timedelta(days=200)
    campaign = giving.campaign(opened_at=long_ago, state=C.ENDED, closed_at=long_ago + timedelta(days=30))
    with clock.at(long_ago):
        giving.gift(campaign, 10_000, who="小杏子")
        lay(giving.pay_out(campaign, 4815), giving)
    giving.seal()
    officer, approver = office(real_app, giving.officer), office(real_app, giving.approver)
    with serving(real_app) as home:
        stranger = way.open(home)
        stranger.goto(f"/campaigns/{campaign.public_id}")
        expect(stranger.get_by_text("法定报告逾期")).to_be_visible()
        is_at_ease(stranger)

        desk = way.open(home, officer)
        desk.goto("/charity/reports")
        is_at_ease(desk)
        with desk.expect_navigation():
            desk.locator(f"a[href$='{campaign.public_id}/full']").click()
        press(desk, "button", "保存草稿")
        expect(desk.locator("[name=words]")).to_have_attribute("aria-invalid", "true")
        desk.locator("[name=words]").fill("三个村小的书架装满了。\n借阅卡发到了每个班。")
        is_at_ease(desk)
        press(desk, "button", "保存草稿")
        expect(desk.get_by_text("要由另一个人读过再公布。").last).to_be_visible()

        second = way.open(home, approver)
        second.goto("/charity/reports")
        press(second, "link", campaign.title_zh)
        is_at_ease(second)
        press(second, "button", "公布报告")
        expect(second.get_by_text("已公布，内容不能再改。")).to_be_visible()

        stranger.goto(f"/ledger/{campaign.public_id}")
        expect(stranger.get_by_text("法定报告逾期")).to_have_count(0)
        is_at_ease(stranger)
        press(stranger, "link", "全面公开报告")
        is_at_ease(stranger)
        paper: Any = stranger.request.get(stranger.url + "/report.pdf")
        assert paper.ok and paper.body().startswith(b"%PDF-")
