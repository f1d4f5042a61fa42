"""A sponsor's promise from the officer's desk to a giver's page: written down, paid in, opened, given, closed."""

import pytest

from tests.houses import House
from tests.journeys.conftest import Person


@pytest.mark.full
def test_a_sponsor_a_giver_and_two_officers(house: House, people: dict[str, Person]) -> None:
    officer, approver, sponsor, giver = (people[name] for name in ("clerk", "other_clerk", "farmer", "buyer"))
    officer.sign_in("charity")
    officer.go("/charity/matching-funds")
    officer.sees("晋阳示例商会")
    officer.is_at_ease()
    officer.page.locator("a[href*='campaign=C001']").first.click()
    officer.fill(sponsor="示例书店", contact="boss@example.test", total="一百", rate_percent="100")
    officer.press("登记")
    officer.sees("金额用数字写")
    officer.is_at_ease()
    officer.fill(total="100", gift_cap="30", giver_cap="50")
    officer.press("登记")
    officer.sees("等钱到账")
    officer.is_at_ease()
    desk = officer.page.url.removeprefix(house.url)
    link = str(officer.page.get_by_role("link", name="配捐方的页面").get_attribute("href"))

    sponsor.go(link)
    sponsor.sees("别人捐 ¥1")
    sponsor.is_at_ease()
    sponsor.press("付款 ¥100.00")
    sponsor.sees("测试钱")
    sponsor.press("付成功")
    sponsor.sees("¥100.00 已经到账", patience=30)
    sponsor.is_at_ease()

    approver.sign_in("charity2")
    approver.go(desk)
    approver.is_at_ease()
    approver.press("开始配捐")
    approver.sees("正在配捐")
    approver.is_at_ease()

    giver.go("/campaigns/C001")
    giver.sees("示例书店跟着配 ¥1.00")
    giver.is_at_ease()
    giver.go("/campaigns/C001/gifts/new?amount=66&choice=own")
    giver.press("捐 ¥66.00")
    giver.press("付成功")
    giver.sees("示例书店给你这笔捐款配了 ¥30.00。", patience=30)
    giver.is_at_ease()
    giver.go("/campaigns/C001")
    giver.sees("还剩 ¥70.00 可配")
    giver.sees("就是斜纹那一段")
    giver.is_at_ease()
    giver.go("/ledger/C001?kind=match")
    giver.sees("示例书店")
    giver.is_at_ease()

    for told in ("示例书店给你这笔捐款配了 ¥30.00。", "可能要几个工作日"):  # the third on one phone waits for a person
        giver.go("/campaigns/C001/gifts/new?amount=66&choice=own")
        giver.press("捐 ¥66.00")
        giver.press("付成功")
        giver.sees(told, patience=30)
    giver.is_at_ease()
    look_at_what_waits(approver)
    giver.go("/campaigns/C001")
    giver.sees("还剩 ¥10.00 可配")

    officer.go(desk)
    officer.page.get_by_text("关掉这笔配捐资金").click()
    officer.press("关掉")
    officer.sees("请写明原因")
    officer.is_at_ease()
    officer.page.locator("#closing-why").fill("活动结束")
    officer.press("关掉")
    officer.sees("退给配捐方的")
    officer.is_at_ease()
    sponsor.go(link)
    sponsor.sees("剩下的钱原路退回")
    sponsor.is_at_ease()
    audit = house.flask("ledger", "audit")
    assert audit.returncode == 0, audit.stdout


def look_at_what_waits(approver: Person) -> None:
    """Two clicks from the desk: why it waits, what it is tied to, and a reason for what is decided; one is released, one
    is not matched, both stay in the list."""
    approver.go("/charity/held-matches")
    approver.sees("同一张卡或同一台设备")
    approver.is_at_ease()
    approver.sees("付款的卡，就是给配捐付款的那张。")
    approver.page.get_by_role("listitem").filter(has_text="娄烦").get_by_role("link", name="打开").click()
    approver.sees("同一台设备")
    approver.is_at_ease()
    approver.press("放行")
    approver.sees("请写明原因")
    approver.is_at_ease()
    approver.page.locator("#release-why").fill("问过了，一家三口")
    approver.press("放行")
    approver.sees("已放行")
    approver.is_at_ease()

    approver.go("/charity/held-matches")
    approver.page.get_by_role("link", name="打开").first.click()
    approver.sees("¥400.00")
    approver.page.locator("#denial-why").fill("商会的人自己捐的")
    approver.press("不配")
    approver.sees("捐款照旧，不配。")
    approver.is_at_ease()
    approver.go("/charity/held-matches")
    approver.sees("没有待定的。")
    approver.is_at_ease()
    approver.page.get_by_role("link", name="打开").first.click()
    approver.sees("商会的人自己捐的")
