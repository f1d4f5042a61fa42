"""What a seller or a station was owed in one month: from the books alone, every movement explained, to the fen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.ledger import queries as ledger_queries
from marketplace.ledger.queries import Movement
from marketplace.orders.batches.models import BatchLine
from marketplace.orders.batches.owed import Owner, payable
from marketplace.orders.batches.states import LineState
from marketplace.orders.models import OrderLine, Parcel, RefundLine

MOST_MONTHS: Final = 24
OF_A_PARCEL: Final = ("settle", "bill_lost")  # kinds of entries that have it in their key
PARCEL_ID: Final = 16  # characters of a parcel in the key settle:<parcel>:<owner>

FIRST_YEAR: Final = 2020


@dataclass(frozen=True, slots=True)
class Row:
    """One movement: `fen` to the owner's credit, `balance_fen` after it.

    `parcel` leads to what it is about. Of what settled a seller has the goods less the fee, a station fee and shipping.
    A payout has the state of its line, and what the bank said."""

    at: datetime
    kind: str
    reference: str
    fen: int
    balance_fen: int
    parcel: str = ""
    goods: tuple[tuple[str, int], ...] = ()  # titles in the reader's language, and packs
    goods_fen: int = 0
    fee_fen: int = 0
    shipping_fen: int = 0
    discount_fen: int = 0  # what a seller bears of promotions
    line_state: LineState | None = None
    said: str = ""

    @property
    def adds_up(self) -> bool:
        """Whether goods, fee, discount and shipping explain the sum: not where a part went back before it settled."""
        of_seller = self.goods_fen - self.fee_fen - self.discount_fen
        return self.goods_fen > 0 and self.fen in {of_seller, self.fee_fen + self.shipping_fen}


@dataclass(frozen=True, slots=True)
class Statement:
    owner: Owner
    book: str
    month: date
    opening_fen: int
    closing_fen: int
    rows: tuple[Row, ...]
    is_over: bool

    def sum_of(self, *kinds: str) -> int:
        return sum(row.fen for row in self.rows if row.kind in kinds)


def month_of(text: str) -> date:
    """The first day of `2026-10`. Raises NotFound for anything else, and for a month that has not begun."""
    try:
        found = datetime.strptime(text, "%Y-%m").date() if len(text) == 7 else None  # noqa: DTZ007
    except ValueError:
        found = None
    if found is None or found.year < FIRST_YEAR or found > clock.today():
        raise NotFound(text)
    return found


def after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months(session: Session, owner: Owner, book: str) -> list[date]:
    """The months since something moved first, the latest first."""
    first = ledger_queries.first_movement(session, payable(owner[0]), owner[1], book=book)
    if first is None:
        return []
    wanted = [clock.local(first).date().replace(day=1)]
    while (following := after(wanted[-1])) <= clock.today():
        wanted.append(following)
    return wanted[: -MOST_MONTHS - 1 : -1]


def statement(session: Session, owner: Owner, month: date, *, book: str) -> Statement:
    """The month in Shanxi's calendar. A fixed number of statements, whatever its length."""
    kind, whose = owner
    start, end = clock.start_of(month), clock.start_of(after(month))
    opening = ledger_queries.credit_before(session, payable(kind), whose, book=book, moment=start)
    moved = ledger_queries.movements(session, payable(kind), whose, book=book, start=start, end=end)
    rows = explained(session, owner, with_balances(opening, moved), moved)
    closing = rows[-1].balance_fen if rows else opening
    return Statement(owner, book, month, opening, closing, tuple(rows), end <= clock.now())


def with_balances(opening: int, moved: Sequence[Movement]) -> list[Row]:
    rows, balance = [], opening
    for each in moved:
        balance += each.fen
        rows.append(Row(each.at, each.kind, each.reference, each.fen, balance))
    return rows


def explained(session: Session, owner: Owner, rows: Sequence[Row], moved: Sequence[Movement]) -> list[Row]:
    parcels = {each.key: parcel_in(each.key) for each in moved if each.kind in OF_A_PARCEL}
    refunds = parcels_of_refunds(session, owner, [rest_of(each.key) for each in moved if each.kind.startswith("refund")])
    payments = lines_of(session, [rest_of(each.key) for each in moved if each.kind.startswith("payout")])
    known = {**brought(session, owner, list(parcels.values())), **refunds, **payments}
    return [
        replace(row, **(known.get(each.key) or known.get(parcels.get(each.key) or rest_of(each.key), {})))
        for row, each in zip(rows, moved, strict=True)
    ]


def rest_of(key: str) -> str:
    return key.partition(":")[2]


def parcel_in(key: str) -> str:
    return rest_of(key)[:PARCEL_ID]


def brought(session: Session, owner: Owner, parcels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """By parcel: what was in it of a seller's, and how the sum came about. A station has fee and shipping of all of it."""
    kind, whose = owner
    wanted = select(Parcel.public_id, OrderLine).join(Parcel, Parcel.id == OrderLine.parcel_id)
    wanted = wanted.where(Parcel.public_id.in_(list(parcels)))
    if kind == "seller":
        wanted = wanted.where(OrderLine.seller_public_id == whose)
    found: dict[str, dict[str, Any]] = {}
    for parcel, line in session.execute(wanted.order_by(OrderLine.id)):
        known = found.setdefault(parcel, {"parcel": parcel, "goods": (), "goods_fen": 0, "fee_fen": 0, "discount_fen": 0})
        known["goods"] += ((in_language(line.title_zh, line.title_en), line.quantity),)
        known["goods_fen"] += line.goods_fen
        known["fee_fen"] += line.service_fee_fen
        known["discount_fen"] += line.seller_discount_fen if kind == "seller" else 0
    if kind == "station":
        carried = select(Parcel.public_id, Parcel.shipping_fen).where(Parcel.public_id.in_(list(found)))
        for parcel, fen in session.execute(carried):
            found[parcel]["shipping_fen"] = fen
    return found


def parcels_of_refunds(session: Session, owner: Owner, refunds: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By refund: the owner's parcel of which it gave something back, whatever that was paid with."""
    kind, whose = owner
    its = OrderLine.seller_public_id == whose if kind == "seller" else Parcel.station_code == whose
    wanted = select(RefundLine.refund_public_id, func.min(Parcel.public_id).label("parcel"))
    wanted = wanted.join(OrderLine, OrderLine.id == RefundLine.order_line_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    wanted = wanted.where(RefundLine.refund_public_id.in_(refunds), its).group_by(RefundLine.refund_public_id)
    return {row.refund_public_id: {"parcel": row.parcel} for row in session.execute(wanted)}


def lines_of(session: Session, lines: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By key: the state of its line, and what the bank said of this entry."""
    wanted = select(BatchLine.public_id, BatchLine.state, BatchLine.bank_said, BatchLine.bounced_because)
    found: dict[str, dict[str, Any]] = {}
    for row in session.execute(wanted.where(BatchLine.public_id.in_(lines))):
        for kind in ("payout", "payout_failed"):
            found[f"{kind}:{row.public_id}"] = {"line_state": row.state, "said": row.bank_said}
        found[f"payout_bounced:{row.public_id}"] = {"line_state": row.state, "said": row.bounced_because}
    return found
