"""/charity/disbursements, through the pages that officers use: who may what, what is said where, what stays in a file."""

import csv
import hashlib
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from crowdfund.campaigns import budgets, disbursing
from crowdfund.campaigns.models import BudgetLine, Disbursement, Evidence
from crowdfund.campaigns.reports import content, papers
from crowdfund.campaigns.reports.content import KINDS
from crowdfund.campaigns.states import DisbursementState as D
from marketplace.accounts.models import Person
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from tests.factories import make_person, sign_in_as, signed_in
from tests.public_ledger.conftest import CREDIT_CODE, Giving

OURS = {"Sec-Fetch-Site": "same-origin"}
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"
PLACE = "/charity/disbursements"
NOON = datetime(2026, 10, 18, 4, tzinfo=UTC)
SUMS = dict.fromkeys((*KINDS, "gifts"), 0)


class Desk:
    """The officer's browser and the approver's."""

    def __init__(self, app: Flask, giving: Giving) -> None:
        self.giving = giving
        self.officer, self.approver = app.test_client(), app.test_client()
        sign_in_as(self.officer, db.session.get_one(Person, giving.officer))
        sign_in_as(self.approver, db.session.get_one(Person, giving.approver))

    def post(self, client: FlaskClient, place: str, data: dict[str, Any]) -> Any:
        """As a browser: with the token of its session. What the test client wrote into a temporary file is closed."""
        answer = client.post(place, data=data | token_of(client), headers=OURS, content_type="multipart/form-data")
        answer.request.environ["wsgi.input"].close()
        return answer

    def ask(self, campaign: str, **given: Any) -> Any:
        bill = {"budget_line": "1", "amount": "48.15", "purpose": "玉坪乡图书 214 册", "provider": "临汾新华书店"}
        rest = {"provider_credit_code": CREDIT_CODE, "invoice_number": "INV-1", "idempotency_key": "k1"}
        return self.post(self.officer, f"{PLACE}/new?campaign={campaign}", bill | rest | given)

    def made(self) -> str:
        return db.session.scalars(select(Disbursement.public_id).order_by(Disbursement.id.desc())).first() or ""

    def step(self, client: FlaskClient, name: str, **data: Any) -> Any:
        return self.post(client, f"{PLACE}/{self.made()}/{name}", data)

    def state(self) -> D:
        db.session.expire_all()
        return db.session.scalars(select(Disbursement.state)).one()


@pytest.fixture
def desk(app: Flask, giving: Giving) -> Desk:
    return Desk(app, giving)


def test_a_bill_from_the_desk_to_the_public_page(desk: Desk, client: FlaskClient) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    assert "¥100.00" in desk.officer.get(PLACE).text
    assert desk.ask(campaign.public_id).headers["Location"] == f"{PLACE}/{desk.made()}"
    assert desk.step(desk.approver, "approval").status_code == 303 and desk.state() is D.APPROVED
    assert desk.step(desk.officer, "transfer").status_code == 303 and desk.state() is D.PAYING
    answer = desk.step(desk.officer, "payment", bank_reference=" ")
    assert answer.status_code == 422 and desk.state() is D.PAYING
    assert desk.step(desk.officer, "payment", bank_reference="B-77").status_code == 303 and desk.state() is D.PAID
    assert desk.step(desk.officer, "completion").status_code == 303 and desk.state() is D.PAID
    assert "还没有发票，先传发票。" in desk.officer.get(f"{PLACE}/{desk.made()}").text
    lay = {"kind": "invoice", "words": "收讫", "is_public": "y", "file": (io.BytesIO(PDF), "发票.pdf")}
    assert desk.step(desk.officer, "evidence", **lay).status_code == 303
    assert desk.step(desk.officer, "completion").status_code == 303 and desk.state() is D.EVIDENCED

    here = f"/ledger/{campaign.public_id}/disbursements/{desk.made()}"
    assert "/evidence/" not in client.get(here).text  # nobody but who added it has looked into it
    proof = db.session.scalars(select(Evidence.public_id)).one()
    assert "第二个人逐页看过" in desk.approver.get(f"{PLACE}/{desk.made()}").text
    seen = {"overruling-reason": "逐页看过，没有人像"}
    assert desk.step(desk.approver, f"evidence/{proof}/overruling", **seen).status_code == 303
    page = client.get(here).text
    assert hashlib.sha256(PDF).hexdigest() in page and "收讫" in page
    file = client.get(unescape(re.findall(r'href="(/evidence/[^"]+)"', page)[0]))
    assert file.data == PDF and file.headers["Content-Disposition"].startswith("attachment")


