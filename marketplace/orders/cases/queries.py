"""What pages of cases show: each function a fixed number of statements, only as far as its reader may look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case as when, func, or_, select
from sqlalchemy.orm import Session

from listings import measures
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, cut
from marketplace.core.transitions import EventRow
from marketplace.orders import kept
from marketplace.orders.cases import appealing, opening, spoiling
from marketplace.orders.cases.finding import Reach, within
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal, CasePicture
from marketplace.orders.cases.rules import Kind, kinds_open
from marketplace.orders.cases.states import OPEN_CASE, AppealState, CaseState, Party
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.receiving.states import SubstituteState
from marketplace.orders.states import ParcelState as S
from marketplace.payments.models import Refund
from marketplace.stations.models import Station

PAGE: Final = 50
WAITING: Final = (CaseState.REQUESTED, CaseState.GOODS_RETURNED)


@dataclass(frozen=True)
class CaseRow:
    """A case in a list."""

    public_id: str
    state: CaseState
    kind: Kind
    quantity: int
    opened_at: datetime
    decide_by: datetime
    order: str
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    appeal: AppealState | None
    is_refunded: bool
    parcel: str
    is_paid_by_bank: bool
    is_owed: bool = False  # the bank has that money back, and the province has not refunded it yet

    @property
    def is_open(self) -> bool:
        """Its parcel does not settle meanwhile."""
        return self.state in OPEN_CASE or self.is_with_the_province

    @property
    def is_with_the_province(self) -> bool:
        return self.appeal is AppealState.ASKED

    @property
    def waits_for_the_station(self) -> bool:
        return self.state in WAITING and not self.is_with_the_province


@dataclass(frozen=True)
class ShownCase:
    """All of one case."""

    row: AfterSalesCase
    line: OrderLine
    parcel: Parcel
    order: Order
    station: Station
    appeal: CaseAppeal | None
    refund: Refund | None
    pictures: tuple[CasePicture, ...]
    events: tuple[EventRow, ...]
    instead: tuple[Substitute, ...]  # what the buyer took for some of these goods
    by_bank: kept.ByBank | None  # None: no bank has paid

    @property
    def is_owed(self) -> bool:
        return self.by_bank is not None and self.by_bank.owed_fen > 0

    @property
    def is_granted(self) -> bool:
        """By the province: also of a replacement that came, and was bad again."""
        return self.appeal is not None and self.appeal.state is AppealState.GRANTED

    @property
    def state(self) -> CaseState:
        return self.row.state

    @property
    def is_refunded(self) -> bool:
        return self.refund is not None or self.row.is_paid_by_bank

    @property
    def is_with_the_province(self) -> bool:
        return self.appeal is not None and self.appeal.state is AppealState.ASKED


def show(session: Session, case: str, reach: Reach) -> ShownCase:
    """Four statements, three more where a bank has paid. Raises NotFound, alike for a case of others."""
    wanted = select(AfterSalesCase, OrderLine, Parcel, Order, Station, CaseAppeal, Refund)
    wanted = joined(wanted).outerjoin(Refund, Refund.public_id == AfterSalesCase.refund_public_id)
    wanted = wanted.join(Station, Station.code == Parcel.station_code)
    found: Any = session.execute(within(wanted, reach).where(AfterSalesCase.public_id == case)).first()
    if found is None:
        raise NotFound(case)
    row, line, parcel, order, station, appeal, refund = found
    wanted_pictures = select(CasePicture).where(CasePicture.case_id == row.id).order_by(CasePicture.position)
    subjects = [f"after_sales_case:{row.public_id}", *([f"case_appeal:{appeal.public_id}"] if appeal else [])]
    wanted_events = select(EventRow).where(EventRow.subject.in_(subjects)).order_by(EventRow.id)
    pictures, events = tuple(session.scalars(wanted_pictures)), tuple(session.scalars(wanted_events))
    instead = sent_instead(session, OrderLine.id == line.id).get(line.public_id, ())
    by_bank = kept.by_bank(session, order.number, case) if row.is_paid_by_bank else None
    return ShownCase(row, line, parcel, order, station, appeal, refund, pictures, events, instead, by_bank)


def joined(wanted: Any) -> Any:
    wanted = wanted.join(OrderLine, OrderLine.id == AfterSalesCase.order_line_id)
    wanted = wanted.join(Parcel, Parcel.id == AfterSalesCase.parcel_id).join(Order, Order.id == Parcel.order_id)
    return wanted.outerjoin(CaseAppeal, CaseAppeal.case_id == AfterSalesCase.id)


def picture(session: Session, case: str, picture: str, reach: Reach) -> CasePicture:
    """One statement. Raises NotFound."""
    wanted = joined(select(CasePicture).join(AfterSalesCase, AfterSalesCase.id == CasePicture.case_id))
    mine = within(wanted, reach).where(AfterSalesCase.public_id == case, CasePicture.public_id == picture)
    found: CasePicture | None = session.scalar(mine)
    if found is None:
        raise NotFound(picture)
    return found


def page(session: Session, reach: Reach, before: str = "", *, asked_only: bool = False) -> Page[CaseRow]:
    """What waits first, then the latest; after the case `before`. `asked_only`: of which the province was asked."""
    wanted = within(listed(), reach)
    waits = when((waiting(asked_only=asked_only), 1), else_=0)
    if asked_only:
        wanted = wanted.where(CaseAppeal.id.is_not(None))
    if before:
        last = joined(select(waits.label("waits"), AfterSalesCase.id)).where(AfterSalesCase.public_id == before).subquery()
        number, waited = select(last.c.id).scalar_subquery(), select(last.c.waits).scalar_subquery()
        wanted = wanted.where(or_(waits < waited, and_(waits == waited, AfterSalesCase.id < number)))
    rows = session.execute(wanted.order_by(waits.desc(), AfterSalesCase.id.desc()).limit(PAGE + 1))
    return cut(rows_of(session, rows), PAGE, attrgetter("public_id"))


def rows_of(session: Session, found: Iterable[Any]) -> list[CaseRow]:
    """One statement, where a bank has paid for some of them."""
    rows = [CaseRow(*row) for row in found]
    paid_by_bank = [row.public_id for row in rows if row.is_paid_by_bank]
    owed = kept.of_cases(session, paid_by_bank) if paid_by_bank else {}
    return [replace(row, is_owed=row.public_id in owed) for row in rows]


def listed() -> Columns:
    case = AfterSalesCase
    wanted: Columns = select(case.public_id, case.state, case.kind, case.quantity, case.opened_at, case.decide_by)
    wanted = wanted.add_columns(Order.number, OrderLine.title_zh, OrderLine.title_en, OrderLine.unit_zh, OrderLine.unit_en)
    found: Columns = joined(
        wanted.add_columns(CaseAppeal.state.label("appeal"), case.refund_public_id.is_not(None), Parcel.public_id)
    ).add_columns(case.is_paid_by_bank)
    return found


def waiting(*, asked_only: bool) -> ColumnElement[bool]:
    asked = func.coalesce(CaseAppeal.state, "") == AppealState.ASKED
    return asked if asked_only else and_(AfterSalesCase.state.in_(WAITING), ~asked)


def count_waiting(session: Session, station: str) -> int:
    """How many cases wait for this station. One statement."""
    wanted = joined(select(func.count(AfterSalesCase.id))).where(Parcel.station_code == station)
    return int(session.scalar(wanted.where(waiting(asked_only=False))) or 0)


def of_order(session: Session, number: str) -> Sequence[CaseRow]:
    """All cases of an order, the latest first. One statement, and one more where a bank has paid."""
    rows = session.execute(within(listed(), Reach(order=number)).order_by(AfterSalesCase.id.desc()))
    return rows_of(session, rows)


def of_exchange(session: Session, number: str) -> tuple[str, str, bool] | None:
    """For the order of a replacement: the first order's number, the case, whether its buyer may still ask the province."""
    wanted = joined(select(Order.number, AfterSalesCase)).where(AfterSalesCase.exchange_number == number)
    if (row := session.execute(wanted).first()) is None:
        return None
    return row[0], row[1].public_id, appealing.may_ask(session, row[1], Party.BUYER)


