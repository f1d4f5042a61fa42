"""The drawer of a station: what the ledger says lies in it, held against what somebody counted."""

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.errors import Refusal
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders.closing.models import CashCount

KIND = "cash_desk"


class NotCounted(Refusal):
    status = 422
    message = _l("There is cash in the drawer. Count it before you close the day.")


class NoReason(Refusal):
    status = 422
    message = _l("What you counted and the ledger differ. Count again, or write why.")


def balance(session: Session, station: str, book: str, until: datetime) -> int:
    """Fen that lay in it at that moment, by the ledger."""
    total = select(func.coalesce(func.sum(Line.amount), 0)).join(Entry, Entry.id == Line.entry_id)
    total = total.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(LedgerAccount.kind == KIND)
    total = total.where(LedgerAccount.owner == station, LedgerAccount.book == book, Line.commodity == "CNY")
    return int(session.scalar(total.where(Entry.at <= until)) or 0)


def reconcile(
    session: Session, *, station: str, book: str, day: date, until: datetime, counted_fen: int | None, why: str
) -> None:
    """In the transaction that closes the day. Nothing to count where nothing ever lay in it.

    Raises NotCounted, NoReason."""
    there = balance(session, station, book, until)
    if counted_fen is None:
        if there:
            raise NotCounted(station)
        return
    if counted_fen != there and not why.strip():
        raise NoReason(station)
    told = {"ledger_fen": there, "counted_fen": counted_fen, "why": why.strip()}
    session.add(CashCount(station_code=station, book=book, day=day, **told))


def count_of(session: Session, station: str, book: str, day: date) -> CashCount | None:
    return session.get(CashCount, (station, book, day))
