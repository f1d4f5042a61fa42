"""A stranger gives one yuan, then monthly, and sees it in the ledger rows; nothing of the shop stands in the way."""

import re

import pytest

from tests.houses import House
from tests.journeys.conftest import Person


@pytest.mark.full
def test_one_yuan_from_a_stranger(house: House, people: dict[str, Person]) -> None:
    giver = people["buyer"]
    giver.go("/campaigns")
    giver.is_at_ease()
    giver.follow("娄烦山村图书角")
    giver.is_at_ease()
    giver.page.locator("[name=choice][value=own]").check(force=True)
    giver.fill(amount="ten")
    giver.press("捐")
    giver.sees("金额用数字写")
    giver.is_at_ease()
    giver.page.go_back()
    giver.page.locator("[name=choice][value=own]").check(force=True)
    giver.fill(amount="１")
    giver.press("捐")
    giver.sees("捐 ¥1.00")
    giver.is_at_ease()
    giver.fill(name="郭晓芸", message="一块钱也是钱", contact="1383517204")
    giver.press("捐 ¥1.00")
    giver.sees("这不是 11 位手机号")
    giver.is_at_ease()
    giver.fill(contact="13835172045")
    giver.press("捐 ¥1.00")
    giver.sees("测试钱")
    giver.is_at_ease()
    giver.press("付成功")
    assert re.search(r"/campaigns/C001/gifts/\w+", giver.page.url)
    giver.sees("谢谢，¥1.00 已经进了项目的账", patience=30)
    giver.is_at_ease()
    giver.sees("郭** 捐")

    giver.go("/campaigns/C001")
    giver.sees("郭** 捐")
    rows = giver.page.locator(".book tr").all_inner_texts()
    assert "郭** 捐" in rows[1] and "+¥1.00" in rows[1]
    giver.is_at_ease()

    giver.go("/campaigns/C012")
    giver.page.get_by_label("每月捐一次").check()
    giver.page.get_by_label("不露名字").check()
    giver.press("捐")
    assert giver.page.get_by_label("每月都捐").is_checked() and giver.page.get_by_label("写“匿名”").is_checked()
    giver.is_at_ease()
    giver.fill(contact="13835172045")
    giver.press("捐 ¥")
    giver.press("付成功")
    giver.sees("你的月捐", patience=30)
    giver.sees("匿名 捐")
    giver.press("停掉月捐")
    giver.sees("这个月捐已经停了")
    giver.is_at_ease()
    audit = house.flask("ledger", "audit")
    assert audit.returncode == 0, audit.stdout


@pytest.mark.full
def test_an_officer_reads_the_words_and_pauses(house: House, people: dict[str, Person]) -> None:
    officer = people["clerk"]
    officer.sign_in("charity")
    officer.go("/charity")
    officer.is_at_ease()
    officer.press("放出去")
    officer.is_at_ease()
    officer.follow("静乐留守妇女剪纸工坊")
    officer.is_at_ease()
    officer.press("暂停")
    officer.sees("请写明原因")
    officer.is_at_ease()
    officer.page.locator("#pause-why").fill("核对报价")
    officer.press("暂停")
    officer.sees("核对报价")
    officer.go("/charity/campaigns/new")
    officer.is_at_ease()
    stranger = people["buyer"]
    stranger.go("/campaigns/C003")
    stranger.sees("这个项目暂停了")
    stranger.is_at_ease()
