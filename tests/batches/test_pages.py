"""The pages of settling: who may see what, what is typed is kept, a step sent twice is taken once."""

import csv
import io
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.orders.batches import confirming, payees, queries, searching
from marketplace.orders.batches.models import SettlementBatch
from marketplace.orders.batches.states import BatchState, LineState
from marketplace.stations.models import Seller
from tests.batches.conftest import HOUSE, Finance
from tests.batches.test_paying_out import ready
from tests.factories import STATION, sign_in_as, signed_in
from tests.orders.conftest import hidden, post

LIST = "/operator/settlements"


def person(number: int) -> Person:
    return db.session.get_one(Person, number)


@pytest.fixture
def drafter(client: FlaskClient, finance: Finance) -> FlaskClient:
    sign_in_as(client, person(finance.drafter))
    return client


@pytest.fixture
def approver(finance: Finance, client: FlaskClient) -> FlaskClient:
    other = client.application.test_client()
    sign_in_as(other, person(finance.approver))
    return other


@pytest.fixture
def grower(finance: Finance, client: FlaskClient) -> FlaskClient:
    other = client.application.test_client()
    who = db.session.scalars(select(Person).where(Person.public_id == finance.feng[1])).one()
    sign_in_as(other, who)
    return other


def number_of(answer: Any) -> str:
    return str(answer.headers["Location"].rsplit("/", 1)[-1])


def test_a_batch_by_two_people(finance: Finance, drafter: FlaskClient, approver: FlaskClient) -> None:
    ready(finance)
    page = drafter.get(LIST)
    assert "吉县站 ¥39.80" in page.text
    sent = {"station": STATION, "idempotency_key": hidden(page, "idempotency_key")}
    first, second = post(drafter, LIST, sent), post(drafter, LIST, sent)
    assert (first.status_code, number_of(first)) == (303, number_of(second))
    here = f"{LIST}/{number_of(first)}"
    assert db.session.scalar(select(func.count()).select_from(SettlementBatch)) == 1

    assert "要换一个人" in post(drafter, f"{here}/approval", {}).text
    assert "另一个人" in drafter.get(here).text and "/approval" not in drafter.get(here).text
    assert post(approver, f"{here}/approval", {}).status_code == 303
    assert post(approver, f"{here}/dispatch", {}).status_code == 422
    assert post(drafter, f"{here}/file", {}).status_code == 404
    post(drafter, f"{here}/dispatch", {"way": "file"})
    again = drafter.get(post(drafter, f"{here}/dispatch", {"way": "file"}).headers["Location"])
    assert "现在是这样" in again.text
    file = post(approver, f"{here}/file", {})
    assert file.mimetype == "text/csv" and file.data == post(drafter, f"{here}/file", {}).data
    assert db.session.scalar(select(func.count()).where(AuditRecord.action == "settlement.file_taken")) == 2
    assert finance.line(number_of(first), finance.feng).number in file.text
    assert finance.line(number_of(first), finance.feng).number not in drafter.get(here).text

    line = finance.line(number_of(first), finance.feng).public_id
    assert post(drafter, f"{here}/lines/{line}/return", {"reason": " "}).status_code == 422
    post(drafter, f"{here}/lines/{line}/return", {"reason": "户名不符"})
    house = finance.line(number_of(first), HOUSE).public_id
    post(drafter, f"{here}/lines/{house}/confirmation", {"reference": "B-9"})
    page = drafter.get(here)
    assert "已了结" in page.text and "户名不符" in page.text and "B-9" in page.text
    assert finance.state(number_of(first)) is BatchState.CLOSED


