"""The public ledger as a file for verify.py: the exact bytes of docs/adr/0009, made a page of rows at a time."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.chain import CHAIN
from crowdfund.campaigns.ledger_models import SealedRow
from crowdfund.campaigns.models import Campaign, PublicRow
from marketplace.core.csv_rows import guarded
from marketplace.core.db import Columns, rows
from marketplace.core.sealing import DailyRoot, Seal

COLUMNS: Final = (
    *("number", "at", "book", "kind", "campaign", "fen", "who", "what", "commitment", "reference"),
    *("campaign_fen", "book_fen", "hash"),
)
PAGE: Final = 2_000


HEAD: Final = ("\ufeff" + ",".join(COLUMNS) + "\n").encode()


def lines(session: Session) -> Iterator[bytes]:
    """The whole ledger as it is sealed when this begins. Between two pages nothing is held, in memory or in the database."""
    whole = hashlib.sha256(HEAD)
    yield HEAD
    last = session.scalar(select(func.max(SealedRow.number))) or 0
    known = select(DailyRoot.day, DailyRoot.first_number, DailyRoot.last_number, DailyRoot.root)
    known = known.where(DailyRoot.chain == CHAIN, DailyRoot.last_number <= last).order_by(DailyRoot.day)
    roots = [",".join(("root", *map(str, root))) + "\n" for root in rows(session, known)]
    for part in chain(pages(session, last), ["".join(roots).encode()]):
        whole.update(part)
        yield part
    yield f"end,{last},{whole.hexdigest()}\n".encode()


def pages(session: Session, last: int) -> Iterator[bytes]:
    for first in range(1, last + 1, PAGE):
        found = rows(session, of_numbers(first, min(first + PAGE - 1, last)))
        session.rollback()  # a slow reader holds no snapshot
        yield "".join(map(line, found)).encode()


def of_numbers(first: int, last: int) -> Columns:
    """Sealed rows with all that the file says of them."""
    wanted = select(SealedRow.number, PublicRow.at, PublicRow.book, PublicRow.kind, Campaign.public_id, PublicRow.fen)
    wanted = wanted.add_columns(PublicRow.who, PublicRow.what, PublicRow.commitment, PublicRow.reference)
    wanted = wanted.add_columns(SealedRow.campaign_fen, SealedRow.book_fen, Seal.hash)
    wanted = wanted.join(PublicRow, PublicRow.id == SealedRow.row_id).join(Campaign, Campaign.id == PublicRow.campaign_id)
    wanted = wanted.join(Seal, (Seal.chain == CHAIN) & (Seal.number == SealedRow.number))
    return wanted.where(SealedRow.number.between(first, last)).order_by(SealedRow.number)


def line(row: Row[Any]) -> str:
    number, at, book, kind, campaign, fen, who, what, *rest = tuple(row)
    return f"{number},{utc(at)},{book},{kind},{campaign},{fen},{cell(who)},{cell(what)},{','.join(map(str, rest))}\n"


def utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def cell(text: str) -> str:
    """Quoted; with an apostrophe before what would be a formula, which the reader takes off again."""
    return '"' + guarded(text).replace('"', '""') + '"'
