"""From a voucher to the first call, through the pages that people use."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import func, select

from crowdfund.pledges.models import Programme
from crowdfund.pledges.states import CaseState, DeviceState, PledgeState, VoucherState
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db
from marketplace.ledger import books
from tests.pledges.conftest import BANK, JIXIAN, World, case_of, device_of, get, post, voucher_of

PIECES = "DEVICE:watch-a1"


def piece_at(kind: str, owner: str = "") -> int:
    return books.balance(db.session(), kind, owner, book="test", commodity=PIECES)


def test_the_whole_way(world: World) -> None:
    saver = world.browser()
    code = world.choose(saver, "ｑｑ 2026-000001")
    assert "给你留到" in saver.get(f"/pledges/{code}").text
    assert (get(code).state, case_of(code).state) == (PledgeState.HELD, CaseState.HELD)
    assert world.declare(saver, code).status_code == 303
    assert "银行正在核对" in saver.get(f"/pledges/{code}").text

    bank = world.signed_in("bank")
    assert "尾号 0001" in bank.get("/bank").text
    issued = voucher_of(code).issued_on
    assert issued
    deposit = {"issued_on": issued.isoformat(), "branch": "城关", "band": "30k", "saver_ending": "12345X"}
    assert post(bank, f"/bank/pledges/{get(code).public_id}/confirmation", deposit).headers["Location"] == "/bank"
    states = (get(code).state, voucher_of(code).state, case_of(code).state)
    assert states == (PledgeState.CONFIRMED, VoucherState.VERIFIED, CaseState.MATCHED)

    office = world.signed_in("programme")
    post(office, f"/programme/pledges/{get(code).public_id}/assignment", {})
    device = device_of(code)
    post(office, f"/programme/devices/{device.public_id}/dispatch", {})
    assert "正在去县站的路上" in saver.get(f"/pledges/{code}").text
    assert (piece_at("device_warehouse"), piece_at("device_in_transit", JIXIAN)) == (5, 1)

    clerk = world.signed_in("clerk")
    found = clerk.get(f"/station/devices?code={device.imei}")
    assert found.headers["Location"] == f"/station/devices/{device.public_id}"
    post(clerk, f"/station/devices/{device.public_id}/receipt", {})
    assert case_of(code).state is CaseState.READY

    keeper = world.signed_in("children")
    shown = post(keeper, f"/children/{case_of(code).public_id}/codes", {}).text
    guardian = shown.partition('data-copy="')[2][:6]
    handed = {"code": guardian, "recipient": "grandparent", "witness": world.people["manager"].public_id}
    digits = {"witness_digits": world.witness_digits("manager")}
    post(clerk, f"/station/devices/{device.public_id}/handover", handed | digits)
    states = (get(code).state, voucher_of(code).state, case_of(code).state)
    assert states == (PledgeState.HANDED_OVER, VoucherState.REDEEMED, CaseState.DELIVERED)
    assert device_of(code).state is DeviceState.HANDED_OVER
    assert (piece_at("device_station", JIXIAN), piece_at("device_delivered", JIXIAN)) == (0, 1)

    post(keeper, f"/children/{case_of(code).public_id}/first-call", {})
    assert (get(code).state, case_of(code).state) == (PledgeState.VERIFIED, CaseState.CONFIRMED)
    assert "打通了第一个电话" in saver.get(f"/pledges/{code}").text
    certificate = saver.get(f"/pledges/{code}/certificate").text
    assert "非捐赠票据" in certificate and case_of(code).alias_zh in certificate


def test_every_step_is_in_the_audit_log(world: World) -> None:
    code, _device = world.at_station()

    wanted = select(AuditRecord.action).where(AuditRecord.subject == f"pledge:{get(code).public_id}")
    steps = [f"pledge.{state}" for state in ("held", "provisional", "confirmed", "allocated", "at_station")]
    assert list(db.session.scalars(wanted.order_by(AuditRecord.id))) == steps


def test_quota_and_debt_stand_in_public(world: World) -> None:
    world.at_station()
    page = world.browser().get("/pledges").text

    assert "<dt>说好</dt><dd>20</dd>" in page and "<dt>已交来</dt><dd>6</dd>" in page
    assert "<dt>还欠</dt><dd><strong>14</strong></dd>" in page and "<dt>已指给孩子</dt><dd>1</dd>" in page
    answer: Any = world.browser().get("/api/v1/pledge-programmes").json
    first = next(each for each in answer["items"] if each["partner_code"] == BANK)
    assert (first["quota"], first["brought"], first["owed"], first["directed"]) == (20, 6, 14, 1)


def test_a_voucher_the_bank_knows_needs_no_second_look(world: World) -> None:
    code = world.pledged()
    world.confirm(code)
    saver = world.browser()
    post(saver, f"/pledges/{code}/cancellation", {})
    assert voucher_of(code).state is VoucherState.VERIFIED

    again = world.pledged(card=1)
    assert get(again).state is PledgeState.CONFIRMED
    assert db.session.scalar(select(func.sum(Programme.claimed))) == 1


def test_pages_of_pledges_lead_to_nothing_of_the_shop(world: World) -> None:
    saver = world.browser()
    code = world.choose(saver)
    choice = world.type_voucher(saver, "QQ2026000002").headers["Location"]
    paths = ["/pledges", "/pledges/vouchers/new", choice, "/pledges/fairness", "/pledges/finding", f"/pledges/{code}"]
    for path in [*paths, "/pledges/AAAA-BBBB-CCCC-DDDD", f"/pledges/{code}/cancellation"]:
        links = set(re.findall(r'(?:href|action)="([^"]+)"', saver.get(path).text))
        shop = ("/cart", "/search", "/categories", "/listings", "/orders", "/seller", "/stations", "/help")
        assert [link for link in links if link.startswith(shop)] == [], path


def test_pages_cost_a_constant_number_of_statements(
    world: World, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    saver, bank = world.browser(), world.signed_in("bank")
    choice = world.type_voucher(saver).headers["Location"]

    def costs() -> list[int]:
        found = []
        for client, path in ((saver, "/pledges"), (saver, choice), (bank, "/bank")):
            with count_statements() as sent:
                client.get(path)
            found.append(len(sent))
        return found

    before = costs()
    for number in range(3):
        world.pledged(f"QQ202600010{number}")
    assert costs() == before