def test_batches_are_found_by_whatever_one_knows_and_taken_as_a_table(
    finance: Finance, drafter: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "EXPORTED", 1)
    old = ready(finance).sent()
    line, house = finance.line(old, finance.feng).public_id, finance.line(old, HOUSE).public_id
    finance.send_back(old, finance.feng)
    given: Any = {"batch": old, "line": house, "reference": '=1+1,"x"', "actor": "person:1"}
    in_transaction(confirming.confirm, **given)
    new = finance.draft()

    def numbers(query: str) -> list[str]:
        found = drafter.get(f"{LIST}?{query}")
        assert found.status_code == 200, found.text
        return re.findall(r'settlements/(PB-[A-Z0-9]+)">', found.text)

    assert numbers("") == numbers(f"since={clock.today()}&until={clock.today()}") == numbers("text=吉县") == [new, old]
    assert numbers("state=drafted") == numbers(f"text={new.lower()}") == [new]
    assert numbers("state=closed") == numbers(f"text={line}") == numbers("text=户名不符") == [old]
    assert numbers("text=%25") == numbers(f"until={clock.today() - timedelta(days=1)}") == []
    assert "没有找到" in drafter.get(f"{LIST}?text=%25").text and "欠站和卖家的" not in drafter.get(f"{LIST}?text=%25").text
    for rubbish in ("state=x", "since=soon", "text=" + "9" * 101):
        assert drafter.get(f"{LIST}?{rubbish}").status_code == 422
        assert post(drafter, f"{LIST}/payments.csv?{rubbish}", {}).status_code == 422

    text = post(drafter, f"{LIST}/payments.csv", {}).get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    told = [(each["batch"], each["end_to_end_id"], each["state"], each["fen"], each["bank_said"]) for each in rows]
    again = finance.line(new, finance.feng).public_id
    assert (new, again, "due", "3662", "") in told and (old, line, "returned", "3662", "户名不符") in told
    assert (old, house, "confirmed", "318", '\'=1+1,"x"') in told and len(told) == 3
    assert finance.account(finance.feng).number not in text
    few = post(drafter, f"{LIST}/payments.csv?state=drafted&text={new}", {}).get_data(as_text=True)
    assert again in few and old not in few
    kept = select(AuditRecord.why).where(AuditRecord.action == "settlements.exported").order_by(AuditRecord.id)
    assert db.session.scalars(kept).all() == ["", "state=drafted"]


def test_nothing_to_pay_is_said(finance: Finance, drafter: FlaskClient) -> None:
    finance.settle(finance.feng, 100)
    page = drafter.get(LIST)
    assert "暂不能付" in page.text and "拟一批" not in page.text
    answer = post(drafter, LIST, {"station": STATION})
    assert "没有能付款的人" in drafter.get(answer.headers["Location"]).text
    assert post(drafter, LIST, {"station": "999999"}).status_code == 404


def test_the_answer_is_shown_before_it_does_anything(finance: Finance, drafter: FlaskClient) -> None:
    batch = ready(finance).sent()
    here, line = f"{LIST}/{batch}", finance.line(batch, finance.feng).public_id
    text = f"end_to_end_id,fen,result,said\n{line},3662,paid,<B&1>\nnobody,1,paid,\n"
    given: dict[str, Any] = {"file": (io.BytesIO(text.encode()), "answer.csv")}
    page = post(drafter, f"{here}/answer-preview", given)
    assert "2 行里有 1 行可以记" in page.text and "这批里没有这笔" in page.text and "&lt;B&amp;1&gt;" in page.text
    assert finance.line_state(batch, finance.feng) is LineState.SENT
    done = post(drafter, f"{here}/answer", {"content": text})
    assert "2 行里记下了 1 行" in drafter.get(done.headers["Location"]).text
    assert "2 行里记下了 0 行" in drafter.get(post(drafter, f"{here}/answer", {"content": text}).headers["Location"]).text
    assert finance.line_state(batch, finance.feng) is LineState.CONFIRMED
    assert post(drafter, f"{here}/answer-preview", {}).status_code == 422
    rubbish: dict[str, Any] = {"file": (io.BytesIO(b"\x89PNG"), "x.png")}
    assert post(drafter, f"{here}/answer-preview", rubbish).status_code == 422
    assert post(drafter, f"{here}/answer", {"content": "x"}).status_code == 303


@pytest.mark.parametrize("role", ["buyer", "seller", "station_manager", "station_clerk", "auditor"])
def test_others_have_no_business_here(finance: Finance, client: FlaskClient, role: str) -> None:
    batch = ready(finance).draft()
    signed_in(client, *([] if role == "buyer" else [role]), **({"station": "140000"} if role == "auditor" else {}))
    reads = client.get(f"{LIST}/{batch}")
    assert reads.status_code == (200 if role == "auditor" else 403)
    assert role != "auditor" or not any(path in reads.text for path in ("/approval", "/operator/payees"))
    for path in (LIST, f"{LIST}/{batch}/approval", f"{LIST}/{batch}/file", "/operator/payees/x/verification"):
        assert post(client, path, {}).status_code == 403
    assert client.get("/operator/payees").status_code == 403
    assert finance.state(batch) is BatchState.DRAFTED


