"""Refunds of orders as people read them: what came back, why, and whether it is there. One statement each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import ColumnElement, Subquery, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.paging import Page, cut
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Order, OrderLine, Parcel, RefundLine
from marketplace.orders.receiving import named
from marketplace.orders.receiving.models import Substitute
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState

LATELY: Final = timedelta(days=30)
WAITS: Final = timedelta(days=180)
PAGE: Final = 50
BY_A_PERSON: Final = "units:"  # how the keys of those begin that somebody decided on, in words of their own
WHY: Final[dict[str, LazyString]] = {
    "refused": _l("The station could not send it"),
    "cancelled": _l("Cancelled"),
    "group failed": _l("The group was not complete in time"),
    "never fetched": _l("Not collected, so it went back to the grower"),
    "never left": _l("Not sent in time, so it went back to the grower"),
    "lost on the way": _l("Lost in transit"),
    "short": _l("The grower could not bring all of it"),
    "cheaper": _l("What comes instead costs less"),
    "lighter": _l("It weighed less than it should"),
    "damaged": _l("Damaged on arrival"),
    "wrong": _l("Not what was ordered"),
    "missing": _l("Fewer than ordered"),
    "unwanted": _l("Returned within seven days"),
    "exchange failed": _l("The replacement could not be delivered"),
}


@dataclass(frozen=True)
class UnitsBack:
    """So many units of one line; none: a part of its price alone, since it weighed less."""

    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    quantity: int


@dataclass(frozen=True)
class ShownRefund:
    """One refund of a parcel, in fen."""

    public_id: str
    order: str
    parcel: str
    parcel_number: int
    station: str
    state: RefundState
    fen: int
    shipping_fen: int
    reason: str  # typed by whoever decided, or one of WHY's
    is_by_a_person: bool
    waits: bool  # it failed, and somebody has to see to it
    at: datetime
    units: tuple[UnitsBack, ...]

    @property
    def label(self) -> str:
        return f"{self.order}-{self.parcel_number}"

    @property
    def has_failed(self) -> bool:
        return self.state is RefundState.FAILED

    @property
    def has_arrived(self) -> bool:
        return self.state is RefundState.SUCCEEDED

    @property
    def why(self) -> str:
        return self.reason if self.is_by_a_person else str(WHY.get(self.reason, self.reason))


def of_order(session: Session, number: str) -> list[ShownRefund]:
    return found(session, Order.number == number)


def of_parcel(session: Session, parcel: str) -> list[ShownRefund]:
    return found(session, Parcel.public_id == parcel)


def one(session: Session, refund: str) -> ShownRefund | None:
    """None for a surplus, which is no part of an order."""
    return next(iter(found(session, Refund.public_id == refund)), None)


def lately(session: Session, station: str | None, before: str = "") -> Page[ShownRefund]:
    """Of a station (None: of all) in the last 30 days, and failures that wait for a person: these first, then the latest.

    Those that follow the refund `before`. Two statements."""
    listed = listed_lately(station)
    wanted: Columns = select(listed.c.id, listed.c.public_id)
    if before:
        last = listed_lately(station)
        waits, number = (
            select(column).where(last.c.public_id == before).scalar_subquery() for column in (last.c.waits, last.c.id)
        )
        wanted = wanted.where(or_(listed.c.waits < waits, and_(listed.c.waits == waits, listed.c.id < number)))
    rows = session.execute(wanted.order_by(listed.c.waits.desc(), listed.c.id.desc()).limit(PAGE + 1)).all()
    page = cut(rows, PAGE, attrgetter("public_id"))
    shown = {refund.public_id: refund for refund in found(session, Refund.id.in_([row.id for row in page.rows]))}
    return Page([shown[row.public_id] for row in page.rows], page.next)


def listed_lately(station: str | None) -> Subquery:
    """By refund, whether it waits for a person."""
    waits = func.max(case((waits_for_a_person(), 1), else_=0)).label("waits")
    wanted: Columns = select(Refund.id, Refund.public_id, waits)
    wanted = wanted.join(RefundLine, RefundLine.refund_public_id == Refund.public_id)
    wanted = wanted.where(or_(Refund.created_at >= clock.now() - LATELY, waits_for_a_person()))
    if station is not None:
        wanted = wanted.join(OrderLine, OrderLine.id == RefundLine.order_line_id)
        wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).where(Parcel.station_code == station)
    return wanted.group_by(Refund.id, Refund.public_id).subquery()


def count_failed(session: Session, station: str) -> int:
    """How many refunds of this station failed and wait for a person."""
    failed = select(func.count(RefundLine.refund_public_id.distinct())).select_from(RefundLine)
    failed = failed.join(Refund, Refund.public_id == RefundLine.refund_public_id)
    failed = failed.join(OrderLine, OrderLine.id == RefundLine.order_line_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    return int(session.scalar(failed.where(Parcel.station_code == station, waits_for_a_person())) or 0)


def waits_for_a_person() -> ColumnElement[bool]:
    """It failed, and of the same line nothing was refunded since that was known; after half a year it is nobody's errand any
    more."""
    failed = select(func.max(EventRow.at)).where(EventRow.subject == literal("refund:") + Refund.public_id)
    failed = failed.where(EventRow.to_state == RefundState.FAILED.value).correlate(Refund)
    known = func.coalesce(failed.scalar_subquery(), Refund.created_at)
    later_line, later = aliased(RefundLine), aliased(Refund)
    again = select(later.id).join(later_line, later_line.refund_public_id == later.public_id)
    again = again.where(
        later_line.order_line_id == RefundLine.order_line_id, later.id > Refund.id, later.created_at >= known
    )
    again = again.where(later.state != RefundState.FAILED).correlate(RefundLine, Refund)
    return (Refund.state == RefundState.FAILED) & (Refund.created_at >= clock.now() - WAITS) & ~again.exists()


def found(session: Session, which: ColumnElement[bool]) -> list[ShownRefund]:
    wanted = (
        select(Refund.public_id, Refund.state, Refund.reason, Refund.reason_key, Refund.created_at, Refund.fen)
        .add_columns(RefundLine.quantity, RefundLine.goods_fen, waits_for_a_person().label("waits"))
        .add_columns((RefundLine.shipping_fen - RefundLine.shipping_discount_fen).label("shipping_fen"))
        .add_columns(*named.NAMES, Order.number.label("order"))
        .add_columns(Parcel.public_id.label("parcel"), Parcel.number, Parcel.station_code)
        .join(RefundLine, RefundLine.refund_public_id == Refund.public_id)
        .join(OrderLine, OrderLine.id == RefundLine.order_line_id)
        .outerjoin(Substitute, named.SENT_INSTEAD)
        .join(Parcel, Parcel.id == OrderLine.parcel_id)
        .join(Order, Order.id == Parcel.order_id)
        .where(which)
        .order_by(Refund.id.desc(), OrderLine.id)
    )
    return gathered(session.execute(wanted).all())


def gathered(rows: Sequence[Any]) -> list[ShownRefund]:
    """One of each refund's rows, oldest first."""
    refunds: dict[str, ShownRefund] = {}
    for row in rows:
        known = refunds.get(row.public_id) or ShownRefund(
            public_id=row.public_id,
            order=row.order,
            parcel=row.parcel,
            parcel_number=row.number,
            station=row.station_code,
            state=row.state,
            fen=row.fen,
            shipping_fen=0,
            reason=row.reason,
            is_by_a_person=row.reason_key.startswith(BY_A_PERSON),
            waits=False,
            at=row.created_at,
            units=(),
        )
        units = UnitsBack(row.title_zh, row.title_en, row.unit_zh, row.unit_en, row.quantity)
        refunds[row.public_id] = replace(
            known,
            waits=known.waits or bool(row.waits),
            shipping_fen=known.shipping_fen + row.shipping_fen,
            units=(*known.units, units) if row.quantity or row.goods_fen else known.units,
        )
    return list(reversed(refunds.values()))
