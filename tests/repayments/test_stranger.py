"""With the site, its files and verify.py a stranger sees what a provider paid back, and finds what was changed about it."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from crowdfund.campaigns import verify
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_verify import run
from tests.repayments.conftest import correct, paid, pay_back
from tests.whereabouts.conftest import follow
from tests.whereabouts.test_spent_file import Files, in_this_process

FILES = ("ledger.csv", "spent.csv", "ledger.jsonl")


@pytest.fixture
def files(app: Flask, giving: Giving, tmp_path: Path) -> Files:
    """Rows 1 to 3: gifts of 300, 150 and 70 fen; 4 a payment of 400 and 100; 5 and 6 what came back; 7 what it paid then."""
    campaign, payment = paid(giving)
    pay_back(giving, payment, {1: 120, 2: 60})
    pay_back(giving, payment, {2: 40})
    giving.pay_out(campaign, 200)
    follow(giving)
    client, places = app.test_client(), [tmp_path / name for name in FILES]
    for place, path in zip(places, ("ledger.csv", f"ledger/{campaign.public_id}/spent.csv", "ledger.jsonl"), strict=True):
        place.write_bytes(client.get(f"/{path}").data)
    return Files(*places)


def test_a_stranger_sees_what_came_back_and_what_it_paid_then(files: Files) -> None:
    code, said = files.say("--row", 3)
    assert code == 0, said
    assert "2 invoices in full" in said and "2 times" in said and "已扣除" in said
    assert "  0.40 not yet spent 还没花" in said
    rows = list(csv.DictReader(io.StringIO(files.spent.read_text("utf-8-sig"))))
    named = ("gift_row", "kind", "yuan", "payment_row", "line")
    back = [" ".join(row[name] for name in named) for row in rows if row["status"] == "repaid"]
    assert back == ["5 repayment 1.20 4 1", "5 repayment 0.60 4 2", "6 repayment 0.40 4 2"]
    assert run(files.lines, "--spent", files.spent)[0] == 0
    code, said = files.say("--row", 5)
    assert code == 0 and "  1.20 paid back by the provider 收款方已退回: 临汾新华书店" in said


def test_every_byte_of_what_came_back_counts(files: Files) -> None:
    table = files.spent.read_bytes()
    for place in range(table.index(b"5,repayment"), len(table)):
        files.spent.write_bytes(table[:place] + bytes([table[place] ^ 1]) + table[place + 1 :])
        assert in_this_process(files) != "", place


FORGED: tuple[tuple[str, Callable[[str], str], str], ...] = (
    ("a fen less", lambda text: text.replace("repaid,1.20,", "repaid,1.19,"), "Row 5 was paid back of other lines."),
    ("not said", lambda text: text.replace("5,repayment,repaid,1.20", "6,repayment,repaid,1.20"), "Row 5 was paid back"),
    (
        "left out",
        lambda text: "".join(line for line in text.splitlines(True) if not line.startswith("6,repay")),
        "Row 6 was",
    ),
    ("a gift's", lambda text: text.replace("5,repayment,repaid", "3,repayment,repaid"), "Row 5 was paid back of other"),
    ("as a gift", lambda text: text.replace("5,repayment,repaid", "5,gift,repaid"), "cannot be read"),
    ("on another line", lambda text: text.replace(",2,书架", ",1,书架"), "Row 5 was paid back of other"),
    ("other words", lambda text: text.replace(",2,书架", ",2,书柜"), "Row 4 was sealed with another invoice."),
)


@pytest.mark.parametrize("what", [name for name, _forge, _says in FORGED])
def test_a_table_that_a_forger_made_is_found_out(files: Files, what: str) -> None:
    forge, says = next((forge, says) for name, forge, says in FORGED if name == what)
    before = files.spent.read_bytes().decode()
    assert forge(before) != before
    code, said = files.otherwise(forge(before).encode())
    assert code == 1 and says in said


def test_whoever_says_that_another_gift_is_there_again_is_found_out(files: Files) -> None:
    """The sums still fit, the order does not."""
    text = files.spent.read_bytes().decode()
    first = next(line for line in text.splitlines() if line.startswith("1,gift,spent,0.20,7,"))
    swapped = text.replace(first, "1,gift,not_spent,0.20,,,,,,")
    swapped = swapped.replace("3,gift,spent,0.30,", "3,gift,spent,0.50,").replace(
        "3,gift,not_spent,0.40", "3,gift,not_spent,0.20"
    )
    code, said = files.otherwise(swapped.encode())
    assert code == 1 and "Row 1: 20 fen are not yet spent 还没花 by the table, by the order of the ledger 0." in said


def test_a_correction_of_another_provider_or_sum_is_found_out(app: Flask, giving: Giving) -> None:
    """Rows that a forger sealed anew: what is corrected is all of one row, of the same provider."""
    campaign, payment = paid(giving)
    correct(giving, pay_back(giving, payment, {1: 120, 2: 60}))
    follow(giving)
    ledger, client = verify.Ledger(keeps_rows=True), app.test_client()
    ledger.read(iter(io.BytesIO(client.get("/ledger.csv").data)))
    table, rows = client.get(f"/ledger/{campaign.public_id}/spent.csv").data, ledger.rows or {}

    def check(changed: dict[str, Any]) -> None:
        spent = verify.Spent()
        spent.read(iter(io.BytesIO(table)))
        spent.check(rows | {6: rows[6] | changed}, ledger.last)

    assert rows[6]["kind"] == "correction"
    check({})
    for changed in ({"who": "太原书店"}, {"fen": -179}, {"commitment": rows[4]["commitment"]}, {"kind": "refund"}):
        with pytest.raises(verify.Wrong, match=r"^Row [56]"):
            check(changed)
