"""How each of the stations stands: seven statements for all of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import String, and_, case, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from marketplace.accounts.models import Grant, Person
from marketplace.core import clock
from marketplace.core.formats import language
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Order, Parcel
from marketplace.orders.offline.models import DeskClient
from marketplace.site.console import figures, trade
from marketplace.site.console.periods import Period
from marketplace.stations.badges import StationBadge, badge
from marketplace.stations.models import County, Station

DAYS: Final = 12
SILENT_AFTER: Final = timedelta(hours=24)  # nobody works at night


@record
class StationRow:
    """`daily`: parcels sent on each of the last days, the last one is today. `late`: not sent after 48 hours."""

    badge: StationBadge
    prefecture_code: str
    prefecture: str
    phone: str
    orders: int
    sent: int  # in the period
    shelved: int
    unsent: int
    late: int
    due: int
    in_time: int
    daily: tuple[int, ...]
    is_waited_for: bool  # something to send has waited for a day
    heard_at: datetime | None

    @property
    def share(self) -> str:
        return figures.percent(self.in_time, self.due)

    @property
    def is_short(self) -> bool:
        return self.in_time * 100 < figures.GOAL * self.due

    @property
    def is_silent(self) -> bool:
        """Something has waited for a day, and so long nobody has pressed anything."""
        return self.is_waited_for and (self.heard_at is None or self.heard_at < clock.now() - SILENT_AFTER)

    @property
    def is_at_work(self) -> bool:
        return self.sent > 0


def stations(session: Session, period: Period, book: str) -> list[StationRow]:
    """The worst first: whoever sent the least within 24 hours of what was due; then those with nothing due."""
    due, now, days = counted_due(session, period, book), counted_now(session, book), daily(session, book)
    orders = by_station(session, trade.ordered(period, book), func.count(Parcel.id))
    sent = by_station(session, trade.sent(period, book), func.count(Parcel.id))
    late = by_station(session, trade.late(period, book), func.count(Parcel.id))
    words, found = language(), []
    for row in session.execute(everywhere()):
        code = row.station
        shelved, unsent, waited = now.get(code, (0, 0, 0))
        total, in_time = due.get(code, (0, 0))
        found.append(
            StationRow(
                badge=badge(row, words),
                prefecture_code=row.prefecture_code,
                prefecture=getattr(row, f"prefecture_{words}"),
                phone=row.phone,
                orders=first(orders, code),
                sent=first(sent, code),
                shelved=shelved,
                unsent=unsent,
                late=first(late, code),
                due=total,
                in_time=in_time,
                daily=days.get(code, (0,) * DAYS),
                is_waited_for=waited > 0,
                heard_at=latest(row.acted_at, row.seen_at),
            )
        )
    return sorted(found, key=worst_first)


def worst_first(row: StationRow) -> tuple[Any, ...]:
    share = row.in_time / row.due if row.due else 1.0
    return (not row.due, share, -row.late, -row.due, -row.orders, row.badge.code)


def first(found: dict[str, tuple[int, ...]], station: str) -> int:
    return found.get(station, (0,))[0]


def latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def everywhere() -> Any:
    """Every station, with when its desk pressed something last, and when a phone of its desk sent something."""
    theirs = select(EventRow.at).where(EventRow.station == Station.code, EventRow.actor.in_(of_desks()))
    acted = theirs.order_by(EventRow.at.desc()).limit(1).scalar_subquery()
    seen = select(func.max(DeskClient.seen_at)).where(DeskClient.station_code == Station.code).scalar_subquery()
    wanted: Any = select(Station.code.label("station"), Station.name_zh, Station.name_en, Station.phone)
    wanted = wanted.add_columns(County.is_deep_poverty, County.prefecture_code, County.prefecture_zh, County.prefecture_en)
    wanted = wanted.add_columns(acted.label("acted_at"), seen.label("seen_at"))
    return wanted.join(County, County.code == Station.code).order_by(Station.code)


def of_desks() -> Any:
    """Who works at a station, as events name them: a station's also tell what buyers, sellers and we ourselves did."""
    names = (cast(Person.id, String), Person.public_id)
    staff = Person.id.in_(select(Grant.person_id).where(Grant.scope_kind == "station"))
    return union_all(*(select(literal("person:") + name).where(staff) for name in names))


def by_station(session: Session, which: trade.Conditions, *columns: Any) -> dict[str, tuple[int, ...]]:
    wanted: Any = select(Parcel.station_code, *columns).join(Order, Order.id == Parcel.order_id)
    rows = session.execute(wanted.where(*which).group_by(Parcel.station_code))
    return {row[0]: tuple(int(number or 0) for number in row[1:]) for row in rows}


def counted_due(session: Session, period: Period, book: str) -> dict[str, tuple[int, ...]]:
    in_time = func.sum(case((trade.in_time(), 1), else_=0))
    return by_station(session, trade.due(period, book), func.count(Parcel.id), in_time)


def counted_now(session: Session, book: str) -> dict[str, tuple[int, ...]]:
    """On the shelf, not sent yet, and of these what has waited for a day."""
    shelved, unsent = Parcel.state.in_(trade.SHELVED), Parcel.state.in_(trade.UNSENT)
    waited = and_(unsent, *trade.waited_since(clock.now() - SILENT_AFTER))
    sums = [func.sum(case((which, 1), else_=0)) for which in (shelved, unsent, waited)]
    states = tuple(dict.fromkeys((*trade.SHELVED, *trade.UNSENT)))
    return by_station(session, trade.waiting_in(states, book), *sums)


def daily(session: Session, book: str) -> dict[str, tuple[int, ...]]:
    """Parcels sent on each of the last days, the oldest first."""
    edges = [clock.start_of(clock.today() - timedelta(days=back)) for back in reversed(range(-1, DAYS))]
    spans = [(Parcel.dispatched_at >= edges[day], Parcel.dispatched_at < edges[day + 1]) for day in range(DAYS)]
    sums = [func.sum(case((begins & ends, 1), else_=0)) for begins, ends in spans]
    recent = (Parcel.dispatched_at >= edges[0], Parcel.dispatched_at < edges[-1], Order.book == book)
    return by_station(session, recent, *sums)


def by_prefecture(rows: Sequence[StationRow]) -> list[tuple[str, list[StationRow]]]:
    """The same stations as a list: by prefecture, each in the order of its codes."""
    found: dict[str, list[StationRow]] = {}
    for row in sorted(rows, key=lambda each: (each.prefecture_code, each.badge.code)):
        found.setdefault(row.prefecture, []).append(row)
    return list(found.items())
