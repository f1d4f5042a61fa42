"""Numbers of receipts: counted up in the transaction that uses them, so that none is lost."""

import secrets
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from crowdfund.campaigns.receipt_models import ReceiptSeries
from marketplace.core import clock, ids
from marketplace.core.db import insert_or_ignore

CODE_LENGTH: Final = 8


def numbered(session: Session, book: str) -> dict[str, Any]:
    """The columns of the next receipt of this book that say which it is."""
    series = series_of(book, clock.today())
    sequence = next_number(session, series)
    code = "".join(secrets.choice(ids.UNAMBIGUOUS) for _each in range(CODE_LENGTH))
    place = {"series": series, "sequence": sequence, "book": book}
    return {"public_id": f"{series}-{sequence:07}", "check_code": code, **place}


def series_of(book: str, day: date) -> str:
    """One a year; test money has its own, so that no number of the real one is ever spent on it."""
    return f"{'T' if book == 'test' else ''}{day.year}"


def next_number(session: Session, series: str) -> int:
    """Raised with the receipt or not at all. Whoever comes next waits here until this transaction is over."""
    numbers = session.connection()
    last = numbers.scalar(raised(), {"wanted": series})
    if last is None:  # the first of the year
        insert_or_ignore(session, ReceiptSeries, {"series": series, "last": 0})
        last = numbers.scalar(raised(), {"wanted": series})
    return int(last)


@cache
def raised() -> Any:
    table: Any = ReceiptSeries.__table__  # its rows are never loaded
    mine = update(table).where(ReceiptSeries.series == bindparam("wanted"))
    return mine.values(last=ReceiptSeries.last + 1).returning(ReceiptSeries.last)
