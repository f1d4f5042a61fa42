"""What the pages of imports show; a fixed number of statements each."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from listings.sheets import cells, goods, proposing, wording
from listings.sheets.columns import KEYS
from listings.sheets.models import ListingImport, ListingImportRow
from listings.sheets.parsing import Categories
from listings.sheets.states import Outcome, Verdict
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, cut
from marketplace.core.records import record

PAGE: Final = 50
PLACES: Final = {key: place for place, key in enumerate(KEYS)}
SHOWN: Final = 20  # imports on the list
COLUMNS: Final = (
    *(ListingImportRow.number, ListingImportRow.cells, ListingImportRow.verdict, ListingImportRow.target),
    *(ListingImportRow.was, ListingImportRow.entry, ListingImportRow.problems, ListingImportRow.outcome),
)


@record
class Change:
    """One column of one row: its heading, before and after. `is_proposed`: buyers see it once the station has agreed."""

    heading: str
    before: str
    after: str
    is_proposed: bool = False


@record
class ShownRow:
    number: int
    name: str  # what the goods are called in the sheet, else their number or code
    verdict: str
    outcome: str
    code: str  # of the goods, once they are there
    changes: Sequence[Change]
    problems: Sequence[tuple[str, str, str]]  # heading, reason, remedy


@record
class Tally:
    """How many rows."""

    new: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    applied: int = 0
    undone: int = 0
    kept: int = 0

    @property
    def total(self) -> int:
        return self.new + self.changed + self.same + self.refused

    @property
    def good(self) -> int:
        return self.new + self.changed


def of_seller(session: Session, person_id: int) -> Sequence[Row[Any]]:
    columns: tuple[Any, ...] = (
        ListingImport.public_id,
        ListingImport.state,
        ListingImport.file_name,
        ListingImport.created_at,
    )
    mine = select(*columns).where(ListingImport.seller_id == person_id)
    return session.execute(mine.order_by(ListingImport.id.desc()).limit(SHOWN)).all()


def find(session: Session, name: str, person_id: int) -> ListingImport:
    """One's own, for a page. Raises NotFound."""
    mine = select(ListingImport).where(ListingImport.public_id == name, ListingImport.seller_id == person_id)
    found = session.scalar(mine)
    if found is None:
        raise NotFound(name)
    return found


def tally(session: Session, import_id: int) -> Tally:
    row = ListingImportRow
    verdicts = {each.value: func.sum(case((row.verdict == each.value, 1), else_=0)) for each in Verdict}
    outcomes = {each.value: func.sum(case((row.outcome == each.value, 1), else_=0)) for each in Outcome if each}
    columns = [sum_.label(name) for name, sum_ in (verdicts | outcomes).items()]
    found = session.execute(select(*columns).where(row.import_id == import_id)).mappings().one()
    return Tally(**{name: int(number or 0) for name, number in found.items()})


def page(session: Session, import_id: int, *, verdict: str = "", outcome: str = "", after: int = 0) -> Page[ShownRow]:
    """Rows in the sheet's own order; of one verdict or outcome where that is asked for."""
    wanted = select(*COLUMNS).where(ListingImportRow.import_id == import_id, ListingImportRow.number > after)
    if verdict:
        wanted = wanted.where(ListingImportRow.verdict == verdict)
    if outcome:
        wanted = wanted.where(ListingImportRow.outcome == outcome)
    found = session.execute(wanted.order_by(ListingImportRow.number).limit(PAGE + 1)).all()
    categories = goods.categories(session)
    return cut([shown(row, categories) for row in found], PAGE, lambda row: str(row.number))


def shown(row: Row[Any], categories: Categories) -> ShownRow:
    name = row.cells.get("title") or row.cells.get("number") or row.cells.get("code") or ""
    changes = changes_of(row, categories) if row.verdict in (Verdict.NEW, Verdict.CHANGED) else []
    problems = [(wording.heading(each["column"]), *wording.told(each)) for each in row.problems]
    return ShownRow(row.number, name, row.verdict, row.outcome, row.target, changes, problems)


def changes_of(row: Row[Any], categories: Categories) -> list[Change]:
    """What is new, or before and after; a new price tier counts under the heading of its number."""
    said = []
    for key, value in sorted(row.entry.items(), key=lambda item: PLACES.get(item[0], PLACES["tier_from"])):
        before = "" if key == "pictures" else cells.text_of(key, row.was.get(key), categories)
        after = cells.text_of(key, value, categories)
        if before != after:
            is_proposed = key in proposing.split(row.entry, row.was)[1]
            said.append(Change(wording.heading("tier_from" if key == "tiers" else key), before, after, is_proposed))
    return said


def refused_rows(session: Session, import_id: int) -> Sequence[Row[Any]]:
    """For the file of errors."""
    columns = select(ListingImportRow.number, ListingImportRow.cells, ListingImportRow.problems)
    mine = columns.where(ListingImportRow.import_id == import_id, ListingImportRow.verdict == Verdict.REFUSED.value)
    return session.execute(mine.order_by(ListingImportRow.number)).all()
