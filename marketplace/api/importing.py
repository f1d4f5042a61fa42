"""A seller's program sends a sheet, reads what it would change, and says that it may be done, be dropped, be undone."""

from collections.abc import Callable
from typing import Any, Final

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from listings.sheets import archives, queries, receiving, storing, wording
from listings.sheets.models import ListingImport
from listings.sheets.queries import ShownRow
from listings.sheets.states import AT_WORK, ImportState, Outcome
from listings.views.sheets import MOST_AT_ONCE, keep_pictures
from marketplace.api.doors import Unfit, created, known_answer, once
from marketplace.api.import_schemas import (
    CellChange,
    CellTrouble,
    ImportAnswer,
    ImportedRow,
    ImportQuery,
    ImportReport,
    NewImport,
    NewImportWithFiles,
    RowCounts,
    SheetTrouble,
)
from marketplace.api.parts import digests_of, read_parts
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.forms import tidy

FILES: Final = ("sheet", "pictures")


def read() -> tuple[NewImportWithFiles, list[FileStorage]]:
    """What was sent; its files by what they contain. Raises NotAForm, SheetTooLarge, Unfit."""
    asked = read_parts(NewImport, files=FILES, most_bytes=MOST_AT_ONCE, too_much=storing.SheetTooLarge())
    sheet, pictures = request.files.get("sheet"), request.files.get("pictures")
    if not sheet or not sheet.filename:
        raise Unfit(("#/sheet", _("Send it as a file, with a name.")))
    sent = [sheet, *([pictures] if pictures and pictures.filename else [])]
    digests: dict[str, Any] = dict(zip(FILES, digests_of(sent), strict=False))
    return NewImportWithFiles(**asked.model_dump(), **digests), sent


def receive_once(asked: NewImportWithFiles, sent: list[FileStorage], *, person_id: int) -> Response:
    """Keep the files and have the worker read them; what came before under its key keeps nothing twice.

    Raises SheetTooLarge, ZipTooLarge, Unfit for what is no ZIP, NoStation, TooManyOpen, KeyWithOtherRequest."""
    known = known_answer(db.session(), body=asked)
    if known is not None:
        return created(known, is_repeated=True)
    kept: list[str] = []
    try:
        kept.append(storing.keep_sheet(sent[0].stream))
        kept.append(kept_pictures(sent[1] if len(sent) > 1 else None))
        named = {"sheet": kept[0], "pictures": kept[1], "file_name": str(tidy(sent[0].filename)), "submits": asked.submit}
        made = once(receive, body=asked, person_id=person_id, **named)
    except Exception:
        storing.drop(*kept)  # nobody knows of them
        raise
    if "Idempotent-Replayed" in made.headers:
        storing.drop(*kept)
    return made


def kept_pictures(sent: FileStorage | None) -> str:
    try:
        return keep_pictures(sent)
    except archives.BadArchive as wrong:
        raise Unfit(("#/pictures", " ".join(wording.told({"code": wrong.code, "values": {}})))) from None


def receive(session: Session, *, person_id: int, **given: Any) -> ImportAnswer:
    """Raises NoStation, TooManyOpen."""
    name = receiving.receive(session, person_id=person_id, **given)
    return show(session, name=name, person_id=person_id)


def take_step(session: Session, *, command: Callable[..., None], name: str, person_id: int, **given: Any) -> ImportAnswer:
    """Raises what the command refuses."""
    command(session, name=name, person_id=person_id, **given)
    session.flush()
    session.expire_all()
    return show(session, name=name, person_id=person_id)


def drop_files(name: str, person_id: int) -> None:
    """After the transaction that dropped the sheet: nobody reads them any more."""
    row = queries.find(db.session(), name, person_id)
    if row.state is ImportState.DROPPED:
        storing.drop(row.sheet, row.pictures)


def show(session: Session, *, name: str, person_id: int) -> ImportAnswer:
    """Two statements. Raises NotFound for another's."""
    row = queries.find(session, name, person_id)
    return ImportAnswer(**standing(session, row))


def report(session: Session, *, name: str, person_id: int, asked: ImportQuery) -> ImportReport:
    """Four statements. Raises NotFound for another's."""
    row = queries.find(session, name, person_id)
    if row.state in AT_WORK:
        return ImportReport(**standing(session, row), rows=[], next_after=None)
    chosen = {"outcome" if asked.show == Outcome.KEPT else "verdict": asked.show}
    page = queries.page(session, row.id, after=asked.after, **chosen)
    rows = [row_of(each) for each in page.rows]
    return ImportReport(**standing(session, row), rows=rows, next_after=int(page.next) if page.next else None)


def standing(session: Session, row: ListingImport) -> dict[str, Any]:
    tally = queries.tally(session, row.id)
    until = receiving.undone_until(row.applied_at) if row.applied_at and row.state is ImportState.APPLIED else None
    problem = dict(zip(("reason", "remedy"), wording.told(row.problem), strict=True)) if row.problem else None
    return {
        **{name: getattr(row, name) for name in ("file_name", "total", "done")},
        "id": row.public_id,
        "state": row.state.value,
        "again": row.notes.get("again", 0),
        "counts": RowCounts(**{name: getattr(tally, name) for name in RowCounts.model_fields}),
        "problem": SheetTrouble(**problem) if problem else None,
        "undo_until": until if until and clock.now() < until else None,
        "url": f"/seller/imports/{row.public_id}",
    }


def row_of(shown: ShownRow) -> ImportedRow:
    told = ("column", "reason", "remedy")
    return ImportedRow(
        **{name: getattr(shown, name) for name in ("number", "name", "verdict", "outcome")},
        sku=shown.code,
        changes=[CellChange(column=each.heading, before=each.before, after=each.after) for each in shown.changes],
        problems=[CellTrouble(**dict(zip(told, each, strict=True))) for each in shown.problems],
    )