def replacement(session: Session, case: AfterSalesCase) -> str | None:
    """The parcel in which the same goods are sent once more."""
    wanted = select(Parcel.public_id).join(Order, Order.id == Parcel.order_id).where(Order.number == case.exchange_number)
    return session.scalar(wanted) if case.exchange_number else None


def replaced(session: Session, parcel: int) -> Sequence[Any]:
    """Packs of a parcel that a case replaced and did not pay for: by line, with the orders that brought others."""
    packs = AfterSalesCase.returned_quantity.label("packs")
    wanted = select(OrderLine.title_zh, OrderLine.title_en, AfterSalesCase.exchange_number, packs)
    wanted = wanted.join(AfterSalesCase, AfterSalesCase.order_line_id == OrderLine.id)
    wanted = wanted.where(AfterSalesCase.parcel_id == parcel, AfterSalesCase.state == CaseState.EXCHANGED)
    return session.execute(wanted.where(AfterSalesCase.refund_public_id.is_(None)).order_by(AfterSalesCase.id)).all()


def sent_instead(session: Session, which: ColumnElement[bool]) -> dict[str, tuple[Substitute, ...]]:
    """By line, what its buyer took for goods that could not be brought: a case about them is about this. One statement."""
    wanted = select(OrderLine.public_id, Substitute).join(Substitute, Substitute.order_line_id == OrderLine.id)
    wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).where(which, Substitute.state == SubstituteState.ACCEPTED)
    found: dict[str, tuple[Substitute, ...]] = {}
    for line, row in session.execute(wanted.order_by(Substitute.id)):
        found[line] = (*found.get(line, ()), row)
    return found


