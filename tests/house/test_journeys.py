"""docs/journeys.md tells the truth about the tests that live in a browser."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "journeys.md").read_text("utf-8")
ROWS = [row.strip("| ").split(" | ") for row in TABLE.splitlines() if re.match(r"\| (\d+|from) ", row)]
FOUR = re.compile(r"def \w+\([^)]*\bway: Way\b", re.DOTALL)


def named(cell: str) -> list[str]:
    return re.findall(r"`(tests/[^`]+)`", cell)


def test_every_point_of_trade_has_a_journey() -> None:
    assert {int(what.split()[0]) for what, _where, _how in ROWS if what[0].isdigit()} == set(range(1, 13))


@pytest.mark.parametrize(("what", "where", "how"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_it_is_lived_as_it_says(what: str, where: str, how: str) -> None:
    assert named(where), what
    for path in named(where):
        text = (ROOT / path).read_text("utf-8")
        assert bool(FOUR.search(text)) is how.startswith("four ways"), path
        assert ("@long_journey" in text) is how.endswith(", long"), path
        assert ("WIDTHS" in text or "two_browsers" in path) is how.startswith("both widths"), path


def test_every_journey_of_trade_has_a_line() -> None:
    trade: tuple[str, ...] = (
        "listings",
        "sheets",
        "receiving",
        "site",
        "customer_reviews",
        "following",
        "orders",
        "groups",
        "institutions",
    )
    trade += ("pickups", "offline", "notifications")
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in trade
        for path in (ROOT / "tests" / folder).rglob("test_*in_browser.py")
    }
    assert there - {path for _what, where, _how in ROWS for path in named(where)} == set()
