"""What the counts of a listing say. An average of one or two voices says nothing about goods, so there is none."""

from typing import Any, Final, Self

from flask_babel import ngettext

from marketplace.core.formats import rounded
from marketplace.core.records import record

LEAST: Final = 3  # reviews; of fewer there is neither an average nor a distribution
MOST_STARS: Final = 5


@record
class Figures:
    """Reviews shown by their stars, from one to five; reviews hidden; questions answered."""

    by_stars: tuple[int, ...]
    hidden: int
    questions: int

    @classmethod
    def of(cls, row: Any) -> Self:
        """From the columns of FeedbackCount in a row; they are empty where nobody has said anything yet."""
        stars = (getattr(row, f"stars_{number}") or 0 for number in range(1, MOST_STARS + 1))
        return cls(tuple(stars), row.hidden or 0, row.questions or 0)

    @property
    def total(self) -> int:
        return sum(self.by_stars)

    @property
    def has_reviews(self) -> bool:
        """Some to be seen, or to be read that they are hidden."""
        return bool(self.total or self.hidden)

    @property
    def average(self) -> str:
        """ "4.3"; empty where too few have reviewed to say one."""
        if self.total < LEAST:
            return ""
        tenths = rounded(10 * sum(stars * count for stars, count in enumerate(self.by_stars, start=1)), self.total)
        return f"{tenths // 10}.{tenths % 10}"

    @property
    def words(self) -> str:
        return str(ngettext("%(num)s person has reviewed this", "%(num)s people have reviewed this", self.total))

    @property
    def shares(self) -> list[tuple[int, int, int]]:
        """(stars, reviews, thousandths of all), the most stars first; empty where there is no average."""
        if not self.average:
            return []
        counted = list(enumerate(self.by_stars, start=1))
        return [(stars, count, rounded(1000 * count, self.total)) for stars, count in reversed(counted)]
