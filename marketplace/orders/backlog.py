"""How long a station needs for what waits to be packed: what it promises follows what it can do."""

from collections.abc import Collection
from functools import cache
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from marketplace.core.db import Columns, rows
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import GOES_AHEAD, ParcelState as S
from marketplace.stations.models import Station

TO_PACK: Final = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING)


def delays(session: Session, stations: Collection[str]) -> dict[str, int]:
    """Whole days of work that wait at each of these stations; those without any are left out. One statement."""
    found = rows(session, waiting(), stations=sorted(stations)) if stations else ()
    days = {row.code: int(row.parcels) // int(row.daily_capacity) for row in found}
    return {station: number for station, number in days.items() if number}


@cache
def waiting() -> Columns:
    counted = select(Station.code, Station.daily_capacity, func.count(Parcel.id).label("parcels"))
    counted = counted.join(Parcel, Parcel.station_code == Station.code).join(Order, Order.id == Parcel.order_id)
    counted = counted.where(Parcel.state.in_(TO_PACK), Order.state.in_(GOES_AHEAD))
    counted = counted.where(Station.code.in_(bindparam("stations", expanding=True)))
    return counted.group_by(Station.code, Station.daily_capacity)
