"""The two halves of a school year in Shanxi, and what a term of a place costs. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

MONTHS: Final = 6  # a term is half a year of monthly gifts
PROOF_WITHIN: Final = timedelta(days=45)  # of its first day; and of its opening, where that is later


@dataclass(frozen=True, order=True)
class Term:
    """`starts_on` names it: schools begin on the first of September and on the first of March."""

    starts_on: date

    @property
    def is_autumn(self) -> bool:
        return self.starts_on.month == 9

    @property
    def ends_on(self) -> date:
        return date(self.starts_on.year + 1, 1, 31) if self.is_autumn else date(self.starts_on.year, 7, 15)

    @property
    def following(self) -> "Term":
        return Term(date(self.starts_on.year + 1, 3, 1) if self.is_autumn else date(self.starts_on.year, 9, 1))

    def proof_due_on(self, opened_on: date) -> date:
        return max(self.starts_on, opened_on) + PROOF_WITHIN


def running(day: date) -> Term:
    """The term that runs on this day; in the holidays the one that is over."""
    if day.month >= 9:
        return Term(date(day.year, 9, 1))
    return Term(date(day.year, 3, 1) if day.month >= 3 else date(day.year - 1, 9, 1))


def to_open(day: date) -> tuple[Term, Term]:
    """Which terms may be opened: the one that runs, and the next."""
    now = running(day)
    return now, now.following


def cost_fen(month_fen: int) -> int:
    return month_fen * MONTHS
