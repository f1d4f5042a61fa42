"""The worker reads the whole public chain again and notes what it found; the ledger's page says so, good or bad."""

import hashlib
from collections import defaultdict
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.chain import CHAIN, content
from crowdfund.campaigns.export import of_numbers
from crowdfund.campaigns.ledger_models import LedgerCheck
from marketplace.core import page_cache, sealing
from marketplace.core.db import db, in_transaction, rows
from marketplace.core.sealing import Seal

PAGE: Final = 2_000


def check() -> None:
    """Every hour, outside any transaction; only the result is written."""
    read, broken = whole(db.session())
    if read or broken:
        in_transaction(note, rows_read=read, broken=broken)


def note(session: Session, *, rows_read: int, broken: int | None) -> None:
    session.add(LedgerCheck(rows=rows_read, broken_number=broken))
    page_cache.expire(session, "ledger")


def whole(session: Session) -> tuple[int, int | None]:
    """(rows read, number of the first that does not fit): links, contents and balances, from the first row on."""
    last = session.scalar(select(func.max(Seal.number)).where(Seal.chain == CHAIN)) or 0
    previous, balances = sealing.GENESIS, defaultdict[tuple[str, str], int](int)
    for first in range(1, last + 1, PAGE):
        found = {row.number: row for row in rows(session, of_numbers(first, min(first + PAGE - 1, last)))}
        session.rollback()  # the writer of SQLite's journal waits for no long reader
        for number in range(first, min(first + PAGE, last + 1)):
            row = found.get(number)
            if row is None or not fits(row, previous, balances):
                return number - 1, number
            previous = row.hash
    return last, None


def fits(row: Row[Any], previous: str, balances: dict[tuple[str, str], int]) -> bool:
    """The link is made of what the row says now, and the balances follow from it."""
    digest = hashlib.sha256(sealing.canonical(content(row, row.public_id))).hexdigest()
    for key, shown in (((row.book, row.public_id), row.campaign_fen), ((row.book, ""), row.book_fen)):
        balances[key] += row.fen
        if balances[key] != shown:
            return False
    return bool(sealing.link_hash(previous, row.number, digest) == row.hash)
