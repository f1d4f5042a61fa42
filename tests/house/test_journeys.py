"""docs/journeys.md tells the truth about the tests that live in a browser."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "journeys.md").read_text("utf-8")
TRADE, GIVING = (
    [row.strip("| ").split(" | ") for row in part.splitlines() if re.match(r"\| (\d+|from) ", row)]
    for part in TABLE.split("## Giving and presales")
)
ROWS = [*TRADE, *GIVING]
FOUR = re.compile(r"def \w+\([^)]*\bway: Way\b", re.DOTALL)


def named(cell: str) -> list[str]:
    return re.findall(r"`(tests/[^`]+)`", cell)


@pytest.mark.parametrize(("rows", "points"), [(TRADE, 12), (GIVING, 9)], ids=["trade", "giving"])
def test_every_point_has_a_journey(rows: list[list[str]], points: int) -> None:
    assert {int(what.split()[0]) for what, _where, _how in rows if what[0].isdigit()} == set(range(1, points + 1))


@pytest.mark.parametrize(("what", "where", "how"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_it_is_lived_as_it_says(what: str, where: str, how: str) -> None:
    assert named(where), what
    for path in named(where):
        text = (ROOT / path).read_text("utf-8")
        assert bool(FOUR.search(text)) is how.startswith("four ways"), path
        assert (bool(re.search("WIDTHS|SIZES", text)) or "two_browsers" in path) is how.startswith("both widths"), path


def test_every_journey_has_a_line() -> None:
    folders = [
        "listings",
        "sheets",
        "receiving",
        "site",
        "customer_reviews",
        "following",
        "orders",
        "groups",
        "institutions",
    ]
    folders += [
        "pickups",
        "offline",
        "notifications",
        "complaints",
        "console",
        "campaigns",
        "public_ledger",
        "reports",
        "repayments",
        "presales",
    ]
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / "tests" / folder).rglob("test_*in_browser.py")
    }
    assert there - {path for _what, where, _how in ROWS for path in named(where)} == set()
