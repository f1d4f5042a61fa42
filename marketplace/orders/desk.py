"""What a station's desk shows: its queues, its parcels, the one step each can take next."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session

from marketplace.core.forms import tidy
from marketplace.core.records import record
from marketplace.orders.groups.models import GroupMember
from marketplace.orders.models import Order, Parcel, Province
from marketplace.orders.queries import ShownLine, lines_by_parcel
from marketplace.orders.quoting import PICKUP
from marketplace.orders.receiving import offered
from marketplace.orders.states import GOES_AHEAD, ParcelState as S


@record
class Queue:
    code: str
    icon: str
    word: LazyString
    note: LazyString
    states: tuple[S, ...]


QUEUES: Final = (
    Queue("acceptance", "alert", _l("New orders"), _l("Check and accept them"), (S.AWAITING_ACCEPTANCE,)),
    Queue("collection", "box", _l("Collect"), _l("Ask the growers to bring it in"), (S.ACCEPTED,)),
    Queue("packing", "receipt", _l("Pack"), _l("Brought in, ready to pack"), (S.COLLECTING,)),
    Queue("dispatch", "truck", _l("Dispatch"), _l("Packed, for the courier or the shelf"), (S.PACKED,)),
    Queue("pickup", "hand", _l("Hand over"), _l("On the shelf"), (S.READY_FOR_PICKUP, S.UNCOLLECTED)),
    Queue("underway", "pin", _l("On the way"), _l("Until delivery"), (S.SHIPPED,)),
)
NO_DAY: Final = frozenset({S.READY_FOR_PICKUP, S.UNCOLLECTED})
"""When these are fetched is up to their buyers."""
BY_CODE: Final = {queue.code: queue for queue in QUEUES}
LONGEST: Final = 100
ALL: Final = 10_000  # of what is printed nothing may be missing; more than any station holds
WORDS: Final[dict[S, LazyString]] = {
    S.AWAITING_GROUP: _l("waiting for its group"),
    S.AWAITING_ACCEPTANCE: _l("waiting to be accepted"),
    S.ACCEPTED: _l("waiting for the growers"),
    S.COLLECTING: _l("waiting to be packed"),
    S.PACKED: _l("packed, waiting to leave"),
    S.SHIPPED: _l("with the courier"),
    S.READY_FOR_PICKUP: _l("on the shelf, waiting for pickup"),
    S.DELIVERED: _l("delivered, the buyer has 7 days"),
    S.PICKED_UP: _l("collected, the buyer has 7 days"),
    S.UNCOLLECTED: _l("not collected"),
    S.LOST: _l("lost in transit"),
    S.REFUSED: _l("not sent, refunded"),
    S.CANCELLED: _l("cancelled"),
    S.RETURNED_TO_SELLER: _l("returned to the grower"),
    S.SETTLED: _l("settled"),
}
"""The states in a station's own words; the buyer's are in `telling`."""

NEXT: Final = {
    S.AWAITING_ACCEPTANCE: "acceptance",
    S.ACCEPTED: "collection",
    S.COLLECTING: "packing",
    S.SHIPPED: "delivery",
    S.READY_FOR_PICKUP: "pickup",
    S.UNCOLLECTED: "second-shelving",
}
STEP_WORDS: Final[dict[str, LazyString]] = {
    "acceptance": _l("Accept"),
    "collection": _l("Ask the growers to bring it in"),
    "packing": _l("Packed, on this shelf"),
    "dispatch": _l("With the courier"),
    "shelving": _l("Put on the pickup shelf"),
    "pickup": _l("Hand it over"),
    "delivery": _l("The courier says it has arrived"),
    "second-shelving": _l("Keep it longer"),
}
ERRANDS: Final[dict[str, LazyString]] = {
    "acceptance": _l("Check and accept"),
    "collection": _l("Call the growers"),
    "packing": _l("Pack it and shelve it"),
    "dispatch": _l("Hand it to the courier"),
    "shelving": _l("Move it to the pickup shelf"),
    "pickup": _l("Hand it over for the pickup code"),
    "delivery": _l("Ask the courier if it has arrived"),
    "second-shelving": _l("Call the buyer or keep it longer"),
}
"""What leads to a parcel says what is to be done there; the button on the parcel's own page says that it is done."""


def next_step(state: S, delivery: str) -> str | None:
    """The one step a parcel can take next; None where there is none, or where somebody else takes it."""
    if state is S.PACKED:
        return "shelving" if delivery == PICKUP else "dispatch"
    return NEXT.get(state)


