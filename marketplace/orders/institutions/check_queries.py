"""Checks of goods as their institution, the station and the province see them, with the pictures of what was claimed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.records import record
from marketplace.orders import remaining
from marketplace.orders.institutions.models import (
    AccountOrder,
    GoodsCheck,
    GoodsCheckLine,
    GoodsCheckPicture,
    Institution,
)
from marketplace.orders.institutions.states import CheckState
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.remaining import LineLeft

LONGEST: Final = 100


@record
class Reach:
    """How far somebody may look: the parcels of one station, what one institution ordered, one parcel, one check."""

    station: str | None = None
    institution: int | None = None
    parcel: str | None = None
    check: str | None = None


@dataclass(frozen=True)
class ShownClaim:
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    rejected: int
    grams: int | None
    reason: str


@dataclass(frozen=True)
class ShownCheck:
    public_id: str
    state: CheckState
    words: str
    answer: str
    checked_at: datetime
    order: str
    parcel: str
    number: int
    institution: str
    ended_at: datetime | None
    appealed_at: datetime | None
    appeal_words: str
    appeal_answer: str
    appeal_is_granted: bool | None
    claims: tuple[ShownClaim, ...] = ()
    pictures: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.order}-{self.number}"

    @property
    def is_with_the_province(self) -> bool:
        return self.appealed_at is not None and self.appeal_is_granted is None


def claims(session: Session, reach: Reach) -> list[ShownCheck]:
    """What was not accepted, as far as somebody may look; what waits for an answer first. Three statements."""
    return checks(session, reach, GoodsCheck.state != CheckState.ACCEPTED)


def checks(session: Session, reach: Reach, *only: ColumnElement[bool]) -> list[ShownCheck]:
    wanted: Columns = select(GoodsCheck.id, GoodsCheck.public_id, GoodsCheck.state, GoodsCheck.words, GoodsCheck.answer)
    wanted = wanted.add_columns(GoodsCheck.checked_at, Order.number.label("order"), Parcel.public_id.label("parcel"))
    wanted = wanted.add_columns(Parcel.number, Institution.name.label("institution"))
    wanted = wanted.add_columns(GoodsCheck.ended_at, GoodsCheck.appealed_at, GoodsCheck.appeal_words)
    wanted = wanted.add_columns(GoodsCheck.appeal_answer, GoodsCheck.appeal_is_granted)
    wanted = wanted.join(Parcel, Parcel.id == GoodsCheck.parcel_id).join(Order, Order.id == Parcel.order_id)
    wanted = wanted.join(AccountOrder, AccountOrder.order_id == Order.id)
    wanted = wanted.join(Institution, Institution.id == AccountOrder.institution_id)
    wanted = within(wanted, reach).where(*only)
    waits = GoodsCheck.state == CheckState.CLAIMED
    rows = session.execute(wanted.order_by(waits.desc(), GoodsCheck.id.desc()).limit(LONGEST)).all()
    found = [row.id for row in rows]
    claimed, shown = claims_of(session, found), pictures_of(session, found)
    return [
        replace(ShownCheck(*row[1:]), claims=tuple(claimed.get(row.id, ())), pictures=tuple(shown.get(row.id, ())))
        for row in rows
    ]


def claims_of(session: Session, checked: Sequence[int]) -> dict[int, list[ShownClaim]]:
    wanted: Columns = select(GoodsCheckLine.check_id, OrderLine.title_zh, OrderLine.title_en)
    wanted = wanted.add_columns(OrderLine.unit_zh, OrderLine.unit_en, GoodsCheckLine.rejected_quantity)
    wanted = wanted.add_columns(GoodsCheckLine.grams, GoodsCheckLine.reason)
    wanted = wanted.join(OrderLine, OrderLine.id == GoodsCheckLine.order_line_id)
    found: dict[int, list[ShownClaim]] = {}
    for row in session.execute(wanted.where(GoodsCheckLine.check_id.in_(checked)).order_by(OrderLine.id)):
        found.setdefault(row.check_id, []).append(ShownClaim(*row[1:]))
    return found


def pictures_of(session: Session, checked: Sequence[int]) -> dict[int, list[str]]:
    """Public ids, in the order in which they were sent."""
    wanted = select(GoodsCheckPicture.check_id, GoodsCheckPicture.public_id).order_by(GoodsCheckPicture.position)
    found: dict[int, list[str]] = {}
    for row in session.execute(wanted.where(GoodsCheckPicture.check_id.in_(checked))):
        found.setdefault(row.check_id, []).append(row.public_id)
    return found


def within(wanted: Any, reach: Reach) -> Any:
    """A statement about checks with their parcels and accounts, only as far as somebody may look."""
    if reach.station is not None:
        wanted = wanted.where(Parcel.station_code == reach.station)
    if reach.institution is not None:
        wanted = wanted.where(AccountOrder.institution_id == reach.institution)
    if reach.parcel is not None:
        wanted = wanted.where(Parcel.public_id == reach.parcel)
    if reach.check is not None:
        wanted = wanted.where(GoodsCheck.public_id == reach.check)
    return wanted


def claim(session: Session, reach: Reach) -> ShownCheck:
    """The one that is reached. Raises NotFound, alike for others'."""
    found = claims(session, reach)
    if not found:
        raise NotFound(str(reach.check))
    return found[0]


