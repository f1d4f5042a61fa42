"""Receipts for gifts: numbered without a gap, at most one valid for a gift, and never for more than was given and stayed."""

import re
import secrets
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Contribution, Organisation, Receipt, ReceiptSeries
from crowdfund.campaigns.states import ReceiptState
from marketplace.core import clock, ids
from marketplace.core.db import Columns, add_rows, insert_or_ignore
from marketplace.core.errors import NotFound
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger.models import Entry, LedgerAccount, Line

CODE_LENGTH: Final = 8
NUMBER: Final = re.compile(r"T?20[0-9]{2}-[0-9]{7,}")
R = ReceiptState


def issue(session: Session, *, contribution: str) -> str | None:
    """Make the gift's valid receipt say what was given and stayed, by the books; its number, None where nothing stayed.

    To be called in the transaction that moved the money, after its entry, as the last thing: when some of it goes back, when
    a refund came back. A receipt for another sum is voided; called again, nothing happens."""
    gift = session.execute(
        select(Contribution.id, Contribution.book).where(Contribution.public_id == contribution).with_for_update()
    ).first()
    if gift is None:
        raise NotFound(contribution)
    stayed = fen_that_stayed(session, contribution)
    latest = session.scalar(select(Receipt).where(Receipt.contribution_id == gift.id).order_by(Receipt.id.desc()).limit(1))
    if latest and latest.state is R.ISSUED:
        if latest.fen == stayed:
            return latest.public_id
        why = f"{stayed} fen stayed"
        transition(session, latest, R.VOIDED, expected=R.ISSUED, actor="system", why=why)
    if stayed <= 0:
        return None
    if latest and latest.state is R.VOIDED:
        transition(session, latest, R.REISSUED, expected=R.VOIDED, actor="system", why=f"for {stayed} fen")
    return issue_for(session, gift=gift.id, book=gift.book, fen=stayed)


def issue_for(session: Session, *, gift: int, book: str, fen: int) -> str:
    """A receipt for a gift that has no valid one; its number. The last thing in the transaction that received the gift."""
    series = series_of(book, clock.today())
    sequence = next_number(session, series)
    number = f"{series}-{sequence:07}"
    place = {"public_id": number, "check_code": new_code(), "series": series, "sequence": sequence}
    add_rows(session, Receipt, {**place, "contribution_id": gift, "book": book, "fen": fen})
    leave_trace(session, Receipt(public_id=number), None, R.ISSUED, actor="system", why="received")
    return number


def fen_that_stayed(session: Session, contribution: str) -> int:
    """Received less refunded, as campaigns' accounts have it."""
    moved = select(func.coalesce(func.sum(Line.amount), 0)).join(Entry, Entry.id == Line.entry_id)
    moved = moved.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(Entry.reference == contribution)
    return -int(session.scalar(moved.where(LedgerAccount.kind == "restricted")) or 0)


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


def new_code() -> str:
    return "".join(secrets.choice(ids.UNAMBIGUOUS) for _ in range(CODE_LENGTH))


@dataclass(frozen=True)
class Shown:
    """What a receipt says. `giver` is empty for whoever does not have its check code, and so is the title of a campaign that
    is not public."""

    number: str
    is_valid: bool
    fen: int
    book: str
    issued_on: date
    received_on: date
    campaign: str
    campaign_title: str
    organisation: str
    credit_code: str
    filing_number: str
    replaced_by: str
    giver: str
    check_code: str


def find(session: Session, number: str, *, code: str = "") -> Shown:
    """Two statements. Raises NotFound for a number that was never given out."""
    wanted = (
        select(Receipt, Contribution.giver, Contribution.received_at, Campaign.public_id, Campaign.title_zh)
        .add_columns(Campaign.channel, Campaign.filing_number, Organisation.name_zh, Organisation.credit_code)
        .join(Contribution, Contribution.id == Receipt.contribution_id)
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .join(Organisation, Organisation.code == Campaign.organisation_code)
        .where(Receipt.public_id == number)
    )
    row = session.execute(wanted).first()
    if row is None:
        raise NotFound(number)
    receipt: Receipt = row.Receipt
    knows = bool(code) and secrets.compare_digest(code.encode(), receipt.check_code.encode())
    later = select(Receipt.public_id).where(Receipt.contribution_id == receipt.contribution_id, Receipt.id > receipt.id)
    return Shown(
        number=receipt.public_id,
        is_valid=receipt.state is R.ISSUED,
        fen=receipt.fen,
        book=receipt.book,
        issued_on=clock.local(receipt.issued_at).date(),
        received_on=clock.local(row.received_at or receipt.issued_at).date(),
        campaign=row.public_id,
        campaign_title=row.title_zh if knows or row.channel != "directed" else "",
        organisation=row.name_zh,
        credit_code=row.credit_code,
        filing_number=row.filing_number,
        replaced_by=session.scalar(later.order_by(Receipt.id).limit(1)) or "",
        giver=(row.giver or "") if knows else "",
        check_code=receipt.check_code if knows else "",
    )


def of(session: Session, *, contribution: str) -> tuple[str, str] | None:
    """(number, check code) of the gift's valid receipt, for its giver's own page."""
    mine = select(Receipt.public_id, Receipt.check_code).join(Contribution, Contribution.id == Receipt.contribution_id)
    row = session.execute(mine.where(Contribution.public_id == contribution, Receipt.state == R.ISSUED)).first()
    return (row.public_id, row.check_code) if row else None


def rows_of(number: str) -> Columns:
    """SQL: the references of the public rows that moved the gift of this receipt."""
    gift = select(Contribution.public_id).join(Receipt, Receipt.contribution_id == Contribution.id)
    return select(Entry.key).where(Entry.reference.in_(gift.where(Receipt.public_id == number)))
