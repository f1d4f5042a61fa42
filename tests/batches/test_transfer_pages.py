"""Pages of payments through the gateway: who sets it up, what the province sees, and what stands at the cashier's."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db
from marketplace.orders.batches.states import LineState as L
from marketplace.payments import inbox
from marketplace.payments.gateways import OutcomeUnknown
from marketplace.payments.sandbox import delivery
from marketplace.payments.transfers.models import GatewayPayee
from marketplace.payments.transfers.states import PayeeState, TransferState as T
from tests.batches.conftest import HOUSE, Finance
from tests.batches.transfers import Desk, desk_of
from tests.factories import STATION, sign_in_as, signed_in
from tests.orders.conftest import post

LIST = "/operator/settlements"


@pytest.fixture
def desk(finance: Finance) -> Iterator[Desk]:
    made = desk_of(finance)
    made.fill(10_000)
    finance.settle(finance.feng, 3662)
    yield made
    made.cashier.storage.dispose()


def browser_of(client: FlaskClient, person: Person | None) -> FlaskClient:
    browser = client.application.test_client()
    assert person
    sign_in_as(browser, person)
    return browser


@pytest.fixture
def grower(client: FlaskClient, desk: Desk) -> FlaskClient:
    wanted = select(Person).where(Person.public_id == desk.finance.feng[1])
    return browser_of(client, db.session.scalar(wanted))


@pytest.fixture
def operator(client: FlaskClient, desk: Desk) -> FlaskClient:
    return browser_of(client, db.session.get(Person, desk.finance.approver))


def hear(client: FlaskClient, desk: Desk) -> None:
    """What the cashier has to tell comes in by the real door."""

    def send(_url: str, body: bytes, signature: str) -> int:
        headers = {"Stripe-Signature": signature}
        return client.post("/webhooks/sandbox", data=body, headers=headers).status_code

    while delivery.deliver(desk.cashier, send) or inbox.work():
        pass


def test_from_the_sellers_page_to_a_payment_by_the_gateway(
    client: FlaskClient, desk: Desk, grower: FlaskClient, operator: FlaskClient
) -> None:
    finance = desk.finance
    assert "支付机构" not in grower.get("/seller/account").text
    early = post(grower, "/seller/account/provider", {})
    assert "请先填收款银行账号" in grower.get(early.headers["Location"]).text
    finance.payee(finance.feng)
    assert "去开通" in grower.get("/seller/account").text
    sent = post(grower, "/seller/account/provider", {})
    there = sent.headers["Location"]
    payee = desk.payee(finance.feng)
    assert (sent.status_code, payee.state) == (303, PayeeState.INCOMPLETE)
    assert there.startswith(f"{desk.cashier.base_url}/sandbox-cashier/payees/{payee.remote_id}?return=")

    page = client.get(there)
    assert page.status_code == 200 and "测试钱，不会真扣款" in page.text and 'value="/seller/account"' in page.text
    here = f"/sandbox-cashier/payees/{payee.remote_id}"
    wrong = post(client, f"{here}/decision", {"outcome": "verify", "last4": "12x<"})
    assert wrong.status_code == 422 and "后四位数字" in wrong.text and "12x&lt;" in wrong.text
    assert post(client, f"{here}/decision", {"outcome": "steal"}).status_code == 422
    typed = {"outcome": "verify", "last4": "7890", "return": "https://evil.example//x"}
    assert post(client, f"{here}/decision", typed).headers["Location"] == "/"
    hear(client, desk)
    assert desk.payee(finance.feng).state is PayeeState.VERIFIED
    assert "尾号 7890" in grower.get("/seller/account").text
    again = post(grower, "/seller/account/provider", {})
    assert again.headers["Location"] == "/seller/account"

    account = finance.account(finance.feng)
    assert "待核实" in operator.get("/operator/payees").text
    shown = operator.get(f"/operator/payees/{account.public_id}").text
    assert "尾号 7890" in shown and account.number not in shown
    verify = {"number": account.number, "revision": str(account.revision)}
    stale = post(operator, f"/operator/payees/{account.public_id}/verification", verify)
    assert stale.status_code == 409
    done = post(operator, f"/operator/payees/{account.public_id}/verification", verify | {"last4_there": "7890"})
    assert done.status_code == 303 and "待核实" not in operator.get("/operator/payees").text

    batch = finance.draft()
    finance.approve(batch)
    assert "有 1 位由支付机构直接付" in operator.get(f"{LIST}/{batch}").text
    post(operator, f"{LIST}/{batch}/dispatch", {"way": "transfer"})
    assert "正发给支付机构" in operator.get(f"{LIST}/{batch}").text
    line = finance.line(batch, finance.feng).public_id
    on_the_way = operator.get(f"{LIST}/{batch}/lines/{line}").text
    assert "结果会自动传回来" in on_the_way and "/confirmation" not in on_the_way
    assert post(operator, f"{LIST}/{batch}/file", {}).status_code == 404
    answer = post(operator, f"{LIST}/{batch}/lines/{line}/confirmation", {"reference": "B"})
    assert "结果会自动传回来" in operator.get(answer.headers["Location"]).text
    assert finance.line_state(batch, finance.feng) is L.SENT
    desk.work()
    paid = desk.transfer(batch, finance.feng)
    assert paid and (paid.remote_id or "") in operator.get(f"{LIST}/{batch}/lines/{line}").text

    assert "¥36.62" in client.get(here).text
    assert post(client, f"{here}/payout", {}).status_code == 303
    assert "¥0.00" in client.get(here).text and desk.there(payee.remote_id or "") == 0


def test_a_station_sets_it_up_for_itself_alone(client: FlaskClient, desk: Desk) -> None:
    desk.finance.payee(HOUSE)
    signed_in(client, "station_manager", station=STATION)
    there = post(client, "/station/account/provider", {}).headers["Location"]
    assert desk.payee(HOUSE).owner == STATION and "/sandbox-cashier/payees/" in there
    assert "去开通" not in client.get("/station/account").text
    assert db.session.scalar(select(func.count()).select_from(GatewayPayee)) == 1


@pytest.mark.parametrize("role", ["buyer", "seller", "station_manager", "station_clerk", "auditor"])
def test_others_have_no_business_here(client: FlaskClient, desk: Desk, role: str) -> None:
    desk.connect(desk.finance.feng)
    batch = desk.sent()
    line = desk.finance.line(batch, desk.finance.feng).public_id
    signed_in(client, *([] if role == "buyer" else [role]), **({"station": "140000"} if role == "auditor" else {}))
    assert post(client, f"{LIST}/{batch}/lines/{line}/search", {}).status_code == 403
    for whose, its_role in (("seller", "seller"), ("station", "station_manager")):
        expected = 303 if role == its_role else 403
        assert post(client, f"/{whose}/account/provider", {}).status_code == expected


def test_what_is_not_there(client: FlaskClient, desk: Desk, operator: FlaskClient) -> None:
    batch = desk.finance.draft() if desk.finance.payee(desk.finance.feng) else ""
    for path in ("payees/acct_x", "payees/%00"):
        assert client.get(f"/sandbox-cashier/{path}").status_code == 404
    for step in ("decision", "payout"):
        assert post(client, f"/sandbox-cashier/payees/acct_x/{step}", {"outcome": "verify"}).status_code == 404
    line = desk.finance.line(batch, desk.finance.feng).public_id
    assert post(operator, f"{LIST}/{batch}/lines/{line}/search", {}).status_code == 404


def test_a_gateway_that_does_not_answer_is_said(desk: Desk, grower: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.finance.payee(desk.finance.feng)

    def gone(*_args: object, **_given: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(desk.cashier, "payee_status", gone)
    answer = post(grower, "/seller/account/provider", {})
    assert "过一会儿再试" in grower.get(answer.headers["Location"]).text


def test_the_gateway_is_told_nothing_about_the_person(desk: Desk) -> None:
    there = desk.connect(desk.finance.feng)
    payee, account = desk.payee(desk.finance.feng), desk.finance.account(desk.finance.feng)
    kept = "".join(map(str, desk.cashier.look_up_payee(there)))
    assert payee.public_id in kept
    for ours in (account.holder, account.number, account.bank, desk.finance.feng[1]):
        assert ours not in kept
    records = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "payee.connecting")).all()
    assert [record.subject for record in records] == [f"payout_account:{account.public_id}"]
    assert account.number not in str([record.detail for record in records])


def test_a_transfer_without_an_answer_is_looked_for_by_a_person(
    desk: Desk, operator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect(desk.finance.feng)
    batch = desk.sent()

    def loses(_request: object, *, key: str) -> None:
        raise OutcomeUnknown(key)

    monkeypatch.setattr(desk.cashier, "transfer", loses)
    desk.work()
    line = f"{LIST}/{batch}/lines/{desk.finance.line(batch, desk.finance.feng).public_id}"
    assert "还没回音" in operator.get(line).text and "/search" not in operator.get(line).text
    early = post(operator, f"{line}/search", {})
    assert "还在自动办理" in operator.get(early.headers["Location"]).text
    with time_machine.travel(clock.now() + timedelta(hours=23, minutes=1)):
        browser = browser_of(operator, db.session.get(Person, desk.finance.drafter))
        assert "/search" in browser.get(line).text
        post(browser, f"{line}/search", {})
    assert desk.finance.line_state(batch, desk.finance.feng) is L.RETURNED
    row = desk.transfer(batch, desk.finance.feng)
    assert row and row.state is T.FAILED
    assert "没收到这笔" in operator.get(line).text
