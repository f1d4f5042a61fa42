"""Whether somebody wants one receipt a year. It can be changed at any time; years that have their receipt keep it."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.yearly.models import YearlyChoice
from marketplace.core import audit, clock
from marketplace.core.errors import Refusal


class NoSuchYear(Refusal):
    status = 422


def choices() -> tuple[int, int]:
    """The years from which on it can be chosen: this one, and the last, whose papers are wanted now."""
    year = clock.today().year
    return year, year - 1


def chosen_since(session: Session, person_id: int) -> int | None:
    """The first year with one receipt; None for one receipt a gift."""
    since = session.scalar(select(YearlyChoice.since).where(YearlyChoice.person_id == person_id))
    return clock.local(since).year if since else None


def choose(session: Session, *, person_id: int, year: int) -> None:
    """One receipt a year, from this year on. Raises NoSuchYear."""
    if year not in choices():
        raise NoSuchYear(str(year))
    row = session.get(YearlyChoice, person_id, with_for_update=True) or YearlyChoice(person_id=person_id)
    row.since = clock.start_of(date(year, 1, 1))
    session.add(row)
    note(session, person_id, f"yearly from {year}")


def choose_single(session: Session, *, person_id: int) -> None:
    """One receipt a gift again, for the years that are not closed yet."""
    row = session.get(YearlyChoice, person_id, with_for_update=True)
    if row is not None:
        session.delete(row)
        note(session, person_id, "one a gift")


def note(session: Session, person_id: int, why: str) -> None:
    person = f"person:{person_id}"
    audit.record(session, actor=person, action="receipt.kind_chosen", subject=person, why=why)
