"""The file for the bank and the bank's answer: sums that prove themselves, rows that are judged one by one."""

import csv
import hashlib
from typing import Any

import pytest
from hypothesis import given, strategies as st
from sqlalchemy import select

from marketplace.core import csv_rows
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.orders.batches import answers, approving, bank_file
from marketplace.orders.batches.answers import Verdict as V
from marketplace.orders.batches.states import BatchState, LineState
from tests.batches.conftest import HOUSE, Finance, balance
from tests.batches.test_paying_out import ready
from tests.public_ledger.racing import race

HEAD = "end_to_end_id,fen,result,said\n"


def file_of(finance: Finance, batch: str) -> bytes:
    row = finance.batch(batch)
    return bank_file.content(row, approving.paying(db.session(), row))


def apply(batch: str, text: str) -> list[V]:
    found = in_transaction(answers.apply, batch=batch, content=text.encode(), actor="person:1")
    return [each.verdict for each in found]


def test_the_file_sums_itself_up(finance: Finance) -> None:
    batch = ready(finance).sent()
    file = file_of(finance, batch)
    head, *payments, foot = file.decode().splitlines()
    day = finance.batch(batch).sent_at.astimezone().strftime  # type: ignore[union-attr]
    assert head.startswith(f"H,1,{batch},{day('%Y')}") and head.endswith(",CNY,2,3980,39.80")
    first, second = finance.lines(batch)[finance.feng], finance.lines(batch)[HOUSE]
    assert payments == [
        f"P,{first.public_id},冯建国,山西农信,{first.number},3662,36.62,货款结算 {batch}",
        f"P,{second.public_id},冯建国,山西农信,{second.number},318,3.18,货款结算 {batch}",
    ]
    above = file[: file.rindex(b"T,")]
    assert foot == f"T,2,3980,{hashlib.sha256(above).hexdigest()}"
    assert finance.batch(batch).file_sha256 == hashlib.sha256(file).hexdigest()


def test_the_file_is_the_same_whenever_it_is_made(finance: Finance) -> None:
    batch = ready(finance).sent()
    before = file_of(finance, batch)
    finance.payee(finance.feng, number="6217000000009999")
    finance.confirm(batch, finance.feng)
    finance.send_back(batch, HOUSE)
    assert file_of(finance, batch) == before


@pytest.mark.parametrize(
    "name", ["=1+1", "+8613800000000", "-2+3", "@SUM(A1)", "\t=1", " =1", "\r\n@A1", "＝1+1", "＋86", "－2", "＠A1"]
)
def test_no_cell_is_a_formula(name: str) -> None:
    assert csv_rows.cell(name) == f"'{name.strip()}"


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=20))
def test_a_cell_is_read_back_as_it_was(text: str) -> None:
    plain = " ".join(text.split())
    cells = next(csv.reader([csv_rows.row((text, "end"))]))
    assert (cells[0].removeprefix("'"), cells[1:]) == (plain, ["end"])


def test_an_answer_is_read_row_by_row(finance: Finance) -> None:
    batch = ready(finance).sent()
    feng, house = finance.line(batch, finance.feng).public_id, finance.line(batch, HOUSE).public_id
    text = f"{HEAD}{feng},3662,paid,B-77\n{house},317,paid,B-78\nnobody,1,paid,\n"
    assert apply(batch, text) == [V.CONFIRMS, V.OTHER_AMOUNT, V.UNKNOWN]
    assert finance.line_state(batch, finance.feng) is LineState.CONFIRMED
    assert finance.line(batch, finance.feng).bank_said == "B-77"
    assert finance.line_state(batch, HOUSE) is LineState.SENT

    assert apply(batch, text) == [V.REPEATS, V.OTHER_AMOUNT, V.UNKNOWN]
    assert balance("gateway_clearing", "sandbox") == -3662
    assert apply(batch, f"{HEAD}{feng},3662,returned,too late\n{house},318,returned,\n") == [V.ANSWERED, V.NO_REASON]
    assert apply(batch, f"{HEAD}{house},318,returned,户名不符\n") == [V.RETURNS]
    assert finance.state(batch) is BatchState.CLOSED and finance.owed(HOUSE) == 318
    done = select(AuditRecord.detail).where(AuditRecord.action == "settlement.answered").order_by(AuditRecord.id)
    assert [detail["done"] for detail in db.session.scalars(done)] == [1, 0, 0, 1]


def test_what_contradicts_itself_does_nothing(finance: Finance) -> None:
    batch = ready(finance).sent()
    feng = finance.line(batch, finance.feng).public_id
    assert apply(batch, f"{HEAD}{feng},3662,paid,\n{feng},3662,returned,x\n") == [V.TWICE, V.TWICE]
    assert apply(batch, f"{HEAD}{feng},3662,perhaps,\n") == [V.NO_RESULT]
    assert balance("payout_in_transit") == -3980


def test_a_line_of_another_batch_is_unknown(finance: Finance) -> None:
    first = ready(finance).sent()
    finance.settle(finance.qiao, 100)
    finance.payee(finance.qiao)
    second = finance.sent()
    line = finance.line(first, finance.feng).public_id
    assert apply(second, f"{HEAD}{line},3662,paid,\n") == [V.UNKNOWN]


def test_columns_in_another_order_and_encoding(finance: Finance) -> None:
    batch = ready(finance).sent()
    house = finance.line(batch, HOUSE).public_id
    text = f"said, result ,fen,end_to_end_id,more\r\n户名不符,returned,318,{house},x\r\n"
    given: Any = {"batch": batch, "actor": "person:1"}
    found = in_transaction(answers.apply, content=text.encode("gb18030"), **given)
    assert [each.verdict for each in found] == [V.RETURNS]
    assert finance.line(batch, HOUSE).bank_said == "户名不符"


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", HEAD.encode(), b"end_to_end_id,fen\nx,1\n", b"\xff\xfe\x00", b"a" * 600_000, HEAD.encode() + b'"open'],
)
def test_what_is_no_answer_is_refused(content: bytes) -> None:
    with pytest.raises(answers.Unreadable):
        answers.read(content)


def test_a_short_row_is_no_result(finance: Finance) -> None:
    batch = ready(finance).sent()
    feng = finance.line(batch, finance.feng).public_id
    assert apply(batch, f"{HEAD}{feng}\n{feng}x,1,paid,y,z,z\n") == [V.OTHER_AMOUNT, V.UNKNOWN]


def test_the_same_file_by_two_people_at_once(real_finance: Finance) -> None:
    batch = ready(real_finance).sent()
    lines = {owner: real_finance.line(batch, owner).public_id for owner in (real_finance.feng, HOUSE)}
    text = f"{HEAD}{lines[real_finance.feng]},3662,paid,\n{lines[HOUSE]},318,paid,\n"
    assert race([lambda: apply(batch, text)] * 3) == [None] * 3
    assert balance("gateway_clearing", "sandbox") == -3980 and real_finance.state(batch) is BatchState.CLOSED
