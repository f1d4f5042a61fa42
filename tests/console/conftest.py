"""Orders and parcels as they stand in the tables, at chosen moments; the clock stands at noon of a Sunday in Shanxi."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from marketplace.core.encryption import fingerprint
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import OrderState, ParcelState
from tests import factories

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)
JIXIAN, QINXIAN = "141028", "140430"
PHONE = "13835172045"
HOURS = timedelta(hours=1)
NUMBERS = count(1)


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def province(app: Flask, session: Session, noon: time_machine.Traveller) -> Session:
    """Two stations, and nothing else."""
    factories.make_station(JIXIAN)
    factories.make_station(QINXIAN, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    factories.make_shipping()
    return session


def an_order(session: Session, placed_at: datetime, fen: int = 3980, *, phone: str = PHONE, **given: Any) -> Order:
    """Paid, unless something else is given."""
    whom = {"recipient": "郭晓芸", "phone": phone, "phone_fingerprint": fingerprint(phone, "order.phone")}
    where = {"province_code": "140000", "city": "太原", "street": "平阳路 128 号", "book": "test"}
    when = {"placed_at": placed_at, "paid_at": placed_at, "pay_by": placed_at}
    sums = {"goods_fen": fen, "shipping_fen": 0, "total_fen": fen, "state": OrderState.PAID}
    order = Order(**whom | where | when | sums | given)
    session.add(order)
    session.commit()
    return order


def a_parcel(session: Session, order: Order, station: str = JIXIAN, **given: Any) -> Parcel:
    facts = {"order_id": order.id, "number": next(NUMBERS), "station_code": station, "delivery": "courier"}
    sums = {"goods_fen": order.goods_fen, "service_fee_fen": 0, "shipping_fen": 0, "net_weight_grams": 2500}
    state = ParcelState.SHIPPED if given.get("dispatched_at") else ParcelState.AWAITING_ACCEPTANCE
    parcel = Parcel(**facts | sums | {"promised_by": NOON.date(), "state": state} | given)
    session.add(parcel)
    session.commit()
    return parcel


def sold(
    session: Session, placed_at: datetime, sent_after: timedelta | None, station: str = JIXIAN, fen: int = 3980
) -> Parcel:
    """An order of one parcel; None: nobody has sent it."""
    order = an_order(session, placed_at, fen)
    return a_parcel(session, order, station, dispatched_at=placed_at + sent_after if sent_after is not None else None)


def heard(session: Session, station: str, at: datetime) -> None:
    """Somebody of its desk pressed something."""
    told(session, station, at, actor=f"person:{factories.make_person('station_clerk', station=station).id}")


def told(session: Session, station: str, at: datetime, *, actor: str) -> None:
    """Of a parcel there."""
    moved = {"from_state": "accepted", "to_state": "collecting", "actor": actor, "why": ""}
    session.add(EventRow(subject="parcel:x", station=station, at=at, **moved))
    session.commit()