@dataclass(frozen=True)
class Askable:
    """A line about which a case may be opened now."""

    public_id: str
    parcel: str
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    drawing: str
    media_public_id: str | None
    station_code: str
    return_policy: str
    unit_price_fen: int
    units: int
    kinds: tuple[Kind, ...]
    measure: str  # weight or piece: in what a part of a pack may be paid for
    is_on_the_road: bool  # by our knowledge; whoever asks has it


def askable(session: Session, order: Order) -> list[Askable]:
    """The lines of an order, with what may be said of each; without those about which nothing can. Two statements."""
    if order.is_exchange or order.paid_at is None:
        return []
    arrived = or_(Parcel.state == S.SHIPPED, and_(Parcel.state.in_(opening.ARRIVED), Parcel.delivered_at.is_not(None)))
    wanted = select(OrderLine, Parcel, spoiling.HAS_SUBSTITUTE).join(Parcel, Parcel.id == OrderLine.parcel_id)
    rows = session.execute(wanted.where(Parcel.order_id == order.id, arrived).order_by(OrderLine.id)).all()
    left = opening.units_left(session, [line.id for line, _parcel, _is_other in rows]) if rows else {}
    found = [shown_line(line, parcel, left, is_other=is_other) for line, parcel, is_other in rows]
    return [each for each in found if each.units and each.kinds]


def shown_line(line: OrderLine, parcel: Parcel, left: Mapping[int, int], *, is_other: bool) -> Askable:
    kinds = kinds_open(line.return_policy, parcel.delivered_at or clock.now(), clock.now())
    same = ("public_id", "title_zh", "title_en", "unit_zh", "unit_en", "drawing", "media_public_id")
    return Askable(
        **{name: getattr(line, name) for name in (*same, "return_policy", "unit_price_fen")},
        parcel=parcel.public_id,
        station_code=parcel.station_code,
        units=left[line.id],
        kinds=tuple(kinds),
        measure=measures.Measure().kind if is_other else measures.read(line.unit_zh).kind,
        is_on_the_road=parcel.state is S.SHIPPED,
    )
