"""/seller/imports: a template, a sheet sent, the difference looked at, then done, dropped or undone."""

import zipfile
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from listings.drafting import NoStation
from listings.forms import ImportForm
from listings.sheets import archives, exporting, goods, queries, receiving, storing, wording
from listings.sheets.models import ListingImport
from listings.sheets.states import AT_WORK, ImportState, Outcome, Verdict
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import clock, idempotency
from marketplace.core.csv_rows import row as csv_row
from marketplace.core.db import db, in_transaction
from marketplace.core.formats import language
from marketplace.core.forms import tidy
from marketplace.core.steps import take_step

bp = Blueprint("seller_imports", __name__, url_prefix="/seller/imports")
MOST_AT_ONCE: Final = storing.LARGEST_SHEET + storing.LARGEST_ZIP + 2**20
SECONDS: Final = 2  # between two looks of a page without script
KINDS: Final = {"csv": "text/csv; charset=utf-8", "xlsx": exporting.KIND_XLSX}


@bp.url_value_preprocessor
def allow_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before anything reads the form: here more may come at once than elsewhere (werkzeug keeps it on disk)."""
    if endpoint == "seller_imports.create_import":
        request.max_content_length = MOST_AT_ONCE


@bp.errorhandler(RequestEntityTooLarge)
@requires("listing.import")
def show_too_much(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    form = ImportForm()
    form.sheet.errors = [storing.SheetTooLarge.message]
    return list_page(form, 413)


@bp.get("")
@requires("listing.import")
def list_imports() -> ResponseReturnValue:
    return list_page(ImportForm())


def list_page(form: ImportForm, status: int = 200) -> ResponseReturnValue:
    found = queries.of_seller(db.session(), g.person.id)
    return render_template("seller/imports.html", form=form, found=found), status, {"Cache-Control": "no-store"}


@bp.post("")
@requires("listing.import")
def create_import() -> ResponseReturnValue:
    """Keep the files and have the worker read them. Sent again under the same key, it is one import."""
    hit("imports", g.person.public_id, limit=60, seconds=HOUR)
    form = ImportForm(request.form)
    sheet, pictures = request.files.get("sheet"), request.files.get("pictures")
    if not sheet or not sheet.filename:
        form.sheet.errors = [_("Choose the file with your goods.")]
        return list_page(form, 422)
    kept: list[str] = []
    try:
        kept.append(storing.keep_sheet(sheet.stream))
        kept.append(keep_pictures(pictures))
        name = in_transaction(
            idempotency.once, receiving.receive, idempotency=body_of(form, kept), **given(form, sheet, kept)
        )
    except (storing.SheetTooLarge, NoStation, receiving.TooManyOpen) as refusal:
        form.sheet.errors = [refusal.message]
        return dropped(kept, form, refusal.status)
    except storing.ZipTooLarge as refusal:
        form.pictures.errors = [refusal.message]
        return dropped(kept, form, refusal.status)
    except archives.BadArchive as wrong:
        form.pictures.errors = [" ".join(wording.told({"code": wrong.code, "values": {}}))]
        return dropped(kept, form, 422)
    except Exception:
        storing.drop(*kept)  # nobody knows of them
        raise
    if queries.find(db.session(), name, g.person.id).sheet != kept[0]:
        storing.drop(*kept)  # it came a second time
    return redirect(url_for(".show_import", name=name), 303)


def keep_pictures(sent: FileStorage | None) -> str:
    """The ZIP beside the sheet, its members looked at; "" where none came. Raises ZipTooLarge, BadArchive."""
    if not sent or not sent.filename:
        return ""
    archives.look_at_directory(sent.stream, archives.PICTURES)
    try:
        with zipfile.ZipFile(sent.stream) as archive:
            archives.check(archive, archives.PICTURES)
    except archives.BROKEN as error:
        raise archives.BadArchive("zip_broken") from error
    sent.stream.seek(0)
    return storing.keep_pictures(sent.stream)


def body_of(form: ImportForm, kept: list[str]) -> tuple[str, str, Any]:
    """(scope, key, what came): the same key with another file is refused."""
    scope, key, _body = form.idempotency(f"person:{g.person.id}:import")
    return scope, key, {"then": form.then.data, "files": [storing.digest_of(name) if name else "" for name in kept]}


def given(form: ImportForm, sheet: FileStorage, kept: list[str]) -> dict[str, Any]:
    files = {"sheet": kept[0], "pictures": kept[1], "file_name": str(tidy(sheet.filename))}
    return {"person_id": g.person.id, "submits": form.then.data == "submit", **files}


def dropped(kept: list[str], form: ImportForm, status: int) -> ResponseReturnValue:
    storing.drop(*kept)
    return list_page(form, status)


@bp.get("/<name>")
@requires("listing.import")
def show_import(name: str) -> ResponseReturnValue:
    """How far it is, then the difference; ?show= one kind of rows, ?after= those behind a row."""
    row = queries.find(db.session(), name, g.person.id)
    body, headers = import_page(row), {"Cache-Control": "no-store"}
    if row.state in AT_WORK:
        headers["Refresh"] = f"{SECONDS}; url={url_for('.show_import', name=name)}"
    return body, headers


def import_page(row: ListingImport) -> str:
    session, is_at_work = db.session(), row.state in AT_WORK
    show, start = request.args.get("show", ""), number(request.args, "after")
    tally = queries.tally(session, row.id)
    show = show if show in {each.value for each in (*Verdict, Outcome.KEPT)} else first_look(row, tally)
    chosen = {"outcome": show} if show == Outcome.KEPT else {"verdict": show}
    rows = None if is_at_work else queries.page(session, row.id, after=start, **chosen)
    until = receiving.undone_until(row.applied_at) if row.applied_at else None
    shown: dict[str, Any] = {
        "row": row,
        "tally": tally,
        "rows": rows,
        "show": show,
        "after": start,
        "is_at_work": is_at_work,
    }
    shown["undone_until"] = until if until and row.state is ImportState.APPLIED and clock.now() < until else None
    shown["problem"] = wording.told(row.problem) if row.problem else None
    return render_template("seller/import.html", **shown)


def first_look(row: ListingImport, tally: queries.Tally) -> str:
    """Mistakes first, then what would change; once it is done, what was done."""
    if tally.kept:
        return Outcome.KEPT.value
    order = [("refused", tally.refused), ("changed", tally.changed), ("new", tally.new), ("same", tally.same)]
    if row.applied_at:
        order.append(order.pop(0))
    return next((name for name, number in order if number), Verdict.SAME.value)


@bp.post("/<name>/confirmation")
@requires("listing.import")
def create_confirmation(name: str) -> ResponseReturnValue:
    """The seller's word: every row, or with `only_good` those without a mistake."""
    only_good = request.form.get("only_good") == "1"
    return step(receiving.confirm, name, _("It is being done."), only_good=only_good, again=number(request.form, "again"))


