"""A matching fund as people meet it: at the officers' desk, on the sponsor's page, beside a campaign, in the ledger."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdfund.campaigns import giving
from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.states import FundState as F
from marketplace.core import page_versions, sealing
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.payments.models import Refund
from tests.campaigns.conftest import Fund, hidden, post
from tests.campaigns.matching.conftest import (
    CONTACT,
    SPONSOR,
    get_fund,
    matches_of,
    open_fund,
    paid_in,
    promise,
    standing,
)
from tests.campaigns.matching.test_matching import send_back
from tests.factories import signed_in
from tests.public_ledger import written

DESK = "/charity/matching-funds"


def typed(**changes: str) -> dict[str, str]:
    """A form in which nothing is missing."""
    caps = {"gift_cap": "２00", "giver_cap": "500.00", "total": "3,000 元"}
    return {"sponsor": SPONSOR, "contact": CONTACT, "rate_percent": "50", **caps} | changes


def latest() -> MatchingFund:
    db.session.rollback()
    return db.session.scalars(select(MatchingFund).order_by(MatchingFund.id.desc()).limit(1)).one()


def link_of(fund: str) -> str:
    return f"/matching-funds/{funds.link_token(fund)}"


def pay_at_the_cashier(fund: Fund, promised: str) -> None:
    """The sponsor's own button, and then the cashier's."""
    answer = post(fund.browser(), f"{link_of(promised)}/payment", {})
    assert answer.status_code == 303 and "/sandbox-cashier/" in answer.headers["Location"]
    fund.cashier.decide(fund.remote_of(promised), "succeeded")
    fund.work()


def test_the_whole_way_at_the_desk(fund: Fund, officer: FlaskClient, approver: FlaskClient) -> None:
    campaign = fund.open()
    assert f"{DESK}/new?campaign={campaign}" in officer.get(DESK).text
    key = hidden(officer.get(f"{DESK}/new?campaign={campaign}"), "idempotency_key")
    for _twice in range(2):
        made = post(officer, f"{DESK}/new?campaign={campaign}", typed(idempotency_key=key))
        assert made.status_code == 303
    row = latest()
    assert len(db.session.scalars(select(MatchingFund.id)).all()) == 1
    sums = (row.rate_percent, row.gift_cap_fen, row.giver_cap_fen, row.total_fen, row.sponsor, row.contact)
    assert sums == (50, 20_000, 50_000, 300_000, SPONSOR, CONTACT)
    page = f"{DESK}/{row.public_id}"
    assert made.headers["Location"] == page and link_of(row.public_id) in officer.get(page).text

    pay_at_the_cashier(fund, row.public_id)
    assert "开始配捐" not in officer.get(page).text  # whoever drafted it does not open it
    assert post(officer, f"{page}/activation", {}).status_code == 403
    assert post(approver, f"{page}/activation", {"why": "合同已核"}).status_code == 303
    assert standing(row.public_id)[0] is F.ACTIVE
    fund.give(campaign, 660, name="王晓雯", anonymity="masked")
    shown = approver.get(page).text
    assert "王** 捐 ¥6.60" in shown and "合同已核" in shown and "正在配捐" in officer.get(DESK).text

    refused = post(officer, f"{page}/closing", {"why": ""})
    assert refused.status_code == 422 and "请写明原因" in refused.text
    assert post(officer, f"{page}/closing", {"why": "活动结束"}).status_code == 303
    fund.work()
    assert standing(row.public_id) == (F.CLOSED, 330, 299_670, 0)
    assert "活动结束" in officer.get(page).text and "退给配捐方的" in officer.get(page).text
    told = select(AuditRecord.action).where(AuditRecord.subject == f"matching_fund:{row.public_id}")
    assert db.session.scalars(told.order_by(AuditRecord.id)).all() == [
        f"matching_fund.{state}" for state in ("draft", "funded", "active", "closed")
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sponsor": ""}, "sponsor"),
        ({"sponsor": "=1+1"}, "sponsor"),
        ({"contact": "在村口"}, "contact"),
        ({"rate_percent": "0"}, "rate_percent"),
        ({"rate_percent": "1001"}, "rate_percent"),
        ({"rate_percent": "半"}, "rate_percent"),
        ({"total": "-1"}, "total"),
        ({"total": ""}, "total"),
        ({"gift_cap": "3000.01"}, "gift_cap"),
        ({"giver_cap": "0"}, "giver_cap"),
    ],
)
def test_bad_input_is_said_by_its_field_and_changes_nothing(
    fund: Fund, officer: FlaskClient, wrong: dict[str, str], said: str
) -> None:
    campaign = fund.open()
    answer = post(officer, f"{DESK}/new?campaign={campaign}", typed(**wrong))
    assert answer.status_code == 422
    assert f'id="{said}-note"' in answer.text and f'value="{typed(**wrong)["sponsor"]}"' in answer.text
    assert db.session.scalars(select(MatchingFund.id)).all() == []


def test_who_may_do_what(fund: Fund, officer: FlaskClient, approver: FlaskClient) -> None:
    campaign = fund.open()
    paid = paid_in(fund, campaign)
    page, new = f"{DESK}/{paid}", f"{DESK}/new?campaign={campaign}"
    stranger, other, province = fund.browser(), fund.browser(), fund.browser()
    signed_in(other, "charity_officer", "charity_approver")
    signed_in(province, "auditor")

    assert stranger.get(DESK).status_code == 302
    assert approver.get(new).status_code == 403
    assert post(approver, f"{page}/closing", {"why": "x"}).status_code == 403
    for path in (page, new):
        assert other.get(path).status_code == 404
    for path in ("activation", "closing", "refund"):
        assert post(other, f"{page}/{path}", {"why": "x"}).status_code == 404
        assert post(province, f"{page}/{path}", {"why": "x"}).status_code == 403
    looked = province.get(page)
    assert looked.status_code == 200 and "关掉这笔配捐资金" not in looked.text and SPONSOR in province.get(DESK).text
    assert officer.get(f"{DESK}/new?campaign=nowhere").status_code == 404
    assert standing(paid)[0] is F.FUNDED


def test_the_sponsors_page_says_how_it_stands(fund: Fund) -> None:
    promised = promise(fund, fund.open(), 300_000, rate=50, gift_cap=20_000)
    client, page = fund.browser(), link_of(promised)
    assert client.get("/matching-funds/wrong").status_code == 404
    first = client.get(page).text
    assert "跟着配 ¥0.50" in first and "付款 ¥3,000.00" in first

    post(client, f"{page}/payment", {})
    fund.cashier.decide(fund.remote_of(promised), "failed")
    fund.work()
    assert "没有扣钱" in client.get(page).text
    pay_at_the_cashier(fund, promised)
    assert "¥3,000.00 已经到账" in client.get(page).text
    again = post(client, f"{page}/payment", {})
    assert again.status_code == 303 and again.headers["Location"] == page
    in_transaction(funds.activate, fund=promised, person=fund.approver.id)
    assert "有人捐就跟着配" in client.get(page).text
    in_transaction(funds.close, fund=promised, person=fund.officer.id, why="x")
    fund.work()
    assert "剩下的钱原路退回" in client.get(page).text
    assert db.session.scalars(select(Refund.fen)).all() == [300_000]


def test_who_pays_while_signed_in_is_the_sponsor(fund: Fund) -> None:
    promised = promise(fund, fund.open())
    client = fund.browser()
    person = signed_in(client)
    post(client, f"{link_of(promised)}/payment", {})
    assert get_fund(promised).person_id == person.id


def test_givers_are_told_who_matches_and_how_much_is_left(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_versions, "GLANCE", 0.0)
    campaign, client = fund.open(), fund.browser()
    opened = open_fund(fund, campaign, 100_000, rate=50, gift_cap=20_000)
    page = client.get(f"/campaigns/{campaign}").text
    assert f"你捐 ¥1，{SPONSOR}跟着配 ¥0.50；一笔最多配 ¥200.00，一个人最多配 ¥1,000.00。还剩 ¥1,000.00 可配。" in page
    assert "斜纹" not in page

    gift = fund.give(campaign, 660, name="王晓雯", anonymity="masked")

    page = client.get(f"/campaigns/{campaign}").text
    assert "还剩 ¥996.70 可配" in page and "其中 ¥3.30 是配捐" in page and "progress__match" in page
    assert f"{SPONSOR} 配捐" in re.sub(r"\s+", " ", page)
    mine = client.get(f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}").text
    assert f"{SPONSOR}给你这笔捐款配了 ¥3.30。" in mine

    in_transaction(send_back, gift, campaign, 660)
    assert "给你这笔捐款配了" not in client.get(f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}").text
    for _each in range(5):
        fund.give(campaign, 90_000)
    assert standing(opened)[0] is F.EXHAUSTED
    page = client.get(f"/campaigns/{campaign}").text
    assert f"{SPONSOR}给这里的捐款配了 ¥1,000.00，答应的钱已经全部配完。" in page


def test_english_readers_are_told_too(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign, 100_000)
    client = fund.browser()
    client.set_cookie("lang", "en")
    page = client.get(f"/campaigns/{campaign}").text
    assert f'<span lang="zh">{SPONSOR}</span> adds ¥1' in page
    untranslated = promise(fund, fund.open(title_en=""))
    assert '“<span lang="zh">给临县添一架书</span>”' in client.get(link_of(untranslated)).text


def test_each_match_and_return_is_in_the_ledger_that_anybody_can_check(fund: Fund) -> None:
    campaign, client = fund.open(), fund.browser()
    open_fund(fund, campaign, 100_000)
    gift = fund.give(campaign, 660)
    fund.give(campaign, 100)
    in_transaction(send_back, gift, campaign, 660)
    while in_transaction(sealing.seal, chain="public"):
        pass

    file = client.get("/ledger.csv").data
    assert written.complaint(file) == ""
    kinds = [line.split(",")[3:6:2] for line in file.decode().splitlines()[1:7]]
    assert kinds == [
        ["gift", "660"],
        ["match", "660"],
        ["gift", "100"],
        ["match", "100"],
        ["unmatch", "-660"],
        ["refund", "-660"],
    ]
    rows = client.get(f"/ledger/{campaign}?kind=unmatch").text
    assert "配捐收回" in rows and SPONSOR in rows
    whole: dict[str, Any] = client.get(f"/api/v1/campaigns/{campaign}").get_json()
    assert whole["raised_fen"] == 200
    assert fund.balance(campaign) == 200


def test_what_did_not_arrive_is_sent_once_more_at_the_desk(fund: Fund, officer: FlaskClient) -> None:
    opened = open_fund(fund, fund.open(), 10_000)
    page = f"{DESK}/{opened}"
    in_transaction(funds.close, fund=opened, person=fund.officer.id, why="活动结束")
    fund.work()
    fund.cashier.fail_refund(fund.cashier.refunds_of(fund.remote_of(opened))[-1].remote_id)
    fund.work()
    assert "里面还有 ¥100.00" in officer.get(DESK).text
    assert post(officer, f"{page}/refund", {}).status_code == 303
    assert standing(opened) == (F.CLOSED, 0, 10_000, 0)
    assert "又退了一次" in officer.get(page).text
    assert post(officer, f"{page}/refund", {}).status_code == 303  # once
    assert standing(opened) == (F.CLOSED, 0, 10_000, 0) and matches_of(opened) == []


def test_the_payment_is_followed_by_the_province(fund: Fund) -> None:
    opened = open_fund(fund, fund.open(), 10_000)
    client = fund.browser()
    signed_in(client, "operator")
    page = client.get(f"/operator/payments/{fund.attempt(opened)}").text
    assert f"{DESK}/{opened}" in page and "配捐资金" in page
