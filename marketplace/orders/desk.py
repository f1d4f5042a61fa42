"""What a station's desk shows: its queues, its parcels, the one step each can take next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.orders.models import Order, Parcel, Province
from marketplace.orders.queries import ShownLine, lines_by_parcel
from marketplace.orders.quoting import PICKUP
from marketplace.orders.states import OrderState, ParcelState as S


@dataclass(frozen=True)
class Queue:
    code: str
    icon: str
    word: LazyString
    note: LazyString
    states: tuple[S, ...]


QUEUES: Final = (
    Queue("acceptance", "alert", _l("New orders"), _l("Look and take them on"), (S.AWAITING_ACCEPTANCE,)),
    Queue("collection", "box", _l("Collect"), _l("Ask the growers to bring it"), (S.ACCEPTED,)),
    Queue("packing", "receipt", _l("Pack"), _l("Brought in, to be packed"), (S.COLLECTING,)),
    Queue("dispatch", "truck", _l("Send off"), _l("Packed, for courier or shelf"), (S.PACKED,)),
    Queue("pickup", "hand", _l("Hand over"), _l("Waiting on the shelf"), (S.READY_FOR_PICKUP, S.UNCOLLECTED)),
    Queue("underway", "pin", _l("On the road"), _l("Until the buyer has it"), (S.SHIPPED,)),
)
BY_CODE: Final = {queue.code: queue for queue in QUEUES}
LONGEST: Final = 100


@dataclass(frozen=True)
class Work:
    """A parcel as a row of a queue."""

    public_id: str
    label: str
    state: S
    delivery: str
    shelf: str
    promised_by: date
    destination: str
    lines: tuple[ShownLine, ...]

    def is_late(self, today: date) -> bool:
        return self.promised_by <= today


def counts(session: Session, station: str) -> dict[str, int]:
    """How many parcels wait in each queue: one statement."""
    waiting = (
        select(Parcel.state, func.count())
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.station_code == station, Order.state == OrderState.PAID)
        .group_by(Parcel.state)
    )
    by_state: dict[Any, int] = {state: number for state, number in session.execute(waiting)}  # noqa: C416
    return {queue.code: sum(by_state.get(state, 0) for state in queue.states) for queue in QUEUES}


def work(session: Session, station: str, states: Sequence[S], limit: int = LONGEST) -> list[Work]:
    """Parcels of paid orders in these states, the most urgent first: two statements."""
    wanted = (
        select(Parcel.id, Parcel.public_id, Parcel.number, Parcel.state, Parcel.delivery, Parcel.shelf, Parcel.promised_by)
        .add_columns(Order.number.label("order_number"), Order.city, Province.name_zh.label("province"))
        .join(Order, Order.id == Parcel.order_id)
        .join(Province, Province.code == Order.province_code)
        .where(Parcel.station_code == station, Parcel.state.in_(states), Order.state == OrderState.PAID)
        .order_by(Parcel.promised_by, Parcel.id)
    )
    rows = session.execute(wanted.limit(limit)).all()
    lines = lines_by_parcel(session, [row.id for row in rows])
    return [
        Work(
            row.public_id,
            f"{row.order_number}-{row.number}",
            row.state,
            row.delivery,
            row.shelf,
            row.promised_by,
            "" if row.delivery == PICKUP else f"{row.province} {row.city}",
            lines.get(row.id, ()),
        )
        for row in rows
    ]


def find_by_label(session: Session, station: str, typed: str) -> str | None:
    """The parcel whose label (SX-7F3KQ2MD-1) or whose order number was typed or scanned at this station."""
    text = typed.replace("\0", "").strip().upper().rsplit("/", 1)[-1]
    wanted = select(Parcel.public_id).join(Order, Order.id == Parcel.order_id).where(Parcel.station_code == station)
    number, _dash, position = text.rpartition("-")
    if position.isascii() and position.isdigit() and len(position) < 4:
        found = session.scalar(wanted.where(Order.number == number, Parcel.number == int(position)))
        if found:
            return found
    return session.scalar(wanted.where((Order.number == text) | (Parcel.public_id == text.lower())).limit(1))
