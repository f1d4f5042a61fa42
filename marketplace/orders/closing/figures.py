"""The figures of a station between two moments, read from events and ledger: the same moments give the same figures.

Entries and events are never changed, so that whoever asks again later is told the same; what differs was booked late."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from marketplace.core.transitions import EventRow
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders.models import Order, OrderLine, Parcel, RefundLine
from marketplace.orders.states import ParcelState as S

COUNTED: Final = {
    "accepted": S.ACCEPTED,
    "packed": S.PACKED,
    "sent": S.SHIPPED,
    "fetched": S.PICKED_UP,
    "refused": S.REFUSED,
}
OWN: Final = ("station_held", "station_payable")
TAKEN_IN_CASH: Final = ("cash", "cash_refund")  # what goes into the bank was taken before
BORNE: Final = ("refund", "refund_failed", "case_borne", "case_borne_failed")


@dataclass(frozen=True, slots=True)
class Period:
    station: str
    book: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of parcels, and fen; what they mean stands at the columns of StationDay."""

    accepted: int
    packed: int
    sent: int
    fetched: int
    refused: int
    refunded_fen: int
    fees_fen: int
    shipping_fen: int
    borne_fen: int
    cash_fen: int
    held_fen: int
    payable_fen: int

    def differences(self, other: "Figures") -> dict[str, tuple[int, int]]:
        mine, theirs = asdict(self), asdict(other)
        return {name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]}


def of(session: Session, period: Period) -> Figures:
    """A fixed number of statements."""
    moved = movements(session, period)
    earned = sum(fen for (kind, account), fen in moved.items() if kind == "settle" and account == "station_payable")
    shipping = settled_shipping(session, period)
    balances = standing(session, period)
    return Figures(
        **counts(session, period),
        refunded_fen=refunded(session, period),
        fees_fen=earned - shipping,
        shipping_fen=shipping,
        borne_fen=-sum(fen for (kind, account), fen in moved.items() if kind in BORNE and account in OWN),
        cash_fen=-sum(fen for (kind, account), fen in moved.items() if account == "cash_desk" and kind in TAKEN_IN_CASH),
        held_fen=balances["station_held"],
        payable_fen=balances["station_payable"],
    )


def counts(session: Session, period: Period) -> dict[str, int]:
    """How many parcels took each step."""
    steps = select(EventRow.to_state, func.count())
    steps = steps.join(Parcel, "parcel:" + Parcel.public_id == EventRow.subject).join(Order, Order.id == Parcel.order_id)
    steps = steps.where(EventRow.station == period.station, EventRow.at > period.since, EventRow.at <= period.until)
    steps = steps.where(Order.book == period.book, EventRow.to_state.in_(list(COUNTED.values())))
    found: dict[str, int] = {state: int(number) for state, number in session.execute(steps.group_by(EventRow.to_state))}
    return {name: found.get(state, 0) for name, state in COUNTED.items()}


def movements(session: Session, period: Period) -> dict[tuple[str, str], int]:
    """Fen to the station's credit by kinds of entry and account."""
    moved = select(Entry.kind, LedgerAccount.kind, func.sum(Line.amount)).select_from(Entry)
    moved = moved.join(Line, Line.entry_id == Entry.id).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    moved = moved.where(Entry.at > period.since, Entry.at <= period.until, Entry.book == period.book)
    moved = moved.where(LedgerAccount.owner == period.station, LedgerAccount.kind.in_((*OWN, "cash_desk")))
    moved = moved.where(Line.commodity == "CNY").group_by(Entry.kind, LedgerAccount.kind)
    return {(entry, account): -int(fen) for entry, account, fen in session.execute(moved)}


def standing(session: Session, period: Period) -> dict[str, int]:
    """What stood to the station's credit at the end."""
    total = select(LedgerAccount.kind, func.sum(Line.amount)).select_from(Line)
    total = total.join(LedgerAccount, LedgerAccount.id == Line.account_id).join(Entry, Entry.id == Line.entry_id)
    total = total.where(
        LedgerAccount.owner == period.station, LedgerAccount.kind.in_(OWN), LedgerAccount.book == period.book
    )
    total = total.where(Entry.at <= period.until, Line.commodity == "CNY").group_by(LedgerAccount.kind)
    found = {kind: -int(fen) for kind, fen in session.execute(total)}
    return {kind: found.get(kind, 0) for kind in OWN}


def refunded(session: Session, period: Period) -> int:
    """What buyers of this station's parcels were to get back, also what failed later."""
    off = RefundLine.seller_discount_fen + RefundLine.platform_discount_fen + RefundLine.shipping_discount_fen
    back = select(func.sum(RefundLine.goods_fen + RefundLine.shipping_fen - off)).select_from(RefundLine)
    back = back.join(Entry, Entry.key == "refund:" + RefundLine.refund_public_id)
    back = back.join(OrderLine, OrderLine.id == RefundLine.order_line_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    back = back.where(Parcel.station_code == period.station, Entry.book == period.book)
    return int(session.scalar(back.where(Entry.at > period.since, Entry.at <= period.until)) or 0)


def settled_shipping(session: Session, period: Period) -> int:
    """The shipping in what became payable: of each settled parcel what had not gone back when it settled; and of a refund
    that failed after that, what came back."""
    entries = select(Entry.key, Entry.at).join(Line, Line.entry_id == Entry.id)
    entries = entries.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(LedgerAccount.owner == period.station)
    entries = entries.where(LedgerAccount.kind == "station_payable", Entry.kind == "settle", Entry.book == period.book)
    keys = session.execute(entries.where(Entry.at > period.since, Entry.at <= period.until)).all()
    settled = {row.key.split(":")[1]: row.at for row in keys if ":refund:" not in row.key}
    late = {row.key.rpartition(":")[2] for row in keys if ":refund:" in row.key}
    carried = select(Parcel.public_id, Parcel.shipping_fen).where(Parcel.public_id.in_(list(settled)))
    total = sum(int(row.shipping_fen) for row in session.execute(carried))
    for row in shipping_back(session, list(settled), sorted(late)):
        at = settled.get(row.parcel)
        if at is not None and row.at <= at and (row.failed_at is None or row.failed_at > at):
            total -= row.fen
        if row.refund in late:
            total += row.fen
    return total


def shipping_back(session: Session, parcels: list[str], refunds: list[str]) -> Sequence[Any]:
    """Shipping by refund: of these parcels, and of these refunds. A lost parcel was settled whole, in that same moment."""
    asked, failed = aliased(Entry), aliased(Entry)
    refund = RefundLine.refund_public_id
    back = select(Parcel.public_id.label("parcel"), refund.label("refund"), asked.at, failed.at.label("failed_at"))
    back = back.add_columns(func.sum(RefundLine.shipping_fen).label("fen")).select_from(RefundLine)
    back = back.join(OrderLine, OrderLine.id == RefundLine.order_line_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    back = back.join(asked, asked.key == "refund:" + refund).outerjoin(failed, failed.key == "refund_failed:" + refund)
    back = back.where(Parcel.public_id.in_(parcels) | refund.in_(refunds), RefundLine.shipping_fen > 0)
    back = back.where(~RefundLine.by_station)
    return session.execute(back.group_by(Parcel.public_id, refund, asked.at, failed.at)).all()
