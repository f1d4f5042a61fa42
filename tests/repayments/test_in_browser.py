"""A provider pays back, in a browser: entered from the statement, taken in by another, read by all; and taken out again."""

import pytest
from flask import Flask
from playwright.sync_api import expect

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db
from tests.browser import Way, is_at_ease, serving
from tests.customer_reviews.test_in_browser import press
from tests.factories import sign_in_as
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_desk import PDF
from tests.repayments.conftest import paid
from tests.whereabouts.conftest import follow

pytestmark = pytest.mark.full


def test_from_the_banks_statement_to_the_page_that_everybody_reads(real_app: Flask, real_giving: Giving, way: Way) -> None:
    campaign, payment = paid(real_giving)
    officer, approver = real_app.test_client(), real_app.test_client()
    for client, person in ((officer, real_giving.officer), (approver, real_giving.approver)):
        sign_in_as(client, db.session.get_one(Person, person))
    db.session.remove()
    with serving(real_app) as home:
        desk, second, reader = way.open(home, officer), way.open(home, approver), way.open(home)
        desk.goto(f"/charity/disbursements/{payment}")
        press(desk, "link", "登记退款")
        desk.locator("[name=line-2]").fill("一块")
        desk.locator("[name=why]").fill("书架没有货了")
        press(desk, "button", "登记")
        expect(desk.locator("#line-2")).to_have_attribute("aria-invalid", "true")
        expect(desk.locator("[name=why]")).to_have_value("书架没有货了")
        is_at_ease(desk)
        desk.locator("[name=line-2]").fill("1.00")
        desk.locator("[name=bank_reference]").fill("HUI-1")
        desk.locator("[name=received_on]").fill(clock.today().isoformat())
        desk.locator("[name=file]").set_input_files({"name": "回单.pdf", "mimeType": "application/pdf", "buffer": PDF})
        press(desk, "button", "登记")
        expect(desk.get_by_text("要由另一个人确认")).to_be_visible()

        second.goto("/charity/disbursements")
        is_at_ease(second)
        press(second, "link", "打开 HUI-1")
        is_at_ease(second)
        press(second, "button", "对账单上有：收回 ¥1.00")
        expect(second.get_by_text("已入项目账户")).to_be_visible()

        follow(real_giving)
        reader.goto(f"/ledger/{campaign.public_id}")
        press(reader, "link", "书架没有货了")
        expect(reader.get_by_text("其中 ¥1.00 已退回")).to_be_visible()
        is_at_ease(reader)

        desk.reload()
        desk.locator("[name=why]").fill("银行又划走了")
        is_at_ease(desk)
        press(desk, "button", "请另一个人更正")
        second.reload()
        is_at_ease(second)
        press(second, "button", "对账单上没有：划出 ¥1.00")
        expect(second.get_by_text("已更正：没有到账")).to_be_visible()
        follow(real_giving)
        reader.goto(f"/ledger/{campaign.public_id}")
        press(reader, "link", "银行又划走了")
        expect(reader.get_by_role("heading", name="其实没有退回的")).to_be_visible()
        is_at_ease(reader)
