"""What the books say, for pages: sums as people are owed them, in the commodity's smallest unit."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.core.records import record, slim_record
from marketplace.ledger.accounts import KINDS, owned_by
from marketplace.ledger.models import Entry, LedgerAccount, Line

PAGE: Final = 50


def lines(*columns: Any) -> Select[Any]:
    """These columns of lines with their account and entry."""
    joined = select(*columns).select_from(Line).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    return joined.join(Entry, Entry.id == Line.entry_id)


def balances(session: Session, *, book: str, kinds: Sequence[str] = tuple(KINDS)) -> Sequence[Any]:
    """Every account of these kinds that is not at zero: (kind, owner, commodity, amount), debit positive."""
    key = (LedgerAccount.kind, LedgerAccount.owner, Line.commodity)
    total = func.sum(Line.amount)
    wanted = lines(*key, total.label("amount")).where(LedgerAccount.book == book, LedgerAccount.kind.in_(kinds))
    return session.execute(wanted.group_by(*key).having(total != 0).order_by(*key)).all()


def shares_of(session: Session, reference: str, *, keys: Sequence[str] = ()) -> dict[str, int]:
    """Where the money of one order went, in fen by kind of owner (seller, station); what was given back is left out.

    `keys`: entries about it that are booked under another reference, that of a payment for more than this order."""
    shared = owned_by("seller") | owned_by("station")
    about = (Entry.reference == reference) | Entry.key.in_(keys) if keys else Entry.reference == reference
    wanted = lines(LedgerAccount.kind, func.sum(Line.amount)).where(about)
    wanted = wanted.where(LedgerAccount.kind.in_(shared), Line.commodity == "CNY").group_by(LedgerAccount.kind)
    shares: dict[str, int] = {}
    for kind, amount in session.execute(wanted):
        owner = KINDS[kind].owner
        shares[owner] = shares.get(owner, 0) - int(amount)
    return shares


@record
class Posting:
    """One entry with its lines: (account kind, owner, commodity, amount), debits first."""

    key: str
    kind: str
    at: datetime
    book: str
    lines: list[tuple[str, str, str, int]]


def postings_of(session: Session, reference: str) -> list[Posting]:
    """Everything that was booked about one order, campaign or presale, oldest first."""
    columns = (Entry.key, Entry.kind, Entry.at, Entry.book)
    account = (LedgerAccount.kind, LedgerAccount.owner, Line.commodity, Line.amount)
    wanted = lines(*columns, *account).where(Entry.reference == reference)
    rows = session.execute(wanted.order_by(Entry.at, Entry.key, Line.amount.desc(), Line.id)).all()
    return [
        Posting(key, kind, at, book, [tuple(row[4:]) for row in of_entry])
        for (key, kind, at, book), of_entry in groupby(rows, key=lambda row: tuple(row[:4]))
    ]


@record
class StatementLine:
    """One movement of what somebody is owed: `amount` to their credit, `balance` after it."""

    id: int
    at: datetime
    kind: str
    reference: str
    account: str
    amount: int
    balance: int


def statement(session: Session, *, owner_kind: str, owner: str, book: str, after: int = 0) -> list[StatementLine]:
    """What one seller or station is owed, line by line, oldest first; `after` is the last line's id of the page before.

    Two statements whatever the length; the balance goes on where the page before ended."""
    mine = (LedgerAccount.kind.in_(owned_by(owner_kind)), LedgerAccount.owner == owner, LedgerAccount.book == book)
    before = lines(func.coalesce(func.sum(Line.amount), 0)).where(*mine, Line.id <= after)
    balance = -int(session.scalar(before) or 0)
    wanted = lines(Line.id, Entry.at, Entry.kind, Entry.reference, LedgerAccount.kind.label("account"), Line.amount)
    page = []
    for row in session.execute(wanted.where(*mine, Line.id > after).order_by(Line.id).limit(PAGE)):
        balance -= row.amount
        page.append(StatementLine(row.id, row.at, row.kind, row.reference, row.account, -row.amount, balance))
    return page


@slim_record
class Movement:
    """One entry as one account saw it: `fen` to its owner's credit."""

    key: str
    kind: str
    at: datetime
    reference: str
    fen: int


def of_account(wanted: Select[Any], kind: str, owner: str, book: str) -> Select[Any]:
    return wanted.where(
        LedgerAccount.kind == kind, LedgerAccount.owner == owner, LedgerAccount.book == book, Line.commodity == "CNY"
    )


def credit_before(session: Session, kind: str, owner: str, *, book: str, moment: datetime) -> int:
    """Fen that stood to the owner's credit when `moment` began."""
    total = lines(func.coalesce(func.sum(Line.amount), 0)).where(Entry.at < moment)
    return -int(session.scalar(of_account(total, kind, owner, book)) or 0)


def movements(session: Session, kind: str, owner: str, *, book: str, start: datetime, end: datetime) -> list[Movement]:
    """Everything that moved one account from `start` until before `end`, oldest first. One statement."""
    wanted = lines(Entry.key, Entry.kind, Entry.at, Entry.reference, Line.amount)
    wanted = of_account(wanted, kind, owner, book).where(Entry.at >= start, Entry.at < end)
    rows = session.execute(wanted.order_by(Entry.at, Line.id))
    return [Movement(row.key, row.kind, row.at, row.reference, -int(row.amount)) for row in rows]


def first_movement(session: Session, kind: str, owner: str, *, book: str) -> datetime | None:
    """When something moved this account first; None for one that nothing has moved."""
    found: datetime | None = session.scalar(of_account(lines(func.min(Entry.at)), kind, owner, book))
    return found
