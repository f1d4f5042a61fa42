"""What happened to the parcels of the demonstration's orders, and when: the part that stations and buyers played."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.demo.people import person_id
from marketplace.orders import fulfilment, refunding, settlement
from marketplace.orders.models import Order, Parcel

CARRIER: Final = "演示快递"
REFUSAL: Final = "前夜霜重，这批不够好"
DAMAGE: Final = "路上压坏了一件，照片已看过"
APART: Final = timedelta(minutes=17)  # between two parcels of one order

Act = Callable[[Session, Parcel], None]
Course = list[tuple[datetime, Act]]


def course(outcome: str, days: int, placed_at: datetime, position: int) -> Course:
    """When what happened to one parcel of an order that ended so; `days` is how long it was on the road."""
    start, road = placed_at + APART * position, timedelta(days=days)
    sent: Course = [(start + timedelta(hours=5), prepare), (start + timedelta(hours=22), ship)]
    arrived: Course = [*sent, (start + timedelta(hours=26) + road, deliver)]
    shelved: Course = [(start + timedelta(hours=5), prepare), (start + timedelta(hours=20), make_ready)]
    fetched: Course = [(start + timedelta(hours=50), hand_over), (start + timedelta(hours=74), confirm)]
    courses: dict[str, Course] = {
        "settled": [*arrived, (start + timedelta(hours=46) + road, confirm)],
        "refunded_in_part": [
            *arrived,
            (start + timedelta(hours=31) + road, refund_some),
            (start + timedelta(hours=46) + road, confirm),
        ],
        "delivered": arrived,
        "refused": [(start + timedelta(hours=4), refuse)] if position == 1 else arrived,
        "shipped_before": sent,
        "ready_for_pickup": shelved,
        "picked_up": shelved + fetched,
        "shipped": [(today(30, position), prepare), (today(85, position), ship)],
        "packed": [(today(60, position), prepare)],
        "accepted": [(today(75, position), accept)],
        "awaiting": [],
    }
    return courses[outcome]


def today(part: int, position: int) -> datetime:
    """A moment of today: `part` of the hundred that it has lasted so far, a little more for later parcels."""
    began = clock.start_of(clock.today())
    return began + (clock.now() - began) * (part + position) / 100


def handle(session: Session, *, number: str, position: int, act: Act) -> None:
    """Let `act` happen to the parcel at this position of the order."""
    wanted = select(Parcel).join(Order, Order.id == Parcel.order_id)
    act(session, session.scalars(wanted.where(Order.number == number, Parcel.number == position)).one())


def clerk(parcel: Parcel) -> dict[str, Any]:
    who = person_id(f"clerk.{parcel.station_code}")
    return {"parcel": parcel.public_id, "station": parcel.station_code, "actor": f"person:{who}"}


def accept(session: Session, parcel: Parcel) -> None:
    fulfilment.accept(session, **clerk(parcel))


def prepare(session: Session, parcel: Parcel) -> None:
    """Taken on, brought together and packed, within an hour."""
    began = clock.now()
    fulfilment.accept(session, **clerk(parcel))
    with clock.at(began + timedelta(minutes=2)):
        fulfilment.collect(session, **clerk(parcel))
    with clock.at(began + timedelta(minutes=4)):
        fulfilment.pack(session, **clerk(parcel), shelf=f"{'ABCD'[parcel.id % 4]}-{parcel.id % 9 + 1:02}")


def ship(session: Session, parcel: Parcel) -> None:
    fulfilment.ship(session, **clerk(parcel), carrier=CARRIER, tracking_number=f"DEMO{parcel.id:08}")


def deliver(session: Session, parcel: Parcel) -> None:
    fulfilment.deliver(session, parcel=parcel.public_id, station=None, actor="carrier")


def make_ready(session: Session, parcel: Parcel) -> None:
    fulfilment.make_ready(session, **clerk(parcel))


def hand_over(session: Session, parcel: Parcel) -> None:
    fulfilment.hand_over(session, **clerk(parcel), code=parcel.pickup_code or "")


def refuse(session: Session, parcel: Parcel) -> None:
    fulfilment.refuse(session, **clerk(parcel), reason=REFUSAL)


def refund_some(session: Session, parcel: Parcel) -> None:
    """One unit of the first thing that was bought more than once."""
    damaged = next((line for line in parcel.lines if line.quantity > 1), None)
    if damaged:
        units = {damaged.public_id: 1}
        refunding.refund_units(session, **clerk(parcel), units=units, with_shipping=True, reason=DAMAGE)


def confirm(session: Session, parcel: Parcel) -> None:
    settlement.confirm(session, number=parcel.order.number, parcel=parcel.public_id, actor="buyer")
