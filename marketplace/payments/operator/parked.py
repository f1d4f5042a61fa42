"""Money in suspense as operators look through it: the newest first, page by page, one statement a page.

Two kinds: what came and is not what we asked for, and what came twice or too late and did not arrive when it went back."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Subquery, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.paging import Page, cut
from marketplace.core.records import record
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments import refunds
from marketplace.payments.disputes import standing
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

PAGE: Final = 50
EXPORTED: Final = 1_000  # rows in memory at a time
MISMATCH, SURPLUS = "mismatch", "surplus"


@record
class Asked:
    """What is looked for; `before` is the payment that ended the page before."""

    text: str = ""
    kind: str = ""
    book: str = ""
    since: date | None = None
    until: date | None = None
    before: str = ""


@record
class Parked:
    """Money in suspense under one payment; `refund` is the last try to send it back, for `reason`."""

    kind: str
    payment: str
    reference: str
    fen: int
    currency: str
    book: str
    at: datetime
    attempt: str | None
    refund: str | None
    refund_state: str | None
    reason: str | None

    @property
    def waits(self) -> bool:
        return self.refund_state in {None, RefundState.FAILED}


def page(session: Session, asked: Asked) -> Page[Parked]:
    found = rows(session, filtered(asked), asked.before, PAGE + 1)
    return cut(found, PAGE, attrgetter("payment"))


def every(session: Session, asked: Asked) -> Iterator[Parked]:
    """All of it; between two pages nothing is held, in memory or in the database."""
    last = ""
    while True:
        found = rows(session, filtered(asked), last, EXPORTED)
        session.rollback()
        yield from found
        if len(found) < EXPORTED:
            return
        last = found[-1].payment


def rows(session: Session, wanted: Columns, before: str, limit: int) -> Sequence[Parked]:
    parked = wanted.selected_columns
    if before:
        edge = everything()
        at = select(edge.c.at).where(edge.c.payment == before).scalar_subquery()
        wanted = wanted.where(or_(parked.at < at, and_(parked.at == at, parked.payment < before)))
    found = session.execute(wanted.order_by(parked.at.desc(), parked.payment.desc()).limit(limit))
    return [Parked(*row) for row in found]


def filtered(asked: Asked) -> Columns:
    parked = everything()
    wanted: Columns = select(*parked.c)
    if asked.text:
        words = (parked.c.payment, parked.c.reference, parked.c.reason, parked.c.attempt, parked.c.refund)
        wanted = wanted.where(or_(*(word.icontains(asked.text, autoescape=True) for word in words)))
    if asked.kind:
        wanted = wanted.where(parked.c.kind == asked.kind)
    if asked.book:
        wanted = wanted.where(parked.c.book == asked.book)
    if asked.since:
        wanted = wanted.where(parked.c.at >= clock.start_of(asked.since))
    if asked.until:
        wanted = wanted.where(parked.c.at < clock.start_of(asked.until + timedelta(days=1)))
    return wanted


def everything() -> Subquery:
    return union_all(mismatches(), surpluses()).subquery()


def mismatches() -> Columns:
    """What is booked as `suspense:<payment>`, unless a bank gave back all of it; in the order of the columns of `Parked`."""
    payment = func.substr(Entry.key, len("suspense:") + 1)
    last_try = select(func.max(Refund.id)).where(Refund.remote_payment == payment).correlate(Entry).scalar_subquery()
    wanted: Columns = select(literal(MISMATCH).label("kind"), payment.label("payment"), Entry.reference.label("reference"))
    wanted = wanted.add_columns((-Line.amount).label("fen"), Line.commodity.label("currency"), Entry.book.label("book"))
    wanted = wanted.add_columns(Entry.at.label("at"), *of_the_last_try())
    wanted = wanted.join(Line, Line.entry_id == Entry.id).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    wanted = wanted.outerjoin(Refund, Refund.id == last_try).outerjoin(Attempt, Attempt.remote_id == payment)
    wanted = wanted.where(Entry.kind == "suspense", LedgerAccount.kind == "suspense")
    return wanted.where(-Line.amount > standing.lost(Attempt.id))


def surpluses() -> Columns:
    """What came twice or too late, and whose refund did not arrive: what is left of it, unless a bank has given back all."""
    its = aliased(Refund)
    tries = select(func.max(its.id)).where(its.attempt_id == Attempt.id, its.reason_key.startswith("surplus"))
    wanted: Columns = select(literal(SURPLUS), Attempt.remote_id, Attempt.reference, refunds.left(), Attempt.currency)
    wanted = wanted.add_columns(Attempt.book, Refund.created_at, *of_the_last_try())
    wanted = wanted.join(Refund, Refund.attempt_id == Attempt.id).where(Refund.state == RefundState.FAILED)
    return wanted.where(Refund.id == tries.correlate(Attempt).scalar_subquery(), refunds.left() > 0)


def of_the_last_try() -> tuple[Any, ...]:
    refund, state = Refund.public_id.label("refund"), Refund.state.label("refund_state")
    return Attempt.public_id.label("attempt"), refund, state, Refund.reason.label("reason")
