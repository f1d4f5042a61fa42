"""The days on which a monthly gift falls due: the day of the first one, in Shanxi, every month. Pure."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import Final

from marketplace.core import clock

HOUR: Final = timedelta(hours=9)  # nobody is charged, and no letter comes, before nine in the morning


def anniversary(first: date, months: int) -> date:
    """So many months after the first day; what began on the 29th to 31st falls on the last day of a shorter month."""
    year, month = divmod(first.month - 1 + months, 12)
    year, month = first.year + year, month + 1
    return date(year, month, min(first.day, monthrange(year, month)[1]))


def end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def latest(first: date, day: date) -> date:
    """The last due day up to `day`: one that was missed is asked for once, not every month that was missed before it.

    Raises ValueError for a day before the first."""
    months = (day.year - first.year) * 12 + day.month - first.month
    found = anniversary(first, months)
    found = found if found <= day else anniversary(first, months - 1)
    if found < first:
        raise ValueError(f"{day} is before {first}")
    return found


def after(first: date, day: date) -> date:
    """The first due day later than `day`, and never the first day itself."""
    if day < first:
        return anniversary(first, 1)
    months = (day.year - first.year) * 12 + day.month - first.month
    found = anniversary(first, months)
    return found if found > day else anniversary(first, months + 1)


def day_of(moment: datetime) -> date:
    """The day whose gifts are due by then."""
    return clock.local(moment - HOUR).date()


def moment_of(day: date) -> datetime:
    """When what is due on this day may be charged."""
    return clock.start_of(day) + HOUR
