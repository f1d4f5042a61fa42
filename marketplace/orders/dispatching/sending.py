"""Parcels leave by the row: what each would do is said first; a table sent twice changes nothing the second time."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.errors import Refusal
from marketplace.core.records import slim_record
from marketplace.orders import desk, disputed, fulfilment
from marketplace.orders.dispatching.reading import Row
from marketplace.orders.models import Order, Parcel
from marketplace.orders.quoting import PICKUP
from marketplace.orders.states import GOES_AHEAD, ParcelState as S
from marketplace.payments.disputes import standing

UNKNOWN: Final = _l("This station has no parcel with this code.")
OTHER_NUMBER: Final = _l("It has left already, with another number.")
NOT_PACKED: Final = _l("It is not packed yet, or it has gone another way.")


class Outcome(StrEnum):
    LEAVES = "leaves"
    LEFT = "left"  # before, with this very number
    WRONG = "wrong"


@slim_record
class Checked:
    """A row and what it does; `why` where it does nothing. `parcel`: its public id, empty where it is unknown."""

    row: Row
    outcome: Outcome
    parcel: str = ""
    order_id: int = 0
    why: LazyString | None = None
    state: LazyString | None = None


def check(session: Session, station: str, rows: Sequence[Row]) -> list[Checked]:
    """What each row would do now: two statements."""
    numbers = {row.label.rpartition("-")[0] for row in rows if not row.wrong}
    wanted = select(Parcel, Order.number, Order.state.label("order_state")).join(Order, Order.id == Parcel.order_id)
    found = session.execute(wanted.where(Parcel.station_code == station, Order.number.in_(numbers)))
    known = {f"{row.number}-{row.Parcel.number}": row for row in found}
    in_dispute = disputed.stopped(session)
    checked: list[Checked] = []
    for row in rows:
        its = known.get(row.label)
        if row.wrong or its is None:
            checked.append(Checked(row, Outcome.WRONG, why=row.wrong or UNKNOWN))
        else:
            is_open = its.order_state in GOES_AHEAD and its.number not in in_dispute
            checked.append(check_parcel(row, its.Parcel, is_open=is_open))
    return once_each(checked)


def check_parcel(row: Row, parcel: Parcel, *, is_open: bool) -> Checked:
    outcome, why = judged(row, parcel, is_open=is_open)
    return Checked(row, outcome, parcel.public_id, parcel.order_id, why, desk.WORDS[parcel.state])


def judged(row: Row, parcel: Parcel, *, is_open: bool) -> tuple[Outcome, LazyString | None]:
    if parcel.tracking_number:
        same = (parcel.carrier, parcel.tracking_number) == (row.carrier, row.number)
        return (Outcome.LEFT, None) if same else (Outcome.WRONG, OTHER_NUMBER)
    if parcel.delivery == PICKUP:
        return Outcome.WRONG, fulfilment.OtherDelivery.message
    if parcel.state is not S.PACKED:
        return Outcome.WRONG, NOT_PACKED
    return (Outcome.LEAVES, None) if is_open else (Outcome.WRONG, standing.PaymentIsDisputed.message)


def once_each(checked: Sequence[Checked]) -> list[Checked]:
    """A row that is repeated does nothing more."""
    seen: set[str] = set()
    found = []
    for each in checked:
        is_again = each.outcome is Outcome.LEAVES and each.parcel in seen
        found.append(Checked(each.row, Outcome.LEFT, each.parcel, each.order_id, None, each.state) if is_again else each)
        seen.add(each.parcel)
    return found


def send(session: Session, *, station: str, rows: Sequence[Row], actor: str) -> int:
    """Let everything leave that can, in the order of the orders' rows, which are locked; how many did.

    What became impossible meanwhile stays: the page says so when it is looked at again."""
    left = 0
    leaving = [each for each in check(session, station, rows) if each.outcome is Outcome.LEAVES]
    for each in sorted(leaving, key=lambda checked: checked.order_id):
        carried = {"carrier": each.row.carrier, "tracking_number": each.row.number}
        try:
            with session.begin_nested():
                fulfilment.ship(session, parcel=each.parcel, station=station, actor=actor, **carried)
        except Refusal:
            continue
        left += 1
    return left
