"""Of which days the figures of the console are. Pure but for the clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from marketplace.core import clock
from marketplace.core.records import record

TODAY: Final = "today"
DAYS: Final[dict[str, tuple[LazyString, int, int]]] = {  # words, the first day so many days ago, and how many of them
    TODAY: (_l("Today"), 0, 1),
    "yesterday": (_l("Yesterday"), 1, 1),
    "week": (_l("7 days"), 6, 7),
    "month": (_l("30 days"), 29, 30),
}
EARLIER: Final[dict[str, Callable[..., LazyString]]] = {
    TODAY: lambda number: _l("yesterday at this time %(number)s", number=number),
    "yesterday": lambda number: _l("the day before %(number)s", number=number),
    "week": lambda number: _l("the 7 days before %(number)s", number=number),
    "month": lambda number: _l("the 30 days before %(number)s", number=number),
}


@record
class Period:
    """From `since` to before `until`; of a day that is not over, until now."""

    code: str
    since: datetime
    until: datetime
    days: int

    @property
    def words(self) -> LazyString:
        return DAYS[self.code][0]

    @property
    def earlier(self) -> tuple[datetime, datetime]:
        """As long, just before it: what it is compared with."""
        back = timedelta(days=self.days)
        return self.since - back, self.until - back

    def compared(self, number: str) -> LazyString:
        return EARLIER[self.code](number)


def chosen(code: str) -> Period:
    """Today for whatever is no period."""
    code = code if code in DAYS else TODAY
    _words, ago, days = DAYS[code]
    first = clock.today() - timedelta(days=ago)
    return Period(code, clock.start_of(first), min(clock.now(), clock.start_of(first + timedelta(days=days))), days)
