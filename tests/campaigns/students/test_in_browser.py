"""A student sponsored, lived in four ways: officers publish, prove and pay; a guest sponsors, changes and stops."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from crowdfund.campaigns.plans.links import url_of
from tests.browser import Way, is_at_ease, serving
from tests.campaigns.conftest import latest_gift
from tests.campaigns.plans.conftest import CONTACT, Monthly, plan_of
from tests.campaigns.students.conftest import NUMBER, PAPER, TERM, Aid, place_of
from tests.factories import sign_in_as

pytestmark = pytest.mark.full


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()


def test_a_student_is_sponsored_and_the_school_is_paid(real_monthly: Monthly, way: Way, tmp_path: Path) -> None:
    monthly = real_monthly
    aid = Aid(monthly, monthly.campaign(kind="student_aid"))
    aid.pool(TERM)
    other = aid.publish("G14010920105678", month=20_000)
    paper = tmp_path / "proof.pdf"
    paper.write_bytes(PAPER)
    officer, approver = monthly.fund.browser(), monthly.fund.browser()
    sign_in_as(officer, monthly.fund.officer)
    sign_in_as(approver, monthly.fund.approver)
    with serving(monthly.fund.app) as home:
        monthly.cashier.base_url = home
        desk = way.open(home, officer)
        desk.goto("/charity/places")
        is_at_ease(desk)
        press(desk, "link", "发布名额")
        desk.get_by_text("高中", exact=True).click()
        desk.locator("[name=student_number]").fill(NUMBER)
        is_at_ease(desk)
        press(desk, "button", "发布这个名额")  # the sum is missing
        is_at_ease(desk)
        expect(desk.locator("[name=student_number]")).to_have_value(NUMBER)
        desk.locator("[name=month]").fill("160")
        press(desk, "button", "发布这个名额")
        place = desk.url.rpartition("/")[2]
        desk.get_by_text("2026 年春季学期").first.click()
        press(desk, "button", "留钱并开学期")
        is_at_ease(desk)
        desk.locator("input[type=file]").set_input_files(str(paper))
        desk.locator("[name=student_number]").fill(NUMBER)
        press(desk, "button", "上传证明")
        expect(desk.get_by_text("要由另一个人来看证明")).to_be_visible()

        alias = place_of(place).alias_zh
        guest = way.open(home)
        guest.goto("/campaigns?kind=student_aid")
        expect(guest.get_by_role("heading", name="助学").first).to_be_visible()
        guest.goto(f"/campaigns/{aid.campaign}")
        is_at_ease(guest)
        press(guest, "link", alias)
        is_at_ease(guest)
        press(guest, "button", "每月 ¥160.00")
        is_at_ease(guest)  # an address is needed
        guest.locator("[name=contact]").fill(CONTACT)
        press(guest, "button", "每月 ¥160.00")
        assert "/sandbox-cashier/" in guest.url
        gift = latest_gift().public_id
        monthly.cashier.decide(monthly.fund.remote_of(gift), "succeeded")
        monthly.work()

        second = way.open(home, approver)
        second.goto(f"/charity/places/{place}")
        is_at_ease(second)
        press(second, "button", "确认在读")
        desk.goto(f"/charity/places/{place}")
        press(desk, "link", "付给学校")
        desk.locator("[name=terms]").check()
        desk.locator("[name=budget_line]").first.check()
        desk.locator("[name=provider]").fill("示例中学")
        desk.locator("[name=provider_credit_code]").fill("12140000DEMA00001X")
        desk.locator("[name=invoice_number]").fill("F-1")
        is_at_ease(desk)
        press(desk, "button", "申请")
        aid.pay(desk.url.rpartition("/")[2])

        plan = plan_of(gift).public_id
        guest.goto(url_of(plan))
        expect(guest.get_by_text("已付给学校")).to_be_visible()
        is_at_ease(guest)
        guest.get_by_text(place_of(other).alias_zh).click()
        press(guest, "button", "改为资助这名学生")
        expect(guest.get_by_text(place_of(other).alias_zh).first).to_be_visible()
        press(guest, "button", "停掉")
        is_at_ease(guest)
        assert [place_of(each).state for each in (place, other)] == ["offered", "offered"]