def test_what_is_not_there(finance: Finance, drafter: FlaskClient) -> None:
    batch = ready(finance).draft()
    line = finance.line(batch, finance.feng).public_id
    for path in ("PB-22222222", f"{batch}/lines/{line}", f"{batch}/lines/x", "%00"):
        assert drafter.get(f"{LIST}/{path}").status_code == 404
    assert drafter.get("/operator/payees/x").status_code == 404


def test_a_seller_gives_an_account_and_the_province_verifies_it(
    finance: Finance, grower: FlaskClient, drafter: FlaskClient
) -> None:
    typed = {"holder": "冯建国", "bank": "山西农信吉县支行", "number": "１２34 5678 abc"}
    refused = post(grower, "/seller/account", typed)
    assert refused.status_code == 422 and "账号只能是数字" in refused.text and 'value="山西农信吉县支行"' in refused.text
    assert "现在是 8 位" in post(grower, "/seller/account", typed | {"number": "1234 5678"}).text
    assert post(grower, "/seller/account", typed | {"number": "６２１７ 0012 3456-7890"}).status_code == 303
    page = grower.get("/seller/account")
    assert "…7890" in page.text and "核实中" in page.text and "6217001234567890" not in page.text

    account = finance.account(finance.feng).public_id
    assert "待核实" in drafter.get("/operator/payees").text
    here = f"/operator/payees/{account}"
    revision = hidden(drafter.get(here), "revision")
    wrong = post(drafter, f"{here}/verification", {"number": "6217001234567891", "revision": revision})
    assert wrong.status_code == 422 and 'value="6217001234567891"' in wrong.text
    assert post(drafter, f"{here}/verification", {"number": "6217001234567890", "revision": "x"}).status_code == 409
    post(drafter, f"{here}/verification", {"number": "6217 0012 3456 7890", "revision": revision})
    assert "已核实" in grower.get("/seller/account").text
    assert post(drafter, f"{here}/freeze", {"reason": ""}).status_code == 422
    post(drafter, f"{here}/freeze", {"reason": "有争议"})
    seen = grower.get("/seller/account").text
    assert "暂停打款" in seen and "有争议" not in seen  # why is between the province and whoever looks into it
    post(drafter, f"{here}/release", {})
    assert "已停付" not in grower.get("/seller/account").text


def test_a_statement_on_the_page_as_table_and_as_paper(finance: Finance, grower: FlaskClient) -> None:
    batch = ready(finance).sent()
    finance.send_back(batch, finance.feng)
    month = f"{clock.today():%Y-%m}"
    assert f'href="/seller/statements/{month}"' in grower.get("/seller/statements").text
    page = grower.get(f"/seller/statements/{month}")
    assert "包裹结算" in page.text and "户名不符" in page.text and batch in page.text
    rows = grower.get(f"/seller/statements/{month}.csv").data.decode("utf-8-sig").splitlines()
    assert rows[2].endswith("月初余额,,,,0.00") and rows[-1].endswith("月末余额,,,,36.62")
    assert [row.split(",")[-2:] for row in rows[3:-1]] == [["36.62", "36.62"], ["-36.62", "0.00"], ["36.62", "36.62"]]
    paper = grower.get(f"/seller/statements/{month}.pdf")
    assert paper.mimetype == "application/pdf" and paper.data.startswith(b"%PDF-")
    assert "typst" not in sys.modules
    for address in ("2099-01", "x", "2026-1", "2099-01.csv", "x.pdf"):
        assert grower.get(f"/seller/statements/{address}").status_code == 404


def test_a_station_has_the_same_for_its_manager_alone(finance: Finance, client: FlaskClient) -> None:
    ready(finance)
    month = f"{clock.today():%Y-%m}"
    signed_in(client, "station_manager")
    assert "¥3.18" in client.get("/station/statements").text and "/station/statements" in client.get("/station").text
    assert "包裹结算" in client.get(f"/station/statements/{month}").text
    assert "3.18" in client.get(f"/station/statements/{month}.csv").text
    assert client.get(f"/station/statements/{month}.pdf").data.startswith(b"%PDF-")
    assert (
        post(client, "/station/account", {"holder": "吉县站", "bank": "农信", "number": "6217001234567890"}).status_code
        == 303
    )
    assert client.get("/seller/statements").status_code == 403
    clerk = client.application.test_client()
    signed_in(clerk, "station_clerk")
    assert "/station/statements" not in clerk.get("/station").text
    for path in (
        "/station/statements",
        "/station/account",
        f"/station/statements/{month}",
        f"/station/statements/{month}.pdf",
    ):
        assert clerk.get(path).status_code == 403