def number(sent: Mapping[str, str], name: str) -> int:
    """A small one that our own pages wrote; 0 for anything else."""
    text = sent.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0


@bp.post("/<name>/removal")
@requires("listing.import")
def create_removal(name: str) -> ResponseReturnValue:
    answer = step(receiving.drop, name, _("Dropped. Nothing was changed."))
    row = queries.find(db.session(), name, g.person.id)
    if row.state is ImportState.DROPPED:
        storing.drop(row.sheet, row.pictures)
    return answer


@bp.post("/<name>/undoing")
@requires("listing.import")
def create_undoing(name: str) -> ResponseReturnValue:
    return step(receiving.undo, name, _("It is being undone."))


def step(command: Any, name: str, done: str, **arguments: Any) -> ResponseReturnValue:
    back = url_for(".show_import", name=name)
    return take_step(command, back, done=done, name=name, person_id=g.person.id, **arguments)


@bp.get("/<name>/errors.csv")
@requires("listing.import")
def download_errors(name: str) -> ResponseReturnValue:
    """A line for each mistake: row, column, what stands there, reason, remedy."""
    row = queries.find(db.session(), name, g.person.id)
    lines = [csv_row([_("Row"), _("Column"), _("What stands there"), _("Reason"), _("Remedy")])]
    for refused in queries.refused_rows(db.session(), row.id):
        for problem in refused.problems:
            column = problem["column"]
            typed = refused.cells.get(column, "")[:100]
            lines.append(csv_row([str(refused.number), wording.heading(column), typed, *wording.told(problem)]))
    return file_answer((exporting.MARK + "".join(lines)).encode(), f"errors-{name}.csv", "csv")


@bp.get("/<any(template, goods):what>.<any(csv, xlsx):kind>")
@requires("listing.import")
def download_goods(what: str, kind: str) -> ResponseReturnValue:
    """The empty template, or all that the seller has."""
    session, spoken = db.session(), language()
    rows = exporting.lines(session, g.person.id) if what == "goods" else iter(())
    name = f"{what}-{clock.today():%Y%m%d}.{kind}"
    if kind == "csv":
        return file_answer(exporting.as_csv(rows, spoken), name, kind)
    return file_answer(exporting.as_xlsx(rows, spoken, goods.categories(session)), name, kind)


def file_answer(content: bytes, name: str, kind: str) -> Response:
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, 200, told, content_type=KINDS[kind])
