"""The worker reads the whole public chain again and notes what it found; the ledger's page says so, good or bad."""

import hashlib
import time
from collections import defaultdict
from dataclasses import dataclass, field
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
EVERY: Final = 3600.0  # seconds from the beginning of one reading to that of the next


@dataclass
class Reading:
    """Of the chain as it is when this begins, from the first row on, a page at a time: links, contents and balances."""

    last: int
    read: int = 0
    broken: int | None = None  # the number of the first row that does not fit
    previous: str = sealing.GENESIS
    balances: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    @property
    def is_over(self) -> bool:
        return self.broken is not None or self.read == self.last

    def go_on(self, session: Session) -> None:
        """One page more. Nothing is held between two of them, in the database neither."""
        until = min(self.read + PAGE, self.last)
        found = {row.number: row for row in rows(session, of_numbers(self.read + 1, until))}
        session.rollback()  # the writer of SQLite's journal waits for no long reader
        for number in range(self.read + 1, until + 1):
            row = found.get(number)
            if row is None or not fits(row, self.previous, self.balances):
                self.broken = number
                return
            self.read, self.previous = number, row.hash


def begin(session: Session) -> Reading:
    return Reading(session.scalar(select(func.max(Seal.number)).where(Seal.chain == CHAIN)) or 0)


class Rereading:
    """A step of the worker: a reading every hour, one page each turn, so that the sealer waits for one page at most."""

    def __init__(self) -> None:
        self.due = 0.0
        self.reading: Reading | None = None

    def __call__(self) -> bool:
        """Outside any transaction; only the result is written. True while more is to be read."""
        if self.reading is None:
            if time.monotonic() < self.due:
                return False
            self.due, self.reading = time.monotonic() + EVERY, begin(db.session())
        self.reading.go_on(db.session())
        if not self.reading.is_over:
            return True
        done, self.reading = self.reading, None
        if done.read or done.broken:
            in_transaction(note, rows_read=done.read, broken=done.broken)
        return False


def note(session: Session, *, rows_read: int, broken: int | None) -> None:
    session.add(LedgerCheck(rows=rows_read, broken_number=broken))
    page_cache.expire(session, "ledger")


def fits(row: Row[Any], previous: str, balances: dict[tuple[str, str], int]) -> bool:
    """The link is made of what the row says now, and the balances follow from it."""
    digest = hashlib.sha256(sealing.canonical(content(row, row.public_id))).hexdigest()
    for key, shown in (((row.book, row.public_id), row.campaign_fen), ((row.book, ""), row.book_fen)):
        balances[key] += row.fen
        if balances[key] != shown:
            return False
    return bool(sealing.link_hash(previous, row.number, digest) == row.hash)
