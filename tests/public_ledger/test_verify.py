"""verify.py, as a stranger runs it: a program of its own, in isolation, against what the application exports."""

import hashlib
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient

from crowdfund.campaigns import export, verify
from crowdfund.campaigns.views.ledger import VERIFIER
from marketplace.core import sealing
from marketplace.core.db import in_transaction
from tests.conftest import Thinned
from tests.public_ledger import written
from tests.public_ledger.conftest import Giving

FIRST_DAY = datetime(2026, 10, 17, 4, 0, tzinfo=UTC)
PROGRESS = re.compile("[0-9]+ % read 已读 [0-9]+%, [0-9]+ rows 行")  # where it takes longer than two seconds
NAMES = ("王**", "", "=HYPERLINK(1)", "'quoted\"", "小杏子, 太原", "+86", "-1", "@home", "Ωmega 𠮷")


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and output; -I: nothing of this repository can be imported."""
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, arguments)], capture_output=True, check=False, timeout=120
    )
    unexpected = [line for line in done.stderr.decode().splitlines() if not PROGRESS.fullmatch(line)]
    assert not unexpected, unexpected
    return done.returncode, done.stdout.decode()


@pytest.fixture
def exported(giving: Giving, client: FlaskClient, tmp_path: Path) -> Path:
    """Two closed days and an open one: gifts with awkward names, a payment."""
    books, lights = giving.campaign(), giving.campaign()
    with time_machine.travel(FIRST_DAY) as clock:
        for number, name in enumerate(NAMES):
            giving.gift(books if number % 2 else lights, 1000 + number, who=name)
        giving.seal()
        clock.shift(timedelta(days=1))
        giving.pay_out(books, 815)
        giving.gift(lights, 5)
        giving.seal()
        clock.shift(timedelta(days=1))
        giving.gift(books, 7)
        giving.seal()
        in_transaction(sealing.close_days, chain="public")
        answer = client.get("/ledger.csv")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    place = tmp_path / "ledger.csv"
    place.write_bytes(answer.data)
    return place


def test_an_honest_export_fits(exported: Path) -> None:
    code, said = run(exported)
    assert code == 0, said
    assert "OK: 12 rows, 2 daily roots, every link and every balance fits." in said


def test_the_file_is_what_the_document_says(exported: Path) -> None:
    lines = exported.read_text("utf-8-sig").split("\n")
    assert lines[0] == "number,at,book,kind,campaign,fen,who,what,commitment,reference,campaign_fen,book_fen,hash"
    number, at, book, kind, _campaign, fen, who, *_rest = lines[3].split(",")
    assert (number, book, kind, fen, who) == ("3", "test", "gift", "1002", '"\'=HYPERLINK(1)"')
    assert at.startswith("2026-10-17T04:00:0") and at.endswith("Z") and len(at) == 27
    assert lines[13].startswith("root,2026-10-17,1,9,") and lines[14].startswith("root,2026-10-18,10,11,")
    assert lines[15].startswith("end,12,") and lines[16:] == [""]


@pytest.mark.parametrize("text", ["=1", "＝1+1", "＋86", "－1", "＠SUM(A1)", "'＝1", "王五", "''", ""])
def test_what_would_be_a_formula_is_text_and_reads_as_it_was(text: str) -> None:
    written = export.cell(text)
    assert written[1:2] not in set("=+-@＝＋－＠") and verify.text_of(written[1:-1].encode()) == text


def test_a_table_program_finds_no_formula(exported: Path) -> None:
    cells = [cell for line in exported.read_text("utf-8-sig").split("\n")[1:10] for cell in line.split('"')]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "@"} or cell.startswith("-1")]


@pytest.mark.parametrize("row", [1, 9, 10, 12])
def test_a_row_is_proved_and_the_proof_stands_alone(exported: Path, tmp_path: Path, row: int) -> None:
    code, said = run(exported, "--row", row)
    assert code == 0, said
    proof = json.loads(said[said.index("{") :])
    assert proof["number"] == row and proof["day"] == ("2026-10-17" if row < 10 else "2026-10-18" if row < 12 else "open")
    place = tmp_path / "proof.json"
    place.write_text(json.dumps(proof))
    assert run("--proof", place)[0] == 0

    changed: list[dict[str, object]] = [{"number": row + 1}, {"row": {**proof["row"], "fen": proof["row"]["fen"] + 1}}]
    changed += [{"root": "0" * 64}, {"first": proof["first"] + 1}, {"last": proof["last"] + 90}, {"first": 0}]
    changed += [{"path": [["up", other] for _side, other in proof["path"]]}] if proof["path"] else []
    for change in changed:
        place.write_text(json.dumps(proof | change))
        assert run("--proof", place)[0] == 1


def test_the_site_gives_the_same_proof_of_each_row_alone(exported: Path, client: FlaskClient, tmp_path: Path) -> None:
    """Two days that are closed, one that is not, and what nobody has sealed."""
    for row in range(1, 13):
        answer = client.get(f"/ledger/proofs/{row}.json")
        said = run(exported, "--row", row)[1]
        assert answer.get_json() == json.loads(said[said.index("{") :])
    place = tmp_path / "proof-12.json"
    place.write_bytes(answer.data)
    assert run("--proof", place)[0] == 0
    for number in ("0", "13", "999999999999999", "1" * 40, "x"):
        assert client.get(f"/ledger/proofs/{number}.json").status_code == 404


def test_a_chain_code_that_was_noted_down(exported: Path) -> None:
    code = exported.read_text("utf-8-sig").split("\n")[4].rpartition(",")[2]
    assert run(exported, "--expect", f"4:{code}")[0] == 0
    found, said = run(exported, "--expect", f"4:{'0' * 64}")
    assert found == 1 and "Row 4 is not what it was when you noted it." in said
    assert "There is no row 13." in run(exported, "--expect", f"13:{code}")[1]
    assert run(exported, "--row", 13)[0] == 1


def rewritten(exported: Path) -> bytes:
    """What an operator with the database can make: one gift is another sum, and every code, balance and root fits again."""
    lines, hashes, balances = exported.read_bytes().split(b"\n"), [], dict[str, int]()
    previous = "0" * 64
    for number, line in enumerate(lines[1:13], start=1):
        row = verify.row_of_csv(line + b"\n")
        added = 100 if number >= 4 and row["campaign"] == verify.row_of_csv(lines[4] + b"\n")["campaign"] else 0
        cells = line.split(b",")
        if number == 4:
            row["fen"] += 100
            cells[5] = str(row["fen"]).encode()
        sealed = {key: row[key] for key in row if key not in verify.SHOWN}
        previous = verify.link(previous, number, hashlib.sha256(verify.canonical(sealed)).hexdigest())
        hashes.append(previous)
        balances = {"campaign": row["campaign_fen"] + added, "book": row["book_fen"] + (100 if number >= 4 else 0)}
        lines[number] = b",".join([*cells[:-3], *(str(fen).encode() for fen in balances.values()), previous.encode()])
    for place, (first, last) in ((13, (1, 9)), (14, (10, 11))):
        lines[place] = lines[place][:-64] + verify.tree(hashes[first - 1 : last]).hex().encode()
    return ended(lines[:15], 12)


def test_who_kept_the_root_of_a_day_sees_that_history_was_rewritten(exported: Path, tmp_path: Path) -> None:
    """By the code of any row from there on, and by the root of any day, their own proof's among them."""
    _root, day, _first, _last, root = exported.read_text("utf-8-sig").split("\n")[14].split(",")
    assert f"note it down: 最后一个日根，可以抄下：{day}:{root}" in run(exported, "--expect", f"{day}:{root}")[1]
    proof = json.loads((said := run(exported, "--row", 10)[1])[said.index("{") :])
    kept = tmp_path / "proof.json"
    kept.write_text(json.dumps(proof))
    assert f"--expect {day}:{root}" in run("--proof", kept)[1]
    place = tmp_path / "rewritten.csv"
    place.write_bytes(rewritten(exported))
    assert run(place)[0] == 0  # nothing in the file says so
    found, said = run(place, "--expect", f"{day}:{root}")
    assert found == 1 and f"The root of {day} is not what it was when you noted it." in said
    assert "There is no root of 2026-10-19." in run(exported, "--expect", f"2026-10-19:{root}")[1]  # it is open
    last = exported.read_bytes().split(b"\n")[12].rpartition(b",")[2].decode()
    assert run(place, "--expect", f"12:{last}")[0] == 1


