"""Attempts, refunds and suspense as operators look through them: newest first, page by page, one statement a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments import overdue
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

PAGE: Final = 50
EXPORTED: Final = 1_000  # rows in memory at a time


@dataclass(frozen=True)
class Asked:
    """What is looked for; `before` is the last row of the page before."""

    number: str = ""
    state: str = ""
    purpose: str = ""
    since: date | None = None
    until: date | None = None
    least: int | None = None
    most: int | None = None
    before: str = ""


@dataclass(frozen=True)
class Page:
    rows: Sequence[Any]
    next: str  # the last row, where more follow


def attempts() -> Columns:
    what = (Attempt.id, Attempt.public_id, Attempt.purpose, Attempt.reference, Attempt.gateway, Attempt.remote_id)
    how = (Attempt.state, Attempt.is_surplus, Attempt.fen, Attempt.currency, Attempt.book, Attempt.created_at)
    return select(*what, *how, overdue.attempts().label("is_overdue"))


def refunds() -> Columns:
    what = (Refund.id, Refund.public_id, Refund.reason_key, Refund.reason, Refund.remote_id, Refund.state, Refund.fen)
    whose = (Attempt.public_id.label("attempt"), Attempt.purpose, Attempt.reference, Attempt.book, Attempt.gateway)
    wanted: Columns = select(*what, Refund.currency, Refund.created_at, *whose, overdue.refunds().label("is_overdue"))
    return wanted.join(Attempt, Attempt.id == Refund.attempt_id)


def page_of_attempts(session: Session, asked: Asked) -> Page:
    return page(session, filtered_attempts(asked), Attempt, asked, PAGE)


def page_of_refunds(session: Session, asked: Asked) -> Page:
    return page(session, filtered_refunds(asked), Refund, asked, PAGE)


def all_attempts(session: Session, asked: Asked) -> Iterator[Any]:
    return every(session, filtered_attempts(asked), Attempt)


def all_refunds(session: Session, asked: Asked) -> Iterator[Any]:
    return every(session, filtered_refunds(asked), Refund)


def filtered_attempts(asked: Asked) -> Columns:
    wanted = filtered(attempts(), Attempt, asked)
    if asked.number:
        names = (Attempt.public_id, Attempt.reference, Attempt.remote_id)
        wanted = wanted.where(or_(*(name == asked.number for name in names)))
    return wanted


def filtered_refunds(asked: Asked) -> Columns:
    wanted = filtered(refunds(), Refund, asked)
    if asked.number:
        names = (Refund.public_id, Refund.remote_id, Attempt.public_id, Attempt.reference)
        wanted = wanted.where(or_(*(name == asked.number for name in names)))
    return wanted


def filtered(wanted: Columns, kind: Any, asked: Asked) -> Columns:
    if asked.state:
        wanted = wanted.where(kind.state == asked.state)
    if asked.purpose:
        wanted = wanted.where(Attempt.purpose == asked.purpose)
    if asked.since:
        wanted = wanted.where(kind.created_at >= clock.start_of(asked.since))
    if asked.until:
        wanted = wanted.where(kind.created_at < clock.start_of(asked.until + timedelta(days=1)))
    if asked.least is not None:
        wanted = wanted.where(kind.fen >= asked.least)
    if asked.most is not None:
        wanted = wanted.where(kind.fen <= asked.most)
    return wanted


def page(session: Session, wanted: Columns, kind: Any, asked: Asked, size: int) -> Page:
    if asked.before:
        last = select(kind.id).where(kind.public_id == asked.before).scalar_subquery()
        wanted = wanted.where(kind.id < last)
    found = session.execute(wanted.order_by(kind.id.desc()).limit(size + 1)).all()
    shown = found[:size]
    return Page(shown, shown[-1].public_id if len(found) > size else "")


def every(session: Session, wanted: Columns, kind: Any) -> Iterator[Any]:
    """All rows; between two pages nothing is held, in memory or in the database."""
    last = None
    while True:
        further = wanted if last is None else wanted.where(kind.id < last)
        found = session.execute(further.order_by(kind.id.desc()).limit(EXPORTED)).all()
        session.rollback()
        yield from found
        if len(found) < EXPORTED:
            return
        last = found[-1].id


@dataclass(frozen=True)
class Parked:
    """Money in suspense under one payment; `refund` is the last try to send it back."""

    payment: str
    reference: str
    fen: int
    currency: str
    book: str
    at: datetime
    attempt: str | None
    refund: str | None
    refund_state: str | None

    @property
    def waits(self) -> bool:
        return self.refund_state in {None, "failed"}


def page_of_suspense(session: Session, before: str = "") -> tuple[list[Parked], str]:
    """The newest first, and the key of the last where more follow."""
    last_try = select(func.max(Refund.id)).where(Refund.remote_payment == func.substr(Entry.key, len("suspense:") + 1))
    wanted: Columns = select(Entry.key, Entry.reference, Entry.book, Entry.at, Line.amount, Line.commodity)
    wanted = wanted.add_columns(Attempt.public_id, Refund.public_id, Refund.state)
    wanted = wanted.join(Line, Line.entry_id == Entry.id).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    wanted = wanted.outerjoin(Refund, Refund.id == last_try.correlate(Entry).scalar_subquery())
    own = Attempt.remote_id == func.substr(Entry.key, len("suspense:") + 1)
    wanted = wanted.outerjoin(Attempt, own).where(Entry.kind == "suspense", LedgerAccount.kind == "suspense")
    if before:
        at = select(Entry.at).where(Entry.key == f"suspense:{before}").scalar_subquery()
        wanted = wanted.where(or_(Entry.at < at, (Entry.at == at) & (Entry.key < f"suspense:{before}")))
    rows = session.execute(wanted.order_by(Entry.at.desc(), Entry.key.desc()).limit(PAGE + 1)).all()
    parked = [
        Parked(key.partition(":")[2], reference, -amount, currency, book, at, *rest)
        for key, reference, book, at, amount, currency, *rest in rows[:PAGE]
    ]
    return parked, parked[-1].payment if len(rows) > PAGE else ""


def stranded(session: Session) -> list[Parked]:
    """What came twice or too late, whose refund did not arrive: the newest first, no more than a page."""
    its = aliased(Refund)
    last_try = select(func.max(its.id)).where(its.attempt_id == Attempt.id, its.reason_key.startswith("surplus"))
    wanted: Columns = select(Attempt.remote_id, Attempt.reference, Attempt.fen, Attempt.currency, Attempt.book)
    wanted = wanted.add_columns(Refund.created_at, Attempt.public_id, Refund.public_id, Refund.state)
    wanted = wanted.join(Refund, Refund.attempt_id == Attempt.id).where(Refund.state == RefundState.FAILED)
    wanted = wanted.where(Refund.id == last_try.correlate(Attempt).scalar_subquery())
    return [Parked(*row) for row in session.execute(wanted.order_by(Refund.id.desc()).limit(PAGE))]
