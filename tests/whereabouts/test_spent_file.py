"""With the site, its files and verify.py a stranger follows ¥5 from gift to invoice line and finds what was changed."""

import csv
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from crowdfund.campaigns import public_ledger
from crowdfund.campaigns.models import PublicRow
from crowdfund.campaigns.whereabouts import invoices, spent_file
from marketplace.core.db import db, in_transaction
from tests.conftest import Thinned
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_receipts import give, send_back
from tests.public_ledger.test_verify import run
from tests.whereabouts.conftest import follow

SHELVES = (("绘本, 100 册", 400), ("'=借阅卡\"", 100))


@dataclass
class Files:
    """What a stranger has downloaded."""

    ledger: Path
    spent: Path
    lines: Path  # the ledger as JSON lines

    def say(self, *more: object) -> tuple[int, str]:
        return run(self.ledger, "--spent", self.spent, *more)

    def otherwise(self, table: bytes) -> tuple[int, str]:
        """With another table, whose last line fits: what a forger makes who knows the document."""
        begin, end = table[: table.rindex(b"end,")], table[table.rindex(b"end,") :]
        changed = self.spent.with_name("forged.csv")
        changed.write_bytes(begin + end[:-66] + hashlib.sha256(begin).hexdigest().encode() + b"\r\n")
        return run(self.ledger, "--spent", changed)


@pytest.fixture
def files(app: Flask, giving: Giving, tmp_path: Path) -> Files:
    """Rows 1 to 3: gifts of 300, 500 and 70 fen, the last of which gives 20 back in row 6; row 4 is another campaign's."""
    campaign, other = giving.campaign(), giving.campaign()
    for fen in (300, 500):
        giving.gift(campaign, fen)
    gone = in_transaction(give, campaign.public_id, fen=70)
    giving.gift(other, 900)
    giving.pay_out(campaign, 500, lines=SHELVES, provider="=书店, 临汾")
    giving.pay_out(other, 100)
    in_transaction(send_back, gone, 20)
    follow(giving)
    client, places = app.test_client(), []
    for name in ("ledger.csv", f"ledger/{campaign.public_id}/spent.csv", "ledger.jsonl"):
        places.append(tmp_path / name.replace("/", "-"))
        places[-1].write_bytes(client.get(f"/{name}").data)
    return Files(*places)


def test_a_stranger_follows_a_gift_to_the_lines_of_an_invoice(files: Files) -> None:
    code, said = files.say("--row", 2)
    assert code == 0, said
    assert "OK: every fen of 3 gifts" in said and "1 invoices in full" in said
    invoice = re.findall("INV[0-9]{6}", said)[0]
    assert [line for line in said[: said.index("{")].splitlines() if line.startswith("  ")] == [
        f"  1.00 spent 已付: =书店, 临汾, {invoice} / 1, 绘本, 100 册 (row 第 5 行)",
        f"  1.00 spent 已付: =书店, 临汾, {invoice} / 2, '=借阅卡\" (row 第 5 行)",
        "  3.00 not yet spent 还没花",
    ]
    place = files.ledger.with_name("proof.json")
    place.write_text(said[said.index("OK:") :], "utf-8")  # all that was said, as a shell writes it down
    assert run("--proof", place)[0] == 0
    assert run(files.lines, "--spent", files.spent, "--row", 3)[0] == 0
    assert "Row 4 is no gift in this file." in files.say("--row", 4)[1]


@pytest.mark.pages
def test_every_byte_of_the_table_counts(files: Files, thinned: Thinned) -> None:
    table = files.spent.read_bytes()
    for place, byte in thinned(enumerate(table)):
        files.spent.write_bytes(table[:place] + bytes([byte ^ 1]) + table[place + 1 :])
        assert in_this_process(files) != "", place
    for cut in (table[: table.rindex(b"end,")], table[:-1], table + table[-80:]):
        files.spent.write_bytes(cut)
        assert files.say()[0] == 1
    files.spent.write_bytes(table)
    assert in_this_process(files) == ""


def in_this_process(files: Files) -> str:
    from crowdfund.campaigns import verify

    ledger, spent = verify.Ledger(keeps_rows=True), verify.Spent()
    ledger.read(iter(io.BytesIO(files.ledger.read_bytes())))
    try:
        spent.read(iter(io.BytesIO(files.spent.read_bytes())))
        spent.check(ledger.rows or {}, ledger.last)
    except verify.Wrong as wrong:
        return str(wrong)
    return ""


FORGED: tuple[tuple[str, Callable[[str], str], str], ...] = (
    ("a fen more", lambda text: text.replace("spent,3.00,", "spent,3.01,", 1), "Row 1 is 300 fen, its parts are 301."),
    ("a gift left out", lambda text: text.replace("1,gift,spent,3.00,", "2,gift,spent,3.00,"), "Row 1 is 300 fen"),
    ("another's gift", lambda text: text.replace("1,gift,", "4,gift,"), "row 4 is no such gift"),
    ("a match", lambda text: text.replace("1,gift,", "1,match,"), "row 1 is no such gift"),
    ("another payment", lambda text: text.replace(",5,", ",6,"), "gifts 0"),
    ("another provider", lambda text: text.replace("临汾", "太原"), "does not fit row 5"),
    ("not sent back", lambda text: text.replace("sent_back", "not_spent"), "0 fen went back, the ledger says 20"),
    ("another line", lambda text: text.replace("绘本", "茅台"), "Row 5 was sealed with another invoice."),
    ("another invoice", lambda text: text.replace("INV", "INW"), "Row 5 was sealed with another invoice."),
    (
        "a line moved",
        lambda text: text.replace("1.00,5", "0.50,5", 1).replace("1.00,5", "1.50,5", 1),
        "with another",
    ),
    ("a newer table", lambda text: re.sub(r"(end,.*,.*),7,", r"\1,8,", text), "row 8 is missing"),
    ("nothing at all", lambda text: text.replace("3.00", "0.00", 1), "Line 2 cannot be read."),
)


