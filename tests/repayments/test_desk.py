"""What officers see of money that came back, through their pages: who may what, and nothing typed is lost."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdfund.campaigns.repayments.models import Repayment
from marketplace.accounts import people
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests.factories import make_person, sign_in_as
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_desk import PDF, Desk
from tests.repayments.conftest import paid
from tests.whereabouts.conftest import follow


@pytest.fixture
def desk(app: Flask, giving: Giving) -> Desk:
    return Desk(app, giving)


def enter(desk: Desk, payment: str, client: FlaskClient | None = None, **given: Any) -> Any:
    today = clock.today().isoformat()
    typed = {"line-1": "1.20", "line-2": "", "bank_reference": " hui 1 ", "received_on": today, "why": "少发了 30 册"}
    file = {} if given.pop("no_file", False) else {"file": (io.BytesIO(PDF), "回单.pdf")}
    place = f"/charity/disbursements/{payment}/repayments/new"
    return desk.post(client or desk.officer, place, typed | file | {"idempotency_key": "k1"} | given)


def rows() -> list[Repayment]:
    db.session.expire_all()
    return list(db.session.scalars(select(Repayment).order_by(Repayment.id)))


def test_from_the_banks_paper_to_the_public_page(desk: Desk, client: FlaskClient) -> None:
    campaign, payment = paid(desk.giving)
    form = desk.officer.get(f"/charity/disbursements/{payment}/repayments/new").text
    assert "「绘本, 100 册」退回多少元（最多 ¥4.00）" in form and "「书架」退回多少元（最多 ¥1.00）" in form
    answer = enter(desk, payment)
    (row,) = rows()
    here = f"/charity/repayments/{row.public_id}"
    assert answer.headers["Location"] == here and enter(desk, payment).headers["Location"] == here
    assert len(rows()) == 1 and (row.fen, row.bank_reference) == (120, "HUI1")
    assert "要由另一个人确认" in desk.officer.get(here).text
    assert desk.officer.get(f"{here}/paper").data == PDF
    assert "等另一个人确认" in desk.approver.get("/charity/disbursements").text
    public = f"/ledger/{campaign.public_id}/disbursements/{payment}"
    assert "少发了" not in client.get(public).text

    assert "收回 ¥1.20" in desk.approver.get(here).text
    assert desk.post(desk.approver, f"{here}/refusal", {"reason": " "}).status_code == 422
    assert desk.post(desk.approver, f"{here}/approval", {}).headers["Location"] == here
    assert "已入项目账户" in desk.officer.get(f"/charity/disbursements/{payment}").text
    follow(desk.giving)
    page = client.get(public).text
    assert "少发了 30 册" in page and "¥1.20" in page and "¥3.80" in page and hashlib.sha256(PDF).hexdigest() in page
    ledger = client.get(f"/ledger/{campaign.public_id}").text
    assert "收款方退回" in ledger and f"{public}#back" in ledger and "+1.20" in ledger
    assert "其中 ¥1.20 已退回" in client.get(f"/campaigns/{campaign.public_id}").text


def test_what_is_wrong_is_said_by_its_field_and_nothing_typed_is_lost(desk: Desk) -> None:
    _campaign, payment = paid(desk.giving)
    tomorrow, yesterday = (str(clock.today() + timedelta(days=days)) for days in (1, -1))
    for given, said in (
        ({"line-1": "4.01"}, "这一行最多还能退回 ¥4.00。"),
        ({"line-1": "一块"}, "金额用数字写"),
        ({"line-1": "-1"}, "最少 ¥0.01"),
        ({"line-1": ""}, "至少填一行退回了多少。"),
        ({"bank_reference": "\u3000"}, "请填银行流水号。"),
        ({"why": ""}, "请写明为什么退回。"),
        ({"received_on": tomorrow}, "这一天还没到"),
        ({"received_on": yesterday}, "这一天还没有付款给收款方。"),
        ({"received_on": "昨天"}, "日子这样写：2026-10-09。"),
        ({"no_file": True}, "先选一个文件。"),
        ({"file": (io.BytesIO(b"MZ"), "a.exe")}, "这个文件收不了。"),
    ):
        answer = enter(desk, payment, **given)
        assert answer.status_code == 422, given
        assert rows() == [] and answer.text.count('aria-invalid="true"') == 1, given
        kept = [value for name, value in {"why": "少发了 30 册"}.items() if name not in given]
        assert all(value in answer.text for value in kept) and said in answer.text, (given, said)


def test_the_same_credit_twice_and_more_than_is_left(desk: Desk) -> None:
    _campaign, payment = paid(desk.giving)
    whole: dict[str, Any] = {"line-1": "4.00"}
    enter(desk, payment, **whole)
    other: dict[str, Any] = {"line-1": "", "line-2": "0.5", "bank_reference": "HUI1", "idempotency_key": "k2"}
    answer = enter(desk, payment, **other)
    assert answer.status_code == 422 and "这个银行流水号已经登记过了。" in answer.text
    answer = enter(desk, payment, **whole | {"line-1": "0.01", "bank_reference": "HUI2", "idempotency_key": "k3"})
    assert answer.status_code == 422 and "这一行已经全部退回。" in answer.text
    assert len(rows()) == 1


def test_nobody_else_enters_decides_or_reads(app: Flask, desk: Desk, client: FlaskClient) -> None:
    _campaign, payment = paid(desk.giving)
    other, person = app.test_client(), make_person()
    for role in ("charity_officer", "charity_approver"):
        scope = {"scope_kind": "organisation", "scope_id": "another"}
        in_transaction(people.grant, person_id=person.id, role=role, actor="test", **scope)
    sign_in_as(other, person)
    assert enter(desk, payment, other).status_code == 404
    enter(desk, payment)
    here = f"/charity/repayments/{rows()[0].public_id}"
    assert other.get(here).status_code == 404 and other.get(f"{here}/paper").status_code == 404
    assert desk.post(other, f"{here}/approval", {}).status_code == 404
    assert desk.post(desk.officer, f"{here}/approval", {}).status_code == 403
    assert client.get(here).status_code in {302, 303, 401}
    assert rows()[0].decided_at is None