def test_who_approves_reads_the_lines_and_what_the_budget_has(desk: Desk) -> None:
    campaign = desk.giving.campaign()
    (item,) = db.session.scalars(select(BudgetLine).where(BudgetLine.campaign_id == campaign.id, BudgetLine.position == 1))
    item.fen = 6000
    db.session.commit()
    desk.giving.gift(campaign, 20_000)
    desk.ask(campaign.public_id, lines="绘本 200 册 40\n画册 14 册 8.15")
    page = desk.approver.get(f"{PLACE}/{desk.made()}").text
    assert "绘本 200 册 ¥40.00" in page and "画册 14 册 ¥8.15" in page
    assert "预算 ¥60.00，这之前已批和已付 ¥0.00" in page and "超出预算" not in page
    desk.step(desk.approver, "approval")
    assert "这之前已批和已付 ¥0.00" in desk.approver.get(f"{PLACE}/{desk.made()}").text
    desk.ask(campaign.public_id, invoice_number="INV-2", idempotency_key="k2")
    page = desk.approver.get(f"{PLACE}/{desk.made()}").text
    assert "预算 ¥60.00，这之前已批和已付 ¥48.15" in page and "这一项就超出预算 ¥36.30" in page


def test_what_was_approved_is_called_off_at_the_desk_by_the_approver_alone(desk: Desk) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    desk.ask(campaign.public_id)
    desk.step(desk.approver, "approval")
    place = f"{PLACE}/{desk.made()}"
    assert "还是不付了" in desk.approver.get(place).text and "还是不付了" not in desk.officer.get(place).text
    assert desk.step(desk.officer, "rejection", reason="x").status_code == 403 and desk.state() is D.APPROVED
    empty = desk.step(desk.approver, "rejection", reason=" ")
    assert empty.status_code == 422 and '<details class="panel" open>' in empty.text and desk.state() is D.APPROVED
    assert desk.step(desk.approver, "rejection", reason="店里没货了").status_code == 303 and desk.state() is D.REJECTED
    assert desk.step(desk.approver, "rejection", reason="店里没货了").status_code == 303 and desk.state() is D.REJECTED
    assert "店里没货了" in desk.officer.get(place).text  # who asked for it reads why
    assert desk.ask(campaign.public_id, idempotency_key="k2").status_code == 303  # the same invoice


@pytest.mark.parametrize(
    "amount", ["0", "-1", "¥1,0.5", "0.001", "1e9", "ten", "", "99999999999999", "0.00", "１０．０００１"]
)
def test_bad_amounts_are_said_by_the_field_and_kept(desk: Desk, amount: str) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    answer = desk.ask(campaign.public_id, amount=amount)
    assert answer.status_code == 422 and 'id="amount-note"' in answer.text and "临汾新华书店" in answer.text
    assert desk.made() == ""


@pytest.mark.parametrize(("amount", "fen"), [("１０", 1000), ("¥1,000.5", 100050), (" 0.01 ", 1), ("48.15元", 4815)])
def test_sums_as_people_write_them(desk: Desk, amount: str, fen: int) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 200_000)
    assert desk.ask(campaign.public_id, amount=amount).status_code == 303
    assert db.session.scalars(select(Disbursement.fen)).all() == [fen]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("provider_credit_code", "9114", "现在是 4 位，信用代码应为 18 位。"),
        ("provider_credit_code", "91140000MA0K2X7QIP", "信用代码只有数字和大写字母"),
        ("purpose", "", ""),
        ("provider", "x" * 61, ""),
        ("budget_line", "3", ""),
        ("invoice_number", "", ""),
    ],
)
def test_other_bad_entries(desk: Desk, field: str, value: str, said: str) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    answer = desk.ask(campaign.public_id, **{field: value})
    assert answer.status_code == 422 and said in answer.text and 'role="alert"' in answer.text
    assert desk.made() == ""


