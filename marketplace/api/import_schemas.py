"""What programs of sellers send and are answered about sheets of goods, as types."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from listings.sheets.states import Outcome, Verdict
from marketplace.api.case_schemas import File
from marketplace.api.schemas import Face
from marketplace.api.writing_schemas import Body

IMPORT: Final = "^[0-9a-f]{16}$"
KINDS: Final = "|".join(each.value for each in (*Verdict, Outcome.KEPT))


class NewImport(Body):
    """What becomes of goods that are new: drafts, or straight to the station."""

    submit: bool = False


class NewImportWithFiles(NewImport):
    """An XLSX or CSV of at most 10 MB, as docs/sheets.md says; `pictures` is a ZIP of those that its rows name."""

    sheet: File
    pictures: File | None = None


class ImportConfirmation(Body):
    """Every row, or those without a mistake. `again` is what GET said: nobody confirms a difference they have not seen."""

    again: Annotated[int, Field(ge=0, le=10**6)]
    only_good: bool = False


class ImportQuery(Face):
    model_config = ConfigDict(extra="ignore", defer_build=True)

    show: Annotated[str, Field(pattern=f"^({KINDS})?$", description="one kind of rows; all where it is empty")] = ""
    after: Annotated[int, Field(ge=0, le=10**6, description="the row after which the page begins")] = 0


class SheetTrouble(Face):
    reason: str
    remedy: str


class CellTrouble(SheetTrouble):
    """A mistake, by the heading of its column in the language that was asked for."""

    column: str


class CellChange(Face):
    """As people write it; `before` is empty for what is new."""

    column: str
    before: str
    after: str


class ImportedRow(Face):
    """`number` is the sheet's own; `sku` names the pack that it changes, or the code that new goods get."""

    number: int
    name: str
    verdict: str
    outcome: str
    sku: str
    changes: list[CellChange]
    problems: list[CellTrouble]


class RowCounts(Face):
    """How many rows would do what; then, what was done of them, undone, or could not be undone."""

    new: int
    changed: int
    same: int
    refused: int
    applied: int
    undone: int
    kept: int


class ImportAnswer(Face):
    """How far a sheet is: waiting, comparing, ready (the difference waits for a word), applying, applied, undoing, undone,
    dropped, unreadable. `done` of `total` rows and pictures were looked at."""

    id: str
    state: str
    file_name: str
    total: int
    done: int
    again: int
    counts: RowCounts
    problem: SheetTrouble | None
    undo_until: datetime | None
    url: str


class ImportReport(ImportAnswer):
    """With a page of its rows, once they are compared; `next_after` asks for the next."""

    rows: list[ImportedRow]
    next_after: int | None
