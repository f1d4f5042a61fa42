"""The manager closes the day: once, from where the last one ended until now.

Who closes late at night closes the day that they have worked: until MORNING it is the day before."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.db import insert_or_ignore
from marketplace.core.errors import NotFound, Refusal
from marketplace.orders.closing import drawer, figures
from marketplace.orders.closing.figures import Figures, Period
from marketplace.orders.closing.models import StationDay

MORNING: Final = timedelta(hours=4)


class AlreadyClosed(Refusal):
    message = _l("This day is closed already. What happens from now on belongs to the next one.")


def close(session: Session, *, station: str, book: str, actor: str, counted_fen: int | None = None, why: str = "") -> date:
    """Freeze what happened since the last closing, with what was counted in the drawer; returns the day.

    Raises AlreadyClosed, drawer.NotCounted, drawer.NoReason."""
    period = open_period(session, station, book)
    day = day_of(period.until)
    found = figures.of(session, period)
    key = {"station_code": station, "book": book, "day": day, "since": period.since, "until": period.until}
    told = {"closed_by": actor, "closed_at": period.until}
    if period.since >= period.until or not insert_or_ignore(session, StationDay, {**key, **asdict(found), **told}):
        raise AlreadyClosed(f"{station} {day}")
    counted: dict[str, Any] = {"counted_fen": counted_fen, "why": why, "until": period.until}
    drawer.reconcile(session, station=station, book=book, day=day, **counted)
    audit.record(session, actor=actor, action="station.day_closed", subject=f"station:{station}", why=day.isoformat())
    return day


def open_period(session: Session, station: str, book: str) -> Period:
    """From the last closing until now; before the first one, from the beginning of the day."""
    mine = select(StationDay.until).where(StationDay.station_code == station, StationDay.book == book)
    last = session.scalar(mine.order_by(StationDay.until.desc()).limit(1))
    now = clock.now()
    return Period(station, book, last or clock.start_of(day_of(now)), now)


def day_of(moment: datetime) -> date:
    """The day that is closed at this moment."""
    return (clock.local(moment) - MORNING).date()


def is_closed(session: Session, station: str, book: str) -> bool:
    """The day that would be closed now is."""
    return session.get(StationDay, (station, book, day_of(clock.now()))) is not None


def closed(session: Session, station: str, book: str, limit: int = 31) -> Sequence[StationDay]:
    """Latest first."""
    mine = select(StationDay).where(StationDay.station_code == station, StationDay.book == book)
    return session.scalars(mine.order_by(StationDay.day.desc()).limit(limit)).all()


def get(session: Session, station: str, book: str, day: str) -> StationDay:
    """Raises NotFound."""
    try:
        found = session.get(StationDay, (station, book, date.fromisoformat(day)))
    except ValueError:
        found = None
    if found is None:
        raise NotFound(day)
    return found


def frozen(row: StationDay) -> Figures:
    return Figures(**{field.name: getattr(row, field.name) for field in fields(Figures)})


def booked_late(session: Session, row: StationDay) -> dict[str, tuple[int, int]]:
    """Figures that events and ledger tell otherwise now: (frozen, now)."""
    return frozen(row).differences(figures.of(session, Period(row.station_code, row.book, row.since, row.until)))