def of_parcel(session: Session, reach: Reach) -> ShownCheck | None:
    """What an institution said of the parcel that is reached, once it has."""
    return next(iter(checks(session, reach)), None)


def picture(session: Session, picture: str, reach: Reach) -> GoodsCheckPicture:
    """One statement. Raises NotFound, alike for others'."""
    wanted = select(GoodsCheckPicture).join(GoodsCheck, GoodsCheck.id == GoodsCheckPicture.check_id)
    wanted = wanted.join(Parcel, Parcel.id == GoodsCheck.parcel_id)
    wanted = wanted.join(AccountOrder, AccountOrder.order_id == Parcel.order_id)
    found: GoodsCheckPicture | None = session.scalar(within(wanted, reach).where(GoodsCheckPicture.public_id == picture))
    if found is None:
        raise NotFound(picture)
    return found


def is_with_the_province() -> tuple[ColumnElement[bool], ...]:
    """SQL: its answer is waited for. By the state first, which has an index: most checks are accepted."""
    return (
        GoodsCheck.state == CheckState.REJECTED,
        GoodsCheck.appealed_at.is_not(None),
        GoodsCheck.appeal_answered_at.is_(None),
    )


def asked_of_the_province(session: Session) -> list[tuple[str, ShownCheck]]:
    """What institutions ask the province about, with the institution's name in addresses; the first asked first."""
    found = sorted(checks(session, Reach(), *is_with_the_province()), key=lambda each: str(each.appealed_at))
    wanted = select(Order.number, Institution.public_id).join(AccountOrder, AccountOrder.order_id == Order.id)
    wanted = wanted.join(Institution, Institution.id == AccountOrder.institution_id)
    named = session.execute(wanted.where(Order.number.in_([each.order for each in found])))
    whose = {row.number: row.public_id for row in named}
    return [(whose[each.order], each) for each in found]


def count_waiting(session: Session, station: str) -> int:
    """Claims that the station has not answered."""
    waiting = select(func.count()).select_from(GoodsCheck).join(Parcel, Parcel.id == GoodsCheck.parcel_id)
    return int(session.scalar(waiting.where(Parcel.station_code == station, GoodsCheck.state == CheckState.CLAIMED)) or 0)


def lines_to_check(session: Session, institution: int, parcel: str) -> tuple[Parcel, list[LineLeft]]:
    """A parcel that this institution ordered, and its lines. Raises NotFound."""
    wanted = select(Parcel).join(AccountOrder, AccountOrder.order_id == Parcel.order_id)
    row = session.scalar(wanted.where(Parcel.public_id == parcel, AccountOrder.institution_id == institution))
    if row is None:
        raise NotFound(parcel)
    return row, remaining.of(session, row)
