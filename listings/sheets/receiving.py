"""A sheet comes in, and what its seller says to it: that it may be done, be dropped, be undone."""

from datetime import datetime, timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings.drafting import NoStation
from listings.sheets.models import ListingImport, ListingImportRow
from listings.sheets.states import OPEN, ImportState as I, Verdict
from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import leave_trace, transition
from marketplace.stations.models import Seller

MOST_OPEN: Final = 5
UNDONE_WITHIN: Final = timedelta(hours=24)
LONGEST_NAME: Final = 100


class TooManyOpen(Refusal):
    message = _l("Five sheets are open already. Apply or drop one of them first.")


class SomeRefused(Refusal):
    status = 422
    message = _l(
        "Some rows have mistakes, so nothing was done. Mend them and send the sheet again, or take only the good rows."
    )


class NothingToDo(Refusal):
    message = _l("There is nothing to do: everything is already as the sheet says.")


class TooLateToUndo(Refusal):
    message = _l("A sheet can be undone for 24 hours. That time is over.")


def receive(
    session: Session, *, person_id: int, file_name: str, sheet: str, pictures: str = "", submits: bool = False
) -> str:
    """A new import of these kept files (storing.py), for the worker to read; its id. Raises NoStation, TooManyOpen."""
    seller = session.get(Seller, person_id)
    if seller is None:
        raise NoStation
    mine = select(func.count()).where(ListingImport.seller_id == person_id, ListingImport.state.in_(OPEN))
    if (session.scalar(mine) or 0) >= MOST_OPEN:
        raise TooManyOpen
    row = ListingImport(seller_id=person_id, station_code=seller.station_code, file_name=file_name[-LONGEST_NAME:])
    row.sheet, row.pictures, row.submits = sheet, pictures, submits
    session.add(row)
    session.flush()
    leave_trace(session, row, None, I.WAITING, actor=f"person:{person_id}", why="sent", station=row.station_code)
    return row.public_id


def get_own(session: Session, name: str, person_id: int) -> ListingImport:
    """One's own, locked. Raises NotFound for another's."""
    mine = select(ListingImport).where(ListingImport.public_id == name, ListingImport.seller_id == person_id)
    found = session.scalar(mine.with_for_update())
    if found is None:
        raise NotFound(name)
    return found


def confirm(session: Session, *, name: str, person_id: int, only_good: bool = False, again: int = 0) -> None:
    """Do what the difference shows: every row, or nothing where one is refused, unless only the good ones are wanted.

    `again` is how often it had been compared again on the page that the seller looked at: nobody confirms another one.
    Raises NotFound, SomeRefused, NothingToDo, StaleState."""
    row = get_own(session, name, person_id)
    if row.notes.get("again", 0) != again:
        raise StaleState(name)
    counted = counts(session, row.id)
    if counted.get(Verdict.REFUSED) and not only_good:
        raise SomeRefused(name)
    if not counted.get(Verdict.NEW) and not counted.get(Verdict.CHANGED):
        raise NothingToDo(name)
    move(session, row, I.APPLYING, I.READY, "confirmed", only_good=only_good)


def drop(session: Session, *, name: str, person_id: int) -> None:
    """It will not be done. Raises NotFound, IllegalTransition, StaleState."""
    row = get_own(session, name, person_id)
    move(session, row, I.DROPPED, row.state, "dropped")


def undo(session: Session, *, name: str, person_id: int) -> None:
    """Put back what it changed, where nobody has changed it since. Raises NotFound, TooLateToUndo, StaleState."""
    row = get_own(session, name, person_id)
    if row.applied_at is None or clock.now() >= undone_until(row.applied_at):
        raise TooLateToUndo(name)
    move(session, row, I.UNDOING, I.APPLIED, "to be undone")


def undone_until(applied_at: datetime) -> datetime:
    return applied_at + UNDONE_WITHIN


def move(session: Session, row: ListingImport, to: I, expected: I, why: str, **also: Any) -> None:
    """By the seller's own word; the worker has it at once."""
    also |= {"next_at": clock.now(), "tries": 0, "done": 0, "notes": {**row.notes, "failed": False}}
    actor = f"person:{row.seller_id}"
    transition(session, row, to, expected=expected, actor=actor, why=why, station=row.station_code, **also)


def counts(session: Session, import_id: int) -> dict[str, int]:
    """How many rows have which verdict."""
    grouped = select(ListingImportRow.verdict, func.count()).where(ListingImportRow.import_id == import_id)
    return {str(verdict): int(number) for verdict, number in session.execute(grouped.group_by(ListingImportRow.verdict))}
