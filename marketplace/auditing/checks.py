"""A check: one statement that finds what is wrong, and a sentence to say it in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

PAGE: Final = 2_000  # rows in memory at a time, however many there are


@dataclass(frozen=True)
class Check:
    """Rows of `finds` are differences; `says` is filled from a row's columns."""

    name: str
    finds: str
    says: str


@dataclass(frozen=True)
class Difference:
    """Something that is not as it should be, in plain words, and the check that found it."""

    check: str
    words: str


def read(connection: Connection, sql: str, **values: Any) -> Iterator[Row[Any]]:
    """The rows of a statement, a page at a time."""
    rows = connection.execute(text(sql), values, execution_options={"yield_per": PAGE})
    try:
        yield from rows
    finally:
        rows.close()


def moment(at: datetime | str) -> datetime:
    """SQLite gives text, PostgreSQL a moment."""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return known if known.tzinfo else known.replace(tzinfo=UTC)


def run(connection: Connection, checks: Iterable[Check]) -> Iterator[Difference | str]:
    """The differences that these checks find; before each, its name."""
    for check in checks:
        yield check.name
        for row in read(connection, check.finds):
            yield Difference(check.name, check.says.format(**row._mapping))