def test_more_than_is_free_and_an_invoice_twice(desk: Desk) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 5000)
    answer = desk.ask(campaign.public_id, amount="50.01")
    assert answer.status_code == 422 and "没安排的只剩 ¥50.00。" in answer.text
    assert desk.ask(campaign.public_id).status_code == 303
    answer = desk.ask(campaign.public_id, idempotency_key="k2")
    assert answer.status_code == 422 and "这张发票已经申请过了。" in answer.text


def test_a_form_sent_twice_asks_once(desk: Desk) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    places = [desk.ask(campaign.public_id).headers["Location"] for _each in range(2)]
    assert places == [f"{PLACE}/{desk.made()}"] * 2
    assert len(db.session.scalars(select(Disbursement)).all()) == 1


def test_a_rejection_needs_a_reason_and_the_officer_reads_how_it_stands(desk: Desk) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    desk.ask(campaign.public_id)
    assert desk.step(desk.approver, "rejection", reason="").status_code == 422
    assert desk.step(desk.approver, "rejection", reason="发票抬头不对").status_code == 303
    assert "没批" in desk.officer.get(PLACE).text
    desk.step(desk.approver, "approval")
    assert "这一步已经做过" in desk.approver.get(f"{PLACE}/{desk.made()}").text and desk.state() is D.REJECTED


def test_who_may_what(desk: Desk, app: Flask) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    desk.ask(campaign.public_id)
    assert desk.step(desk.officer, "approval").status_code == 403
    for name in ("transfer", "payment", "failure", "evidence", "completion"):
        assert desk.step(desk.approver, name).status_code == 403, name
    assert desk.approver.get(f"{PLACE}/new?campaign={campaign.public_id}").status_code == 403
    assert desk.officer.get(f"{PLACE}/new?campaign=nobody").status_code == 404
    assert app.test_client().get(PLACE).status_code == 302
    seller, stranger = app.test_client(), app.test_client()
    signed_in(seller, "seller")
    assert seller.get(PLACE).status_code == 403
    other = make_person()
    from marketplace.accounts import people
    from marketplace.core.db import in_transaction

    for role in ("charity_officer", "charity_approver"):
        scope = {"scope_kind": "organisation", "scope_id": "another-one"}
        in_transaction(people.grant, person_id=other.id, role=role, actor="test", **scope)
    sign_in_as(stranger, other)
    assert stranger.get(PLACE).status_code == 200 and campaign.title_zh not in stranger.get(PLACE).text
    assert stranger.get(f"{PLACE}/{desk.made()}").status_code == 404
    assert stranger.get(f"{PLACE}/new?campaign={campaign.public_id}").status_code == 404
    for name in ("approval", "rejection", "transfer", "payment", "failure", "evidence", "completion"):
        assert stranger.post(f"{PLACE}/{desk.made()}/{name}", data=token_of(stranger), headers=OURS).status_code == 404, name
    assert desk.state() is D.REQUESTED


def token_of(client: FlaskClient) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    return {"csrf_token": found.group(1)} if found else {}


def paid(desk: Desk) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    desk.giving.pay_out(campaign, 100)


def test_a_picture_loses_what_is_personal_and_its_hash_is_the_originals(desk: Desk, client: FlaskClient) -> None:
    paid(desk)
    exif = Image.Exif()
    exif[0x010E] = "taken at home by somebody"
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(drawn, "JPEG", exif=exif)
    raw = drawn.getvalue()
    assert b"taken at home" in raw
    assert desk.step(desk.officer, "evidence", kind="photo", file=(io.BytesIO(raw), "p.jpg")).status_code == 303

    proof = db.session.scalars(select(Evidence)).one()
    assert proof.sha256 == hashlib.sha256(raw).hexdigest() and not proof.is_public
    kept = (settings().media_folder / proof.file_name).read_bytes()
    assert b"taken at home" not in kept and Image.open(io.BytesIO(kept)).format == "WEBP"
    assert client.get(f"/evidence/{proof.public_id}").status_code == 404
    own = f"{PLACE}/{desk.made()}/evidence/{proof.public_id}"
    assert desk.officer.get(own).data == kept and client.get(own).status_code == 302
    assert desk.officer.get(f"{PLACE}/{desk.made()}/evidence/nothing").status_code == 404


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "先选一个文件。"),
        (b"MZ\x90", "这个文件收不了"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "这个文件收不了"),
        (b"%PDF-1.7 cut short", "这个文件收不了"),
        (b"\x89PNG\r\n\x1a\nrubbish", "这不是能读的照片"),
        (b"%PDF-" + b"0" * (10 * 2**20) + b"%%EOF", "一个文件最大 10 MB。"),
    ],
)
def test_files_that_are_not_kept(desk: Desk, raw: bytes, said: str) -> None:
    paid(desk)
    answer = desk.step(desk.officer, "evidence", kind="invoice", words="两句话", file=(io.BytesIO(raw), "a.pdf"))
    assert answer.status_code == 422 and said in answer.text and "两句话" in answer.text
    assert db.session.scalars(select(Evidence)).all() == []