@pytest.mark.parametrize(("forge", "complaint"), [each[1:] for each in FORGED], ids=[each[0] for each in FORGED])
def test_a_forged_table_is_found_though_its_last_line_fits(
    files: Files, forge: Callable[[str], str], complaint: str
) -> None:
    text = files.spent.read_bytes().decode()
    assert forge(text) != text
    code, said = files.otherwise(forge(text).encode())
    assert code == 1 and complaint in said, said


def test_what_a_payment_seals_is_what_the_document_says(files: Files) -> None:
    table = list(csv.DictReader(io.StringIO(files.spent.read_bytes().decode("utf-8-sig"))))
    content = f'{{"invoice":"{table[0]["invoice"]}","lines":[["绘本, 100 册",400],["\'=借阅卡\\"",100]]}}'
    wanted = select(PublicRow.commitment).where(PublicRow.kind == "disbursement").order_by(PublicRow.id)
    assert db.session.scalars(wanted).first() == hashlib.sha256(content.encode()).hexdigest()
    assert invoices.fingerprint(table[0]["invoice"], SHELVES) == hashlib.sha256(content.encode()).hexdigest()


def test_a_table_that_was_written_while_money_moved_says_so(
    app: Flask, giving: Giving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pages are of different moments; a gift meanwhile is merely not in it."""
    monkeypatch.setattr(spent_file, "PAGE", 1)
    campaign = giving.campaign()
    for _each in range(3):
        giving.gift(campaign, 100)
    follow(giving)
    for meanwhile, is_whole in ((giving.gift, True), (giving.pay_out, False)):
        reading = app.test_client().get(f"/ledger/{campaign.public_id}/spent.csv").iter_encoded()
        read = [next(reading), next(reading)]
        meanwhile(campaign, 50)
        follow(giving)
        table = b"".join([*read, *reading]).decode("utf-8-sig")
        assert ("\r\nend," in table) is is_whole
        assert table.count(",gift,") == 3 if is_whole else 4


def test_two_gifts_that_change_places_are_found_though_every_sum_fits(files: Files) -> None:
    """Gift 1 paid 3.00 of the first line, gift 2 what was missing; the other way round every sum is right all the same."""
    text = files.spent.read_bytes().decode()
    begin, rest = text.index("1,gift,spent"), text.index("end,")
    parts = text[begin:rest].splitlines(keepends=True)
    payment = parts[0].split(",", 4)[4]
    of_second = next(line for line in parts if line.startswith("2,gift,spent,1.00") and "绘本" in line)
    swapped = [line for line in parts if not line.startswith(("1,gift", "2,gift,not_spent"))]
    swapped[swapped.index(of_second)] = "2,gift,spent,4.00," + of_second.split(",", 4)[4]
    first = ["1,gift,not_spent,3.00,,,,,,\r\n"]
    assert payment == of_second.split(",", 4)[4]
    code, said = files.otherwise((text[:begin] + "".join(first + swapped) + text[rest:]).encode())
    assert code == 1 and "Row 1: 300 fen are not yet spent 还没花 by the table, by the order of the ledger 0." in said, said


def test_a_refund_names_its_gifts_row_and_nobody(files: Files) -> None:
    rows = list(csv.DictReader(io.StringIO(files.ledger.read_bytes().decode("utf-8-sig"))))
    gift, refund = rows[2], rows[6]
    assert (gift["kind"], gift["fen"], refund["kind"], refund["fen"]) == ("gift", "70", "refund", "-20")
    content = f'{{"kind":"gift","reference":"{gift["reference"]}"}}'
    assert refund["commitment"] == hashlib.sha256(content.encode()).hexdigest()
    assert "先到先用：只凭账本各行重新算过，含 1 笔退回" in files.say()[1]


def test_refunds_from_before_are_read_and_what_they_do_not_tell_is_said(
    app: Flask, giving: Giving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_ledger, "named", lambda *_asked: "")
    campaign = giving.campaign()
    gone = in_transaction(give, campaign.public_id, fen=70)
    giving.gift(campaign, 300)
    giving.pay_out(campaign, 100)
    in_transaction(send_back, gone, 20)
    follow(giving)
    client, places = app.test_client(), []
    for name in ("ledger.csv", f"ledger/{campaign.public_id}/spent.csv", "ledger.jsonl"):
        places.append(tmp_path / name.replace("/", "-"))
        places[-1].write_bytes(client.get(f"/{name}").data)
    code, said = Files(*places).say()
    assert code == 0 and "有 1 笔退款早于写明捐款，无法重算“先到先用”" in said and "只凭账本各行重新算过" not in said


def test_the_page_about_checking_names_a_row_that_can_be_tried(app: Flask, giving: Giving) -> None:
    campaign, client = giving.campaign(), app.test_client()
    giving.gift(campaign, 300)
    giving.gift(campaign, 500)
    follow(giving)
    assert "--row 48213" in client.get("/ledger/verify").text and "照抄" not in client.get("/ledger/verify").text
    giving.pay_out(campaign, 400)
    follow(giving)
    page = client.get("/ledger/verify").text
    assert "--row 2<" in page and f'href="/ledger/{campaign.public_id}/spent.csv"' in page
    assert 'href="/ledger/proofs/2.json"' in page and client.get("/ledger/proofs/2.json").status_code == 200
