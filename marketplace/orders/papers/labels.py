"""Labels of many parcels at once: a fixed number of statements, however many."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.records import slim_record
from marketplace.core.settings import settings
from marketplace.core.transitions import EventRow
from marketplace.orders import origins
from marketplace.orders.models import Order, Parcel, Province
from marketplace.orders.origins import Packing
from marketplace.orders.queries import ShownParcel, lines_by_parcel, steps_by_parcel
from marketplace.orders.receiving import offered
from marketplace.orders.states import GOES_AHEAD, ParcelState as S
from marketplace.stations.models import County, Station

MOST: Final = 100  # of one print
STATES: Final = (S.COLLECTING, S.PACKED)
QUIET_ZONE: Final = 4  # modules


@slim_record
class Label:
    parcel: ShownParcel
    order: Order
    province: Province
    packing: Packing | None
    batch: str

    @property
    def address(self) -> str:
        """Where its code leads."""
        return f"{settings().base_url.rstrip('/')}/parcels/{self.parcel.row.public_id}"


def parts(session: Session, station: str) -> list[tuple[int, int]]:
    """How many prints all labels take: the first and the last of each, counted from one. Empty where there are none."""
    number = session.scalar(select(func.count()).select_from(waiting(station, STATES).subquery())) or 0
    return [(first, min(first + MOST - 1, number)) for first in range(1, number + 1, MOST)]


def to_print(session: Session, station: str, states: Sequence[S] = STATES, first: int = 1) -> list[Label]:
    """Of the parcels that are being packed or are packed, the most urgent first: one print, from the `first` one on."""
    found = waiting(station, states).order_by(Parcel.leave_by, Parcel.id)
    return of(session, list(session.scalars(found.offset(first - 1).limit(MOST))))


def waiting(station: str, states: Sequence[S]) -> Select[Any]:
    found = select(Parcel.id).join(Order, Order.id == Parcel.order_id)
    return found.where(Parcel.station_code == station, Parcel.state.in_(states), Order.state.in_(GOES_AHEAD))


def of(session: Session, parcels: Sequence[int]) -> list[Label]:
    """In this order; by the parcels' rows."""
    wanted = (
        select(Parcel, Order, Province, Station, County.is_deep_poverty)
        .join(Order, Order.id == Parcel.order_id)
        .join(Province, Province.code == Order.province_code)
        .join(Station, Station.code == Parcel.station_code)
        .join(County, County.code == Station.code)
        .where(Parcel.id.in_(parcels))
    )
    rows = {row.Parcel.id: row for row in session.execute(wanted)}
    names = [row.Parcel.public_id for row in rows.values()]
    lines, steps, packed = lines_by_parcel(session, parcels), steps_by_parcel(session, names), packings(session, names)
    instead = offered.packed_instead(session, parcels)
    found = []
    for row in (rows[parcel] for parcel in parcels):
        name = row.Parcel.public_id
        goods = (*lines.get(row.Parcel.id, ()), *instead.get(row.Parcel.id, ()))
        shown = ShownParcel(row.Parcel, row.Station, row.is_deep_poverty, goods, steps.get(name, {}))
        found.append(Label(shown, row.Order, row.Province, packed.get(name), origins.batch(shown)))
    return found


def cards(session: Session, station: str) -> list[tuple[str, str]]:
    """Labels and words of the presents that are being packed; those without words need no card. One statement."""
    found = select(Order.number, Parcel.number, Order.gift_message).join(Order, Order.id == Parcel.order_id)
    found = found.where(Parcel.station_code == station, Parcel.state.in_((S.ACCEPTED, *STATES)))
    found = found.where(Order.state.in_(GOES_AHEAD), Order.is_gift, Order.gift_message.is_not(None))
    rows = session.execute(found.order_by(Parcel.leave_by, Parcel.id))
    return [(f"{number}-{position}", words or "") for number, position, words in rows]


def packings(session: Session, parcels: Sequence[str]) -> dict[str, Packing]:
    """When each was packed, and the surname of whoever did it."""
    subjects = {f"parcel:{name}": name for name in parcels}
    step = select(EventRow.subject, EventRow.at, EventRow.actor).where(EventRow.subject.in_(subjects))
    rows = session.execute(step.where(EventRow.to_state == S.PACKED).order_by(EventRow.id)).all()
    people = {row.actor: int(number) for row in rows if (number := row.actor.partition(":")[2]).isdigit()}
    known = select(Person.id, Person.name).where(Person.id.in_(sorted(set(people.values()))))
    names = {row.id: row.name for row in session.execute(known)}
    return {subjects[row.subject]: Packing(row.at, (names.get(people.get(row.actor, 0)) or "")[:1]) for row in rows}
