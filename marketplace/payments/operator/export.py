"""Rows as a file that table programs open: whole fen, times in UTC, never a formula."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from marketplace.core import csv_rows

ATTEMPTS: Final = (
    *("public_id", "created_at", "purpose", "reference", "state", "is_surplus", "fen", "currency", "book"),
    *("gateway", "remote_id"),
)
REFUNDS: Final = (
    *("public_id", "created_at", "attempt", "purpose", "reference", "reason_key", "reason", "state", "fen", "currency"),
    *("book", "gateway", "remote_id"),
)
DISPUTES: Final = (
    *("public_id", "opened_at", "attempt", "purpose", "reference", "reason", "state", "fen", "currency", "fee_fen"),
    *("fee_currency", "answer_by", "book", "gateway", "remote_id"),
)
PARKED: Final = (
    *("payment", "at", "kind", "reference", "fen", "currency", "book", "attempt", "refund", "refund_state", "reason"),
)


def lines(columns: tuple[str, ...], rows: Iterable[Any]) -> Iterator[bytes]:
    yield ("\ufeff" + csv_rows.row(columns)).encode()
    for row in rows:
        yield csv_rows.row([text_of(getattr(row, name)) for name in columns]).encode()


def text_of(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return "" if value is None else str(value)
