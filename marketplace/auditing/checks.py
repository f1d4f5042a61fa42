"""A check: one statement that finds what is wrong, and a sentence to say it in."""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from marketplace.core.records import record

PAGE: Final = 2_000  # rows in memory at a time, however many there are
SLICE: Final = 5_000  # ids that a sliced check is asked for at a time


@record
class Check:
    """Rows of `finds` are differences; `says` is filled from a row's columns.

    `sliced` names a table whose ids `finds` is asked for in turn, from :first to :last: for what SQLite would else sort, as
    much as there is of it, in memory."""

    name: str
    finds: str
    says: str
    sliced: str = ""


@record
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
        for part in slices(connection, check.sliced) if check.sliced else ({},):
            if finds_any(connection, check.finds, part):
                for row in read(connection, check.finds, **part):
                    yield Difference(check.name, check.says.format(**row._mapping))


def finds_any(connection: Connection, sql: str, values: dict[str, Any]) -> bool:
    """Nearly always there is nothing; to count it lets PostgreSQL use all its processors, which to fetch rows by a cursor,
    a page at a time, does not."""
    return bool(connection.scalar(text(f"SELECT COUNT(*) FROM ({sql}) found"), values))


def slices(connection: Connection, table: str) -> Iterator[dict[str, Any]]:
    """All ids of a table, in order, some at a time; PostgreSQL sorts on its disk and takes them at once."""
    step = SLICE if connection.dialect.name == "sqlite" else sys.maxsize
    first, values = "", {"step": step}
    while True:
        ends = f"SELECT MIN(id), MAX(id) FROM (SELECT id FROM {table} {first} ORDER BY id LIMIT :step) part"
        since, until = connection.execute(text(ends), values).one()
        if since is None:
            return
        yield {"first": since, "last": until}
        first, values = "WHERE id > :known", {"step": step, "known": until}
