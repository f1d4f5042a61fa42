"""What came in on a day, for the station's page. Two statements."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.records import slim_record
from marketplace.orders.models import OrderLine
from marketplace.orders.receiving.models import Allotment, Arrival, ArrivalLine


@slim_record
class CamePack:
    title_zh: str
    title_en: str
    unit_zh: str
    unit_en: str
    expected: int
    came: int
    damaged: int

    @property
    def good(self) -> int:
        return self.came - self.damaged

    @property
    def over(self) -> int:
        return max(0, self.good - self.expected)


@slim_record
class Came:
    seller: str
    seller_name: str
    at: datetime
    packs: tuple[CamePack, ...]


def on(session: Session, station: str, day: date) -> list[Came]:
    """Latest first."""
    start, end = clock.start_of(day), clock.start_of(day + timedelta(days=1))
    arrivals = select(Arrival.id, Arrival.seller_public_id, Arrival.at)
    arrivals = arrivals.where(Arrival.station_code == station, Arrival.at >= start, Arrival.at < end)
    rows = session.execute(arrivals.order_by(Arrival.id.desc())).all()
    lines, names = packs_of(session, [row.id for row in rows])
    return [Came(row.seller_public_id, names.get(row.id, ""), row.at, tuple(lines[row.id])) for row in rows]


def packs_of(session: Session, arrivals: list[int]) -> tuple[dict[int, list[CamePack]], dict[int, str]]:
    """The packs of each arrival, and whose they were."""
    one = select(func.min(Allotment.order_line_id)).where(Allotment.arrival_line_id == ArrivalLine.id)
    frozen = (OrderLine.title_zh, OrderLine.title_en, OrderLine.unit_zh, OrderLine.unit_en)
    wanted: Columns = select(ArrivalLine.arrival_id, OrderLine.seller_name, *frozen)
    wanted = wanted.add_columns(ArrivalLine.expected, ArrivalLine.came, ArrivalLine.damaged)
    wanted = wanted.join(OrderLine, OrderLine.id == one.correlate(ArrivalLine).scalar_subquery())
    found: dict[int, list[CamePack]] = defaultdict(list)
    names = {}
    for arrival, name, *figures in session.execute(
        wanted.where(ArrivalLine.arrival_id.in_(arrivals)).order_by(ArrivalLine.id)
    ):
        found[arrival].append(CamePack(*figures))
        names[arrival] = name
    return found, names