def test_questions_that_are_wrong(exported: Path, tmp_path: Path) -> None:
    for arguments in (
        [],
        [exported, "--row", "-1"],
        [exported, "--expect", "3"],
        [exported, "--expect", "2026-10-17:3"],
        [exported, "--proof", exported],
    ):
        done = subprocess.run([sys.executable, "-I", str(VERIFIER), *map(str, arguments)], capture_output=True, check=False)
        assert done.returncode == 2, arguments
    assert run(tmp_path / "nothing.csv")[0] == 1
    assert run("--proof", exported)[0] == 1


def mutations(original: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Of every byte of the file: another bit, gone, said twice, a space instead, a newline instead."""
    for place, byte in enumerate(original):
        for what, new in (
            ("bit", bytes([byte ^ 1])),
            ("high bit", bytes([byte ^ 128])),
            ("gone", b""),
            ("twice", bytes([byte, byte])),
            ("space", b" "),
            ("newline", b"\n"),
            ("digit", b"0"),
            ("quote", b'"'),
        ):
            changed = original[:place] + new + original[place + 1 :]
            if changed != original:
                yield what, place, changed


@pytest.mark.pages
def test_every_change_of_one_byte_is_found_in_its_row(exported: Path, thinned: Thinned) -> None:
    """In this process, since there are tens of thousands of them; the same code is run as a program above."""
    original = exported.read_bytes()
    starts = [place + 1 for place, byte in enumerate(original) if byte == 10]
    checked = 0
    for what, place, changed in thinned(mutations(original)):
        line = sum(start <= place for start in starts)  # 0 is the header, rows follow, then roots and the end
        said = written.complaint(changed)
        assert said, f"{what} at {place} of line {line} was not found"
        if 1 <= line <= 12:
            named = {line, line + 1} if original[place] == 10 else {line}  # between two rows either may be named
            assert any(f"Row {row}{end}" in said for row in named for end in " :"), f"{what} at {place}, {line}: {said}"
        checked += 1
    assert checked > 2_000


@pytest.mark.parametrize("tail", [b"", b"end,0,\n", b"1\n"])
def test_a_file_cut_short_is_found(exported: Path, tail: bytes) -> None:
    original = exported.read_bytes()
    lines = original.split(b"\n")
    for kept in range(1, 16):
        assert written.complaint(b"\n".join(lines[:kept]) + b"\n" + tail)
    swapped = [*lines[:2], lines[3], lines[2], *lines[4:]]
    assert "Row 2 is missing" in written.complaint(b"\n".join(swapped))


@pytest.mark.parametrize("rows", [3_000, pytest.param(100_000, marks=pytest.mark.full)])
def test_one_byte_in_very_many_rows(tmp_path: Path, rows: int) -> None:
    place = tmp_path / "large.csv"
    place.write_bytes(written.ledger(rows))
    assert f"OK: {rows} rows" in run(place)[1]

    content = bytearray(place.read_bytes())
    chosen = random.Random(48213).randrange(len(content) // 3, len(content) // 2)
    row = content[:chosen].count(b"\n")
    content[chosen] ^= 1
    place.write_bytes(content)
    code, said = run(place)
    assert code == 1
    assert f"Row {row} " in said


def test_whoever_waits_is_told_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    content = written.ledger(1_200)
    lines = content.splitlines(keepends=True)
    assert list(verify.followed(iter(lines), len(content), patience=0)) == lines
    said = capsys.readouterr().err.splitlines()
    assert [line.rpartition(", ")[2] for line in said] == ["0 rows 行", "500 rows 行", "1000 rows 行"]
    assert all(PROGRESS.fullmatch(line) for line in said)
    assert list(verify.followed(iter(lines), len(content))) == lines
    assert capsys.readouterr().err == ""  # it took no two seconds


def ended(lines: list[bytes], rows: int) -> bytes:
    """A file of these lines whose last line fits again: what a forger makes who knows the document."""
    text = b"".join(line + b"\n" for line in lines)
    return text + f"end,{rows},{hashlib.sha256(text).hexdigest()}\n".encode()


OTHERWISE = {
    "number": b"2",
    "at": b"2026-10-17T04:00:00.000000Z",
    "book": b"live",
    "kind": b"match",
    "campaign": b"C999",
    "fen": b"9",
    "who": '"别人"'.encode(),
    "what": '"别的"'.encode(),
    "commitment": b"ab" * 32,
    "reference": b"capture:0000000000000000",
    "campaign_fen": b"9",
    "book_fen": b"9",
    "hash": b"ab" * 32,
}


@pytest.mark.parametrize("column", OTHERWISE)
def test_a_forged_cell_is_found_though_the_last_line_fits(exported: Path, column: str) -> None:
    lines = exported.read_bytes().split(b"\n")[:-2]
    assert written.complaint(ended(lines, 12)) == ""
    for row in (1, 8, 12):
        cells = lines[row].split(b",")
        assert len(cells) == len(OTHERWISE)
        cells[list(OTHERWISE).index(column)] = OTHERWISE[column]
        forged = [*lines[:row], b",".join(cells), *lines[row + 1 :]]
        assert re.match(f"Row {row}[ :]", written.complaint(ended(forged, 12))), (row, column)


def renumbered(lines: list[bytes]) -> list[bytes]:
    return [b",".join([str(number).encode(), *line.split(b",")[1:]]) for number, line in enumerate(lines, start=1)]


def test_forged_lines_are_found_though_numbers_and_the_last_line_fit(exported: Path) -> None:
    head, *rest = exported.read_bytes().split(b"\n")[:-2]
    rows, roots = rest[:12], rest[12:]

    def said(forged: list[bytes]) -> str:
        return written.complaint(ended([head, *renumbered(forged), *roots], len(forged)))

    for place in range(11):
        swapped = [*rows[:place], rows[place + 1], rows[place], *rows[place + 2 :]]
        assert f"Row {place + 1} was changed" in said(swapped)
        assert f"Row {place + 1} was changed" in said(rows[:place] + rows[place + 1 :])
        assert f"Row {place + 2} was changed" in said([*rows[: place + 1], rows[place], *rows[place + 1 :]])
    assert "The root of 2026-10-18 does not follow the one before" in said(rows[:10])  # the end of a closed day is gone
    assert said(rows[:11]) == ""  # the open day's end: only who noted a chain code down can tell


def test_a_last_row_that_is_gone_is_known_to_whoever_noted_it(exported: Path, tmp_path: Path) -> None:
    head, *rest = exported.read_bytes().split(b"\n")[:-2]
    place = tmp_path / "shorter.csv"
    place.write_bytes(ended([head, *rest[:11], *rest[12:]], 11))
    code = rest[11].rpartition(b",")[2].decode()
    assert run(place)[0] == 0
    found, said = run(place, "--expect", f"12:{code}")
    assert found == 1 and "There is no row 12." in said


def test_it_is_served_as_it_is(client: FlaskClient) -> None:
    answer = client.get("/ledger/verify.py")
    assert answer.data == VERIFIER.read_bytes()
    assert "attachment" in answer.headers["Content-Disposition"]