def test_a_long_list_costs_the_same(
    finance: Finance, drafter: FlaskClient, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    ready(finance)
    drafter.get(LIST)
    with count_statements() as few:
        assert drafter.get(LIST).status_code == 200
    finance.draft()
    for owner in (finance.qiao, finance.feng, HOUSE):
        finance.settle(owner, 100)
    finance.payee(finance.qiao)
    finance.draft()
    with count_statements() as many:
        assert drafter.get(LIST).status_code == 200
    assert len(many) == len(few)


def test_readers_of_english_have_it_in_english(finance: Finance, grower: FlaskClient) -> None:
    ready(finance)
    page = grower.get("/seller/statements?lang=en", follow_redirects=True)
    assert "Owed to you" in page.text and "对账单" not in page.text
    month = f"{clock.today():%Y-%m}"
    assert "Parcel settled" in grower.get(f"/seller/statements/{month}").text
    assert "Closing balance" in grower.get(f"/seller/statements/{month}.csv").text


def pages_of(
    browser: FlaskClient, url: str, row: str, counted: Callable[[], AbstractContextManager[list[str]]]
) -> list[Any]:
    """What the pattern `row` finds on each page, and how many statements they took."""
    found: list[Any] = []
    while url:
        with counted() as sent:
            page = browser.get(url).text
        found.append((re.findall(row, page), len(sent)))
        further = re.search(r'rel="next" href="([^"]+)"', page)
        url = further[1].replace("&amp;", "&") if further else ""
    return found


def test_batches_and_accounts_go_on_where_the_page_ended(
    finance: Finance,
    drafter: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    count_statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    closed = ready(finance).sent()
    finance.confirm(closed, finance.feng)
    finance.confirm(closed, HOUSE)
    finance.payee(finance.qiao, verified=False)
    made = [closed]
    for owner in (finance.feng, HOUSE):
        finance.settle(owner, 100)
        made.append(finance.sent())
    finance.settle(finance.qiao, 100)
    account = finance.account(finance.qiao)
    in_transaction(payees.verify, account=account.public_id, number=account.number, revision=1, person_id=finance.approver)
    made.append(finance.draft())
    finance.payee(finance.feng, verified=False)
    finance.payee(HOUSE)
    frozen = finance.account(HOUSE).public_id
    in_transaction(payees.freeze, account=frozen, reason="有争议", person_id=finance.approver)
    drafter.get(LIST)

    seen = pages_of(drafter, LIST, rf'href="{LIST}/(PB-[A-Z0-9]+)"', count_statements)

    assert [batches for batches, _cost in seen] == [[made[3], made[2]], [made[1], made[0]]]
    assert "欠站和卖家的" in drafter.get(LIST).text
    assert "欠站和卖家的" not in drafter.get(f"{LIST}?before={made[2]}").text
    assert pages_of(drafter, f"{LIST}?before=nobody", r"PB-[A-Z0-9]+", count_statements)[0][0] == []
    accounts = pages_of(drafter, "/operator/payees", r'href="/operator/payees/([A-Za-z0-9]+)"', count_statements)
    order = [finance.account(finance.feng).public_id, frozen, finance.account(finance.qiao).public_id]
    assert [ids for ids, _cost in accounts] == [order[:2], order[2:]]
    assert len({cost for _ids, cost in accounts}) == 1


def test_names_are_those_of_the_readers_language(finance: Finance, drafter: FlaskClient, grower: FlaskClient) -> None:
    db.session.execute(update(Seller).where(Seller.name_zh == "冯建国家").values(name_en="Feng's farm"))
    db.session.commit()
    batch = ready(finance).sent()
    here, line = f"{LIST}/{batch}", finance.line(batch, finance.feng).public_id
    for path in (here, f"{here}/lines/{line}", "/operator/payees"):
        assert "冯建国家" in drafter.get(path).text
    for path in (f"{here}?lang=en", f"{here}/lines/{line}", "/operator/payees"):
        page = drafter.get(path, follow_redirects=True).text
        assert "Feng&#39;s farm" in page and "冯建国家" not in page
    assert "Jixian Station" in drafter.get("/operator/payees").text
    given: dict[str, Any] = {"file": (io.BytesIO(f"end_to_end_id,fen,result,said\n{line},3662,paid,B\n".encode()), "a.csv")}
    assert "Feng&#39;s farm" in post(drafter, f"{here}/answer-preview", given).text
    month = f"{clock.today():%Y-%m}"
    assert "Feng&#39;s farm" in grower.get(f"/seller/statements/{month}?lang=en", follow_redirects=True).text
