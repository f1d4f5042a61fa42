"""The public ledger as JSON lines: the exact bytes of docs/ledger.md, a page of rows at a time.

Each row holds what is sealed, under the names of what is sealed, and beside it its number, its code and the balances."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.chain import CHAIN, microseconds
from crowdfund.campaigns.export import PAGE, of_numbers
from crowdfund.campaigns.ledger_models import SealedRow
from marketplace.core.db import rows
from marketplace.core.sealing import DailyRoot, Seal, canonical

FORMAT: Final = {"format": "sunshine-ledger", "version": 1}


def lines(session: Session, last: int | None = None) -> Iterator[bytes]:
    """The whole ledger as it is sealed when this begins, or up to the row `last`. Between two pages nothing is held, in
    memory or in the database."""
    last = newest(session) if last is None else last
    known = select(DailyRoot.day, DailyRoot.first_number, DailyRoot.last_number, DailyRoot.root)
    known = known.where(DailyRoot.chain == CHAIN, DailyRoot.last_number <= last).order_by(DailyRoot.day)
    roots = [
        line({"day": root.day.isoformat(), "first": root.first_number, "last": root.last_number, "root": root.root})
        for root in rows(session, known)
    ]
    yield from closed(FORMAT, chain(pages(session, last), [(0, b"".join(roots))]))


def of_campaign(session: Session, campaign_id: int, campaign: str) -> Iterator[bytes]:
    """One campaign's rows, in the order of the chain, each with the code that its own is made over."""
    yield from closed(FORMAT | {"campaign": campaign}, pages_of(session, campaign_id, newest(session)))


def newest(session: Session) -> int:
    return session.scalar(select(func.max(SealedRow.number))) or 0


def closed(head: dict[str, Any], parts: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    """With the first line and the last one, which says how many rows there are and what the bytes before it come to."""
    first, count = line(head), 0
    whole = hashlib.sha256(first)
    yield first
    for number, part in parts:
        whole.update(part)
        count += number
        yield part
    yield line({"rows": count, "sha256": whole.hexdigest()})


def pages(session: Session, last: int) -> Iterator[tuple[int, bytes]]:
    for first in range(1, last + 1, PAGE):
        found = rows(session, of_numbers(first, min(first + PAGE - 1, last)))
        session.rollback()  # a slow reader holds no snapshot
        yield len(found), b"".join(line(content(row)) for row in found)


def pages_of(session: Session, campaign_id: int, last: int) -> Iterator[tuple[int, bytes]]:
    done = 0
    while True:
        wanted = of_numbers(done + 1, last).add_columns(Seal.previous)
        found = rows(session, wanted.where(SealedRow.campaign_id == campaign_id).limit(PAGE))
        session.rollback()
        if not found:
            return
        yield len(found), b"".join(line(content(row) | {"previous": row.previous}) for row in found)
        done = found[-1].number


def content(row: Row[Any]) -> dict[str, Any]:
    texts = ("book", "commitment", "hash", "kind", "reference", "what", "who")
    plain = {name: getattr(row, name) for name in (*texts, "number", "fen", "campaign_fen", "book_fen")}
    return plain | {"at": microseconds(row.at), "campaign": row.public_id}


def line(value: dict[str, Any]) -> bytes:
    return canonical(value) + b"\n"
