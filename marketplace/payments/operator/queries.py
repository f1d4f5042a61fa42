"""Attempts, refunds and disputes as operators look through them: newest first, page by page, one statement a page."""

from collections.abc import Iterator
from datetime import date, timedelta
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.paging import Page, cut
from marketplace.core.records import record
from marketplace.payments import overdue
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.operator import tracing

PAGE: Final = 50
EXPORTED: Final = 1_000  # rows in memory at a time


@record
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


def attempts() -> Columns:
    what = (Attempt.id, Attempt.public_id, Attempt.purpose, Attempt.reference, Attempt.gateway, Attempt.remote_id)
    how = (Attempt.state, Attempt.is_surplus, Attempt.fen, Attempt.currency, Attempt.book, Attempt.created_at)
    return select(*what, *how, overdue.attempts().label("is_overdue"))


def refunds() -> Columns:
    what = (Refund.id, Refund.public_id, Refund.reason_key, Refund.reason, Refund.remote_id, Refund.state, Refund.fen)
    whose = (Attempt.public_id.label("attempt"), Attempt.purpose, Attempt.reference, Attempt.book, Attempt.gateway)
    wanted: Columns = select(*what, Refund.currency, Refund.created_at, *whose, overdue.refunds().label("is_overdue"))
    return wanted.join(Attempt, Attempt.id == Refund.attempt_id)


def disputes() -> Columns:
    what = (Dispute.id, Dispute.public_id, Dispute.remote_id, Dispute.state, Dispute.reason, Dispute.fen, Dispute.currency)
    when = (Dispute.fee_fen, Dispute.fee_currency, Dispute.opened_at, Dispute.answer_by)
    whose = (Attempt.public_id.label("attempt"), Attempt.purpose, Attempt.reference, Attempt.book, Attempt.gateway)
    wanted: Columns = select(*what, *when, *whose)
    return wanted.join(Attempt, Attempt.id == Dispute.attempt_id)


def page_of_attempts(session: Session, asked: Asked) -> Page[Any]:
    return page(session, filtered_attempts(session, asked), Attempt, asked, PAGE)


def page_of_refunds(session: Session, asked: Asked) -> Page[Any]:
    return page(session, filtered_refunds(session, asked), Refund, asked, PAGE)


def page_of_disputes(session: Session, asked: Asked) -> Page[Any]:
    return page(session, filtered_disputes(session, asked), Dispute, asked, PAGE)


def all_attempts(session: Session, asked: Asked) -> Iterator[Any]:
    return every(session, filtered_attempts(session, asked), Attempt)


def all_refunds(session: Session, asked: Asked) -> Iterator[Any]:
    return every(session, filtered_refunds(session, asked), Refund)


def all_disputes(session: Session, asked: Asked) -> Iterator[Any]:
    return every(session, filtered_disputes(session, asked), Dispute)


def filtered_attempts(session: Session, asked: Asked) -> Columns:
    wanted = filtered(attempts(), Attempt, asked)
    if asked.number:
        names = (Attempt.public_id, Attempt.remote_id)
        wanted = wanted.where(or_(is_paid_under(session, asked), *(name == asked.number for name in names)))
    return wanted


def filtered_refunds(session: Session, asked: Asked) -> Columns:
    wanted = filtered(refunds(), Refund, asked)
    if asked.number:
        names = (Refund.public_id, Refund.remote_id, Attempt.public_id)
        wanted = wanted.where(or_(is_paid_under(session, asked), *(name == asked.number for name in names)))
    return wanted


def filtered_disputes(session: Session, asked: Asked) -> Columns:
    wanted = filtered(disputes(), Dispute, asked, Dispute.opened_at)
    if asked.number:
        names = (Dispute.public_id, Dispute.remote_id, Attempt.public_id, Attempt.remote_id)
        wanted = wanted.where(or_(is_paid_under(session, asked), *(name == asked.number for name in names)))
    return wanted


def is_paid_under(session: Session, asked: Asked) -> ColumnElement[bool]:
    """SQL: it pays what has this number, perhaps with others."""
    return Attempt.reference.in_(tracing.paid_under(session, asked.number))


def filtered(wanted: Columns, kind: Any, asked: Asked, at: Any = None) -> Columns:
    """`at`: when a row of this kind began."""
    began = kind.created_at if at is None else at
    if asked.state:
        wanted = wanted.where(kind.state == asked.state)
    if asked.purpose:
        wanted = wanted.where(Attempt.purpose == asked.purpose)
    if asked.since:
        wanted = wanted.where(began >= clock.start_of(asked.since))
    if asked.until:
        wanted = wanted.where(began < clock.start_of(asked.until + timedelta(days=1)))
    if asked.least is not None:
        wanted = wanted.where(kind.fen >= asked.least)
    if asked.most is not None:
        wanted = wanted.where(kind.fen <= asked.most)
    return wanted


def page(session: Session, wanted: Columns, kind: Any, asked: Asked, size: int) -> Page[Any]:
    if asked.before:
        last = select(kind.id).where(kind.public_id == asked.before).scalar_subquery()
        wanted = wanted.where(kind.id < last)
    found = session.execute(wanted.order_by(kind.id.desc()).limit(size + 1)).all()
    return cut(found, size, attrgetter("public_id"))


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
