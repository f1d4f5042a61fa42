"""The ledger as JSON lines: the same rows as the CSV file, found as true and as changed by the same verify.py."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from crowdfund.campaigns import json_lines
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.views.ledger import VERIFIER
from marketplace.core import sealing
from marketplace.core.db import in_transaction
from tests.conftest import Thinned
from tests.public_ledger import written
from tests.public_ledger.conftest import Giving

FIRST_DAY = datetime(2026, 10, 17, 4, 0, tzinfo=UTC)
NAMES = ("王**", "", "=HYPERLINK(1)", "'quoted\"", "back\\slash", "小杏子, 太原", "Ωmega 𠮷")
ROWS = 9


def run(*arguments: object) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-I", str(VERIFIER), *map(str, arguments)], capture_output=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout.decode()


@pytest.fixture
def campaigns(giving: Giving) -> tuple[Campaign, Campaign]:
    """Rows of two campaigns in turn: one closed day and an open one."""
    books, lights = giving.campaign(), giving.campaign()
    with time_machine.travel(FIRST_DAY) as clock:
        for number, name in enumerate(NAMES):
            giving.gift(books if number % 2 else lights, 1000 + number, who=name)
        giving.seal()
        clock.shift(timedelta(days=1))
        giving.pay_out(books, 815)
        giving.gift(lights, 5)
        giving.seal()
        in_transaction(sealing.close_days, chain="public")
    return books, lights


@pytest.fixture
def save(client: FlaskClient, tmp_path: Path) -> Callable[[str], Path]:
    def saved(address: str) -> Path:
        answer = client.get(address)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/jsonl; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        place = tmp_path / address.replace("/", "-")
        place.write_bytes(answer.data)
        return place

    return saved


def read(place: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in place.read_text("utf-8").splitlines()]


def test_the_whole_ledger_fits(campaigns: tuple[Campaign, Campaign], save: Callable[[str], Path]) -> None:
    place = save("/ledger.jsonl")
    code, said = run(place)
    assert code == 0 and f"OK: {ROWS} rows, 1 daily roots, every link and every balance fits." in said
    head, *rows, root, end = read(place)
    assert head == {"format": "sunshine-ledger", "version": 1}
    assert [row["number"] for row in rows] == list(range(1, ROWS + 1))
    assert [row["who"] for row in rows[: len(NAMES)]] == list(NAMES)
    assert (rows[7]["kind"], rows[7]["fen"], rows[7]["campaign"]) == ("disbursement", -815, campaigns[0].public_id)
    assert (root["day"], root["first"], root["last"], end["rows"]) == ("2026-10-17", 1, 7, ROWS)


def test_it_says_the_same_as_the_table(
    campaigns: tuple[Campaign, Campaign], save: Callable[[str], Path], client: FlaskClient, tmp_path: Path
) -> None:
    place, table = save("/ledger.jsonl"), tmp_path / "ledger.csv"
    table.write_bytes(client.get("/ledger.csv").data)
    assert run(place)[1] == run(table)[1]
    for row in (1, 7, 8, 9):
        assert run(place, "--row", row) == run(table, "--row", row)
    code = read(place)[4]["hash"]
    assert run(place, "--expect", f"4:{code}")[0] == 0 and run(place, "--expect", f"5:{code}")[0] == 1


def test_one_campaign_alone_fits(campaigns: tuple[Campaign, Campaign], save: Callable[[str], Path]) -> None:
    books, lights = campaigns
    for campaign, numbers in ((books, [2, 4, 6, 8]), (lights, [1, 3, 5, 7, 9])):
        place = save(f"/ledger/{campaign.public_id}/rows.jsonl")
        head, *rows, end = read(place)
        assert head["campaign"] == campaign.public_id and end["rows"] == len(numbers)
        assert [row["number"] for row in rows] == numbers
        code, said = run(place)
        assert code == 0 and f"OK: {len(numbers)} rows of {campaign.public_id}" in said
        assert run(place, "--expect", f"{numbers[2]}:{rows[2]['hash']}")[0] == 0
        assert run(place, "--row", numbers[0])[0] == 2  # its tree is not in here
        assert "There is no row" in run(place, "--expect", f"{numbers[0] + 1}:{rows[0]['hash']}")[1]


def test_no_campaign_no_file(client: FlaskClient, giving: Giving) -> None:
    assert client.get("/ledger/nothing/rows.jsonl").status_code == 404


@pytest.mark.pages
@pytest.mark.parametrize("whole", [True, False])
def test_every_change_of_one_byte_is_found(
    campaigns: tuple[Campaign, Campaign], save: Callable[[str], Path], thinned: Thinned, *, whole: bool
) -> None:
    original = save("/ledger.jsonl" if whole else f"/ledger/{campaigns[0].public_id}/rows.jsonl").read_bytes()
    assert written.complaint(original) == ""
    for place, byte in thinned(enumerate(original)):
        line = original[:place].count(b"\n")
        for new in (bytes([byte ^ 1]), bytes([byte ^ 128]), b"", b" ", b"0"):
            changed = original[:place] + new + original[place + 1 :]
            if changed != original:
                said = written.complaint(changed)
                assert said, f"{new!r} at {place} of line {line} was not found"
                if whole and 1 <= line <= ROWS and byte != 10:
                    assert f"Row {line} " in said or f"Row {line}:" in said, (place, said)


def test_a_forged_row_is_found_though_the_last_line_fits(
    campaigns: tuple[Campaign, Campaign], save: Callable[[str], Path]
) -> None:
    """By one who knows the document and writes every line as it has to be."""
    head, *rows, _end = read(save(f"/ledger/{campaigns[1].public_id}/rows.jsonl"))
    other = {"at": 1, "book": "live", "campaign": "C9", "campaign_fen": 9, "commitment": "ab", "fen": 9, "hash": "ab" * 32}
    other |= {"kind": "match", "number": 77, "previous": "ab" * 32, "reference": "x", "what": "y", "who": "z"}

    def said(forged: list[dict[str, Any]]) -> str:
        return written.complaint(b"".join(json_lines.closed(head, [(len(forged), b"".join(map(json_lines.line, forged)))])))

    assert said(rows) == ""
    for name, value in other.items():
        assert said([*rows[:2], rows[2] | {name: value}, *rows[3:]]).startswith("Row 5"[:4]), name
    assert said([rows[0], rows[2], rows[1], *rows[3:]]) and said([*rows[:2], *rows[3:]])  # the balance does not follow


def test_memory_stays_flat(
    campaigns: tuple[Campaign, Campaign], monkeypatch: pytest.MonkeyPatch, client: FlaskClient
) -> None:
    """In pages, each no longer than it may be, and the same bytes whatever their length."""
    whole = client.get("/ledger.jsonl").data
    monkeypatch.setattr(json_lines, "PAGE", 2)
    answer = client.get("/ledger.jsonl", buffered=False)
    parts = list(answer.iter_encoded())
    assert b"".join(parts) == whole and max(part.count(b"\n") for part in parts) == 2
    one = f"/ledger/{campaigns[0].public_id}/rows.jsonl"
    assert client.get(one).data.count(b"\n") == 6
