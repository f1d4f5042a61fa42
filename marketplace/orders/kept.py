"""Kept back for a lost dispute that was won on appeal: the buyer has neither goods nor money, and a person decides.

It is about a parcel, or about goods that were brought back for a case. What was held or owed for it went to the province's
loss (`disputed.keep`, `cases.by_bank`), so it comes from there again."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import Subquery, case, exists, func, select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.formats import in_language
from marketplace.core.money import Money
from marketplace.core.paging import Page, cut
from marketplace.core.records import record
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders import disputed
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.institutions import payments
from marketplace.orders.models import Order, Parcel
from marketplace.payments import refunds
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.standing import LOSS
from marketplace.payments.disputes.states import OPEN, DisputeState
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState
from marketplace.stations.models import Station

PAGE: Final = 50
KEY: Final = "dispute_kept:"
UNDECIDED: Final = (*sorted(OPEN), DisputeState.LOST)


class NothingKept(StaleState):
    message = _l("Nothing of this parcel waits for a decision any more.")


@record
class Kept:
    """`name`: the parcel's, or the case's. `fen`: what was kept for it less what went back since."""

    name: str
    number: str
    position: int
    attempt: str
    station_zh: str
    station_en: str
    phone: str
    at: datetime
    fen: int

    @property
    def label(self) -> str:
        return f"{self.number}-{self.position}"

    @property
    def station(self) -> str:
        return in_language(self.station_zh, self.station_en)


@record
class ByBank:
    """What the buyer has of a bank's payment; what the province owes since the bank took it back, and what it refunded."""

    is_with_buyer: bool
    owed_fen: int
    refunded_fen: int


def page(session: Session, before: str = "") -> Page[Kept]:
    """Those kept last first; after the parcel or case `before`. One statement."""
    wanted = waiting()
    if before:
        wanted = wanted.where(Entry.id < select(Entry.id).where(Entry.key == f"{KEY}{before}").scalar_subquery())
    rows = session.execute(wanted.order_by(Entry.id.desc()).limit(PAGE + 1))
    return cut([Kept(*row) for row in rows], PAGE, attrgetter("name"))


def waiting() -> Columns:
    """Parcels and cases whose payment no bank has taken or disputes now, with something left of what was kept, and of what
    was paid: somebody may have sent it back on the provider's own pages."""
    loss, back = kept_fen(), sent_back_fen()
    kept: Any = loss.c.fen - func.coalesce(back.c.fen, 0)
    left = refunds.left()
    fen: Any = case((kept < left, kept), else_=left)
    undecided = exists().where(Dispute.attempt_id == Attempt.id, Dispute.state.in_(UNDECIDED))
    name: Any = func.substr(Entry.key, len(KEY) + 1)
    of_case = select(AfterSalesCase.id).where(AfterSalesCase.parcel_id == Parcel.id, AfterSalesCase.public_id == name)
    wanted: Columns = select(name.label("name"), Order.number, Parcel.number, Attempt.public_id)
    wanted = wanted.add_columns(Station.name_zh, Station.name_en, Station.phone, Entry.at, fen.label("fen"))
    wanted = wanted.join(Order, Order.id == Parcel.order_id).join(Station, Station.code == Parcel.station_code)
    wanted = wanted.join(Attempt, payments.pays() & ~Attempt.is_surplus)
    wanted = wanted.join(Entry, (Entry.reference == Order.number) & ((Parcel.public_id == name) | of_case.exists()))
    wanted = wanted.join(loss, loss.c.entry_id == Entry.id).outerjoin(back, back.c.name == name)
    return wanted.where(Attempt.state == AttemptState.SUCCEEDED, ~undecided, fen > 0)


def of_cases(session: Session, cases: Sequence[str]) -> dict[str, int]:
    """By case, the fen that wait, of those for which something does. One statement."""
    found = session.execute(waiting().where(Entry.key.in_([f"{KEY}{case}" for case in cases])))
    return {row.name: int(row.fen) for row in found}


def by_bank(session: Session, number: str, case: str) -> ByBank:
    """How it stands with a case that a bank has paid for, or somebody on the provider's own pages. Few statements."""
    back = sent_back_fen()
    sent = int(session.scalar(select(back.c.fen).where(back.c.name == case)) or 0)
    taken = select(Dispute.id).join(Attempt, Attempt.id == Dispute.attempt_id).join(Order, payments.pays())
    taken = taken.where(Order.number == number, Dispute.state.in_(UNDECIDED))
    is_with_buyer = session.scalar(taken.limit(1)) is not None or disputed.is_lost(session, number)
    return ByBank(is_with_buyer, of_cases(session, [case]).get(case, 0), sent)


def kept_fen() -> Subquery:
    """By entry, what lessened the loss."""
    lines: Columns = select(Line.entry_id, (-func.sum(Line.amount)).label("fen"))
    lines = lines.join(Entry, Entry.id == Line.entry_id).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    lines = lines.where(Entry.kind == KEY.removesuffix(":"), LedgerAccount.kind == LOSS[0])
    return lines.group_by(Line.entry_id).subquery()


def sent_back_fen() -> Subquery:
    """By parcel or case, what has gone back to its buyer out of the loss, or is on its way."""
    prefix = f"{refunds.OUT_OF_LOSS}:"
    name = func.substr(Refund.reason_key, len(prefix) + 1, 16).label("name")
    back: Columns = select(name, func.sum(Refund.fen).label("fen"))
    back = back.where(Refund.reason_key.startswith(prefix), Refund.state != RefundState.FAILED)
    return back.group_by(name).subquery()


def give_back(session: Session, *, name: str, actor: str, why: str) -> str:
    """What is left of it goes back to the buyer; returns the refund's public id. Raises NotFound, NothingKept."""
    number = session.scalar(select(Entry.reference).where(Entry.key == f"{KEY}{name}"))
    if number is None:
        raise NotFound(name)
    paid = select(Attempt).join(Order, payments.pays()).where(Order.number == number)
    paid = paid.where(Attempt.state == AttemptState.SUCCEEDED, ~Attempt.is_surplus)
    attempt = session.scalar(paid.with_for_update(of=Attempt))
    found = session.execute(waiting().where(Entry.key == f"{KEY}{name}")).first()
    if attempt is None or found is None:
        raise NothingKept(name)
    amount = Money(min(int(found.fen), refunds.left_of(session, attempt)), attempt.currency)
    key = f"{refunds.OUT_OF_LOSS}:{name}:{tries(session, attempt, name)}"
    refund = refunds.request_for(session, attempt, reason_key=key, shares={LOSS: amount}, reason=why)
    told = {"actor": actor, "subject": subject_of(session, name), "why": why}
    audit.record(session, action="parcel.kept_given_back", **told, refund=refund, fen=amount.fen)
    return refund


def subject_of(session: Session, name: str) -> str:
    is_parcel = session.scalar(select(Parcel.id).where(Parcel.public_id == name)) is not None
    return f"{'parcel' if is_parcel else 'after_sales_case'}:{name}"


def tries(session: Session, attempt: Attempt, name: str) -> int:
    """One that did not arrive may be asked for once more, under a key of its own."""
    mine = select(func.count()).where(Refund.attempt_id == attempt.id)
    return int(session.scalar(mine.where(Refund.reason_key.startswith(f"{refunds.OUT_OF_LOSS}:{name}"))) or 0)