@record
class Work:
    """A parcel as a row of a queue."""

    public_id: str
    label: str
    state: S
    delivery: str
    shelf: str
    due: date
    """On the way: when it is to arrive; before: when it is to leave."""
    province_zh: str
    province_en: str
    city: str
    lines: tuple[ShownLine, ...]
    is_of_group: bool = False

    @property
    def is_pickup(self) -> bool:
        return self.delivery == PICKUP

    @property
    def errand(self) -> LazyString | None:
        """What is to be done with it next."""
        step = next_step(self.state, self.delivery)
        return ERRANDS[step] if step else None

    @property
    def has_day(self) -> bool:
        return self.state not in NO_DAY

    def is_late(self, today: date) -> bool:
        return self.due <= today

    def by_shelf(self) -> tuple[bool, list[tuple[bool, int, str]], str]:
        """A-2 before A-11; what is on no shelf yet comes last."""
        parts = [part for part in re.split(r"(\d+)", self.shelf) if part]
        return (
            not self.shelf,
            [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts],
            self.label,
        )


@record
class Count:
    """How many wait in a queue, how many of them should be done already, and how many by tonight."""

    waiting: int = 0
    late: int = 0
    today: int = 0


NOTHING: Final = (0, 0, 0)


def due() -> ColumnElement[date]:
    """The day by which a station is to be done with a parcel: on the way it is to arrive, before that to leave."""
    return case((Parcel.state == S.SHIPPED, Parcel.promised_by), else_=Parcel.leave_by)


def counts(session: Session, station: str, today: date) -> dict[str, Count]:
    """What waits in each queue: one statement."""
    waiting = (
        select(Parcel.state, func.count())
        .add_columns(func.count(case((due() < today, 1))), func.count(case((due() == today, 1))))
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.station_code == station, Order.state.in_(GOES_AHEAD))
        .group_by(Parcel.state)
    )
    found = {state: (number, *((0, 0) if state in NO_DAY else days)) for state, number, *days in session.execute(waiting)}
    return {
        queue.code: Count(*map(sum, zip(*(found.get(state, NOTHING) for state in queue.states), strict=True)))
        for queue in QUEUES
    }


def work(session: Session, station: str, states: Sequence[S], limit: int = LONGEST) -> list[Work]:
    """Parcels of paid orders in these states, the most urgent first: three statements."""
    wanted = (
        select(Parcel.id, Parcel.public_id, Parcel.number, Parcel.state, Parcel.delivery, Parcel.shelf, due().label("due"))
        .add_columns(Order.number.label("order_number"), Order.city, Province.name_zh, Province.name_en)
        .add_columns(exists().where(GroupMember.order_id == Order.id).label("is_of_group"))
        .join(Order, Order.id == Parcel.order_id)
        .join(Province, Province.code == Order.province_code)
        .where(Parcel.station_code == station, Parcel.state.in_(states), Order.state.in_(GOES_AHEAD))
        .order_by(due(), Parcel.id)
    )
    rows = session.execute(wanted.limit(limit)).all()
    parcels = [row.id for row in rows]
    lines, instead = lines_by_parcel(session, parcels), offered.packed_instead(session, parcels)
    return [
        Work(
            row.public_id,
            f"{row.order_number}-{row.number}",
            row.state,
            row.delivery,
            row.shelf,
            row.due,
            row.name_zh,
            row.name_en,
            row.city,
            (*lines.get(row.id, ()), *instead.get(row.id, ())),
            row.is_of_group,
        )
        for row in rows
    ]


def find_by_label(session: Session, station: str | None, typed: str) -> str | None:
    """The parcel whose label (SX-7F3KQ2MD-1) or whose order number was typed or scanned at this station; None: at any."""
    text = str(tidy(typed)).replace(" ", "").upper().rsplit("/", 1)[-1]
    wanted = select(Parcel.public_id).join(Order, Order.id == Parcel.order_id)
    if station is not None:
        wanted = wanted.where(Parcel.station_code == station, Parcel.state != S.AWAITING_GROUP)
    number, _dash, position = text.rpartition("-")
    if position.isascii() and position.isdigit() and len(position) < 4:
        found = session.scalar(wanted.where(Order.number == number, Parcel.number == int(position)))
        if found:
            return found
    return session.scalar(wanted.where((Order.number == text) | (Parcel.public_id == text.lower())).limit(1))
