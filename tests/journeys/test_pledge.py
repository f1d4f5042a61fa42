"""From a voucher to the first call: a saver with a phone, a bank, the programme office, two people of a station."""

from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser

from tests.houses import House
from tests.journeys.conftest import Person


@pytest.fixture
def crew(house: House, browser: Browser, script: bool) -> Iterator[dict[str, Person]]:
    """Each in a browser of their own, with or without script."""
    contexts, found = [], {}
    for name in ("saver", "bank", "programme", "clerk", "children"):
        context = browser.new_context(viewport={"width": 390, "height": 780}, java_script_enabled=script, bypass_csp=True)
        context.set_default_timeout(15_000)
        contexts.append(context)
        found[name] = Person(house, context, context.new_page(), script)
    yield found
    for context in contexts:
        context.close()


def choose(saver: Person) -> tuple[str, str]:
    """(the pledge's address, the child's alias)"""
    saver.go("/pledges")
    saver.is_at_ease()
    saver.follow("我有凭证")
    saver.is_at_ease()
    saver.fill(number="123")
    saver.press("看三张卡片")
    saver.sees("凭证号是 6 到 32 位字母和数字")
    saver.is_at_ease()
    saver.fill(number="ｑｑ 2099-000001", issued_on=date.today().isoformat())  # noqa: DTZ011
    saver.page.locator("[name=wish]").select_option(value="141028")
    saver.press("看三张卡片")
    saver.is_at_ease()
    saver.press("换三张")
    saver.is_at_ease()
    saver.press("指给")
    saver.sees("给你留到")
    saver.is_at_ease()
    saver.fill(phone="13835172045")
    saver.page.locator("[name=unrelated]").check()
    saver.press("指给")
    saver.sees("银行正在核对")
    saver.is_at_ease()
    alias = saver.page.locator(".pairs dd").first.inner_text()
    return saver.page.url.removeprefix(saver.house.url), alias


def confirm(bank: Person) -> None:
    bank.sign_in("bank")
    bank.go("/bank")
    bank.is_at_ease()
    bank.page.get_by_role("link", name="打开 0001").click()
    bank.page.wait_for_load_state()
    bank.is_at_ease()
    bank.fill(saver_ending="31002X", branch="城关营业室")
    bank.press("是我们的，算数")
    bank.sees("核对好了")


def send(office: Person, alias: str) -> str:
    """Reserve and send a watch; returns its IMEI."""
    office.sign_in("programme")
    office.go("/programme")
    office.is_at_ease()
    office.page.get_by_role("button", name=f"备一只 {alias}").click()
    office.page.wait_for_load_state()
    row = office.page.locator(".row", has_text="→ 吉县站")
    imei = row.locator("span").first.inner_text().split()[0]
    row.get_by_role("button").click()
    office.page.wait_for_load_state()
    return imei


def receive(clerk: Person, imei: str) -> None:
    clerk.sign_in("clerk.141028")
    clerk.go("/station")
    clerk.follow("给孩子的电话手表")
    clerk.is_at_ease()
    clerk.fill(code=imei)
    clerk.press("打开这只手表")
    clerk.is_at_ease()
    clerk.press("到了")
    clerk.sees("收到了")


def hand_over(clerk: Person, code: str) -> None:
    clerk.fill(code=code, witness_digits="000000")
    clerk.press("交给他")
    clerk.sees("见证人自己的验证码不对")
    clerk.is_at_ease()
    clerk.fill(code=code, witness_digits=clerk.page.locator("[data-witness]").first.inner_text().strip())
    clerk.press("交给他")
    clerk.sees("接下来是第一个电话")


@pytest.mark.full
def test_from_the_voucher_to_the_first_call(house: House, crew: dict[str, Person]) -> None:
    saver, clerk, keeper = crew["saver"], crew["clerk"], crew["children"]
    path, alias = choose(saver)
    confirm(crew["bank"])
    saver.go(path)
    saver.sees("正在给")
    imei = send(crew["programme"], alias)
    saver.go(path)
    saver.sees("正在去县站的路上")
    saver.is_at_ease()
    receive(clerk, imei)

    keeper.sign_in("children")
    keeper.go("/children")
    keeper.is_at_ease()
    keeper.follow(alias)
    keeper.is_at_ease()
    keeper.press("给监护人的验证码")
    code = keeper.page.locator(".code").first.inner_text().strip()[:6]
    hand_over(clerk, code)
    keeper.page.reload()
    keeper.go("/children")
    keeper.follow(alias)
    keeper.press("第一个电话打通了")
    saver.go(path)
    saver.sees("打通了第一个电话")
    saver.is_at_ease()
    saver.follow("感谢证书在这里")
    saver.sees("非捐赠票据")
    saver.is_at_ease()
    audit = house.flask("ledger", "audit")
    assert audit.returncode == 0, audit.stdout
