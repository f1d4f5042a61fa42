"""Rows as a file that table programs open: whole fen, times in UTC, never a formula."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

RISKY: Final = tuple("=+-@'\t\r")  # what a table program would take for the beginning of a formula
ATTEMPTS: Final = (
    *("public_id", "created_at", "purpose", "reference", "state", "is_surplus", "fen", "currency", "book"),
    *("gateway", "remote_id"),
)
REFUNDS: Final = (
    *("public_id", "created_at", "attempt", "purpose", "reference", "reason_key", "reason", "state", "fen", "currency"),
    *("book", "gateway", "remote_id"),
)


def lines(columns: tuple[str, ...], rows: Iterable[Any]) -> Iterator[bytes]:
    yield ("\ufeff" + ",".join(columns) + "\r\n").encode()
    for row in rows:
        kept = io.StringIO()
        csv.writer(kept).writerow([cell(getattr(row, name)) for name in columns])
        yield kept.getvalue().encode()


def cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(RISKY) else text