def test_what_waits_for_somebody_stands_first(desk: Desk) -> None:
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 10_000)
    for purpose in ("先付过的", "后付过的"):
        desk.giving.pay_out(campaign, 100, purpose=purpose)
    desk.giving.request(campaign, 100, purpose="等着批的")
    page = desk.officer.get(PLACE).text
    assert re.findall("(先付过的|后付过的|等着批的) ¥", page) == ["等着批的", "后付过的", "先付过的"]


def test_the_list_costs_the_same_however_long(
    desk: Desk, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def cost() -> int:
        with count_statements() as sent:
            desk.officer.get(PLACE)
        return len(sent)

    paid(desk)
    one = cost()
    for _each in range(3):
        paid(desk)
    assert cost() == one


def test_beyond_its_item_a_payment_wants_a_reason_that_everybody_reads(desk: Desk, app: Flask) -> None:
    """The budget has ¥33,600.00 for books: one fen more is approved with a reason, or not at all."""
    campaign = desk.giving.campaign()
    desk.giving.gift(campaign, 4_000_000)
    desk.ask(campaign.public_id, amount="33600.01")
    for why in ("", " \n"):
        answer = desk.step(desk.approver, "approval", why_beyond=why)
        assert answer.status_code == 422 and desk.state() is D.REQUESTED
        assert "可不填" not in answer.get_data(as_text=True)
    with pytest.raises(budgets.BeyondBudget):
        in_transaction(disbursing.approve, disbursement=desk.made(), approver_id=desk.giving.approver)
    assert desk.state() is D.REQUESTED
    why = "=书价涨了 <b>1</b> 分"
    assert desk.step(desk.approver, "approval", why_beyond=why).status_code == 303
    desk.step(desk.officer, "transfer")
    desk.step(desk.officer, "payment", bank_reference="B1")
    paid = desk.made()
    page = app.test_client().get(f"/ledger/{campaign.public_id}/disbursements/{paid}").get_data(as_text=True)
    assert unescape(page).count(why) == 1 and "<b>1" not in page
    (told,) = app.test_client().get(f"/api/v1/campaigns/{campaign.public_id}/disbursements").get_json()["disbursements"]
    assert told["beyond_why"] == why
    row = db.session.scalars(select(Disbursement).where(Disbursement.public_id == paid)).one()
    said = {"payments": [content.payment(row, 1, NOON, [], 0)], "budget": []} | dict.fromkeys(("period", "whole"), SUMS)
    table = papers.as_csv(said | {"since": "2026-10-01", "until": "2026-10-31"}, "ab").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [each["name"] for each in rows if each["part"] == "beyond"] == [f"'{why}"]

    second = desk.giving.request(campaign, 1)
    with pytest.raises(budgets.BeyondBudget):
        in_transaction(disbursing.approve, disbursement=second, approver_id=desk.giving.approver)
    other = in_transaction(
        disbursing.request,
        campaign=campaign.public_id,
        budget_line=2,
        bill=desk.giving.bill(1_440_000 - 1_080_001),
        requester_id=desk.giving.officer,
    )
    in_transaction(disbursing.approve, disbursement=other, approver_id=desk.giving.approver, why_beyond="没有超")
    reasons = select(Disbursement.beyond_why).where(Disbursement.public_id == other)
    assert db.session.scalar(reasons) == ""  # within its item nothing is kept
