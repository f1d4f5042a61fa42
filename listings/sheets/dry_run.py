"""From cells to a difference that a seller can look at: nothing of their goods is touched."""

import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from listings import pictures
from listings.sheets import archives, goods, proposing, storing
from listings.sheets.columns import BY_KEY, find_heading
from listings.sheets.comparing import Compared, There, compare
from listings.sheets.models import ListingImport, ListingImportPicture, ListingImportRow
from listings.sheets.parsing import clean, pictures as pictures_named
from listings.sheets.reading import MOST_ROWS
from listings.sheets.states import ImportState as I, Verdict
from listings.sheets.wrong import Wrong
from marketplace.core import clock
from marketplace.core.db import add_rows, db, in_transaction, rows
from marketplace.core.transitions import transition

CHUNK: Final = 1_000
KEY_COLUMNS: Final = ("number", "code")


def arranged(cells: Sequence[Sequence[str]], flaws: Iterable[tuple[int, int, str]], zip_name: str) -> dict[str, Any]:
    """Rows by the keys of their columns, and the pictures that they name; or the problem of the whole sheet."""
    heading = find_heading(cells)
    if heading is None:
        return problem("no_heading")
    if heading.twice:
        return problem("column_twice", column=heading.twice[0])
    if not any(key in heading.keys for key in KEY_COLUMNS):
        return problem("no_key_column")
    by_row: dict[int, dict[str, str]] = {}
    for place, column, kind in flaws:
        if column < len(heading.keys) and heading.keys[column] and BY_KEY[heading.keys[column]].is_read:
            by_row.setdefault(place, {})[heading.keys[column]] = kind
    known = [(place, key) for place, key in enumerate(heading.keys) if key and BY_KEY[key].is_read]
    found = []
    for place, row in enumerate(cells[heading.row + 1 :], start=heading.row + 1):
        texts = {key: clean(row[column]) if column < len(row) else "" for column, key in known}
        if any(texts.values()) or place in by_row:
            found.append({"number": place + 1, "cells": texts, "flaws": by_row.get(place, {})})
    if not found:
        return problem("no_rows")
    if len(found) > MOST_ROWS:
        return problem("too_many_rows", rows=len(found), most=MOST_ROWS)
    mark_repeated(found)
    try:
        named = pictures_in(zip_name, found)
    except (archives.BadArchive, OSError, *archives.BROKEN) as wrong:
        return problem(wrong.code if isinstance(wrong, archives.BadArchive) else "zip_broken")
    return {"rows": found, "pictures": named, "notes": {"unknown": list(heading.unknown[:20])}}


def problem(code: str, **values: int | str) -> dict[str, Any]:
    return {"problem": {"code": code, "values": values}}


def mark_repeated(found: list[dict[str, Any]]) -> None:
    """The same number or code twice: the later row is refused."""
    for key in KEY_COLUMNS:
        first: dict[str, int] = {}
        for row in found:
            if (text := row["cells"].get(key)) and first.setdefault(text, row["number"]) != row["number"]:
                row["flaws"].setdefault(key, f"repeated:{first[text]}")


def pictures_in(zip_name: str, found: list[dict[str, Any]]) -> list[str]:
    """Of the ZIP's pictures those that a row names. Raises BadArchive, BadZipFile."""
    if not zip_name:
        return []
    with zipfile.ZipFile(storing.path_of(zip_name)) as archive:
        archives.check(archive, archives.PICTURES)
        there = {name for name, _member in archives.pictures(archive)}
    wanted: dict[str, None] = {}
    for row in found:
        try:
            wanted |= dict.fromkeys(pictures_named(row["cells"].get("pictures", "")))
        except Wrong:
            continue
    return [name for name in wanted if name in there]


def keep_rows(session: Session, import_id: int, arranged: dict[str, Any]) -> None:
    row = session.get_one(ListingImport, import_id, with_for_update=True)
    if row.state is not I.WAITING:
        return
    names = arranged["pictures"]
    add_rows(session, ListingImportRow, *({"import_id": import_id, **each} for each in arranged["rows"]))
    if names:
        add_rows(session, ListingImportPicture, *({"import_id": import_id, "name": name} for name in names))
    figures = {"total": len(arranged["rows"]) + len(names), "done": 0, "notes": arranged["notes"]}
    going_on = {"next_at": clock.now(), "tries": 0, **figures}
    why, station = "read", row.station_code
    transition(session, row, I.COMPARING, expected=I.WAITING, actor="worker", why=why, station=station, **going_on)


def compare_some(import_id: int, zip_name: str) -> bool:
    """A picture, else a thousand rows; True once everything is compared."""
    session = db.session()
    waiting = select(ListingImportPicture.id, ListingImportPicture.name).where(
        ListingImportPicture.import_id == import_id, ListingImportPicture.outcome == "waiting"
    )
    picture = session.execute(waiting.order_by(ListingImportPicture.id).limit(1)).first()
    session.rollback()
    if picture is not None:
        made = reencoded(zip_name, picture.name)
        in_transaction(keep_picture, import_id, picture.id, made)
        return False
    compared = compared_rows(db.session(), import_id)
    db.session.rollback()
    return in_transaction(keep_compared, import_id, compared)


def reencoded(zip_name: str, name: str) -> dict[str, Any] | None:
    """As pictures of the seller's form are; None for what is none."""
    try:
        with zipfile.ZipFile(storing.path_of(zip_name)) as archive:
            member = dict(archives.pictures(archive))[name]
            with archive.open(member) as packed:
                raw = packed.read(pictures.LARGEST + 1)
        return pictures.reencode(raw)
    except (pictures.UnusablePicture, KeyError, OSError, zlib.error, *archives.BROKEN):
        return None


def keep_picture(session: Session, import_id: int, picture: int, made: dict[str, Any] | None) -> None:
    changed = update(ListingImportPicture).where(ListingImportPicture.id == picture)
    session.execute(changed.values(outcome="made" if made else "unusable", made=made or {}))
    go_on(session, import_id, done=1)


def go_on(session: Session, import_id: int, *, done: int) -> None:
    """So much further; the next step need not wait for the end of the lease."""
    further = update(ListingImport).where(ListingImport.id == import_id)
    session.execute(further.values(done=ListingImport.done + done, next_at=clock.now(), tries=0))


def compared_rows(session: Session, import_id: int) -> list[dict[str, Any]]:
    """What the next rows would do, as columns of theirs."""
    row = session.get_one(ListingImport, import_id)
    columns = (ListingImportRow.id, ListingImportRow.cells, ListingImportRow.flaws)
    mine = (ListingImportRow.import_id == import_id, ListingImportRow.verdict == "")
    chunk = rows(session, select(*columns).where(*mine).order_by(ListingImportRow.number).limit(CHUNK))
    there = what_is_there(session, row, [each.cells for each in chunk])
    return [as_columns(each.id, compare(there, each.cells, each.flaws)) for each in chunk]


def what_is_there(session: Session, row: ListingImport, cells: Sequence[dict[str, str]]) -> There:
    codes = {each["code"] for each in cells if each.get("code")}
    numbers = {each["number"] for each in cells if each.get("number")}
    packs = goods.named(session, row.seller_id, codes, numbers)
    by_code = {pack.pack_code: pack for pack in packs} | {pack.code: pack for pack in packs if pack.is_first}
    by_number = {pack.values["number"]: pack for pack in packs if pack.is_first and pack.values["number"]}
    named = any(each.get("pictures") for each in cells)
    made = select(ListingImportPicture.name, ListingImportPicture.outcome, ListingImportPicture.made)
    found = rows(session, made.where(ListingImportPicture.import_id == row.id)) if named and row.pictures else []
    pictures_made = {each.name: each.made if each.outcome == "made" else None for each in found}
    digests = goods.pictures_of(session, [pack.listing_id for pack in packs]) if named else {}
    waits = proposing.waiting(session, list({pack.listing_id for pack in packs}))
    said = (by_code, by_number, goods.categories(session), pictures_made)
    return There(*said, digests=digests, waiting=waits, has_zip=bool(row.pictures))


def as_columns(row: int, found: Compared) -> dict[str, Any]:
    return {
        "row": row,
        "verdict": found.verdict.value,
        "target": found.target,
        "was": found.was,
        "entry": found.entry if not found.problems else {},
        "stock_change": found.stock_change if not found.problems else 0,
        "problems": found.problems,
    }


def keep_compared(session: Session, import_id: int, compared: list[dict[str, Any]]) -> bool:
    """True once no row is left; then the difference is ready."""
    row = session.get_one(ListingImport, import_id, with_for_update=True)
    if row.state is not I.COMPARING:
        return False
    if compared:
        table: Any = ListingImportRow.__table__
        session.connection().execute(update(table).where(table.c.id == bindparam("row")).values(written()), compared)
        go_on(session, import_id, done=len(compared))
    mine = (ListingImportRow.import_id == import_id, ListingImportRow.verdict == "")
    if session.scalar(select(func.count()).where(*mine)):
        return False
    refuse_repeated(session, import_id)
    station = row.station_code
    transition(session, row, I.READY, expected=I.COMPARING, actor="worker", why="compared", station=station)
    return True


def written() -> dict[str, Any]:
    table: Any = ListingImportRow.__table__
    names = ("verdict", "target", "was", "entry", "stock_change", "problems")
    return {name: bindparam(name, type_=table.c[name].type) for name in names}


def refuse_repeated(session: Session, import_id: int) -> None:
    """Two rows about one pack, one by its number and one by its code: the later one is refused."""
    mine = (ListingImportRow.import_id == import_id, ListingImportRow.verdict != Verdict.REFUSED)
    twice = select(ListingImportRow.target).where(*mine).group_by(ListingImportRow.target).having(func.count() > 1)
    columns = (ListingImportRow.id, ListingImportRow.number, ListingImportRow.target)
    found = rows(
        session, select(*columns).where(*mine, ListingImportRow.target.in_(twice)).order_by(ListingImportRow.number)
    )
    first: dict[str, int] = {}
    for row in found:
        if first.setdefault(row.target, row.number) != row.number:
            said = [Wrong("repeated", {"row": first[row.target]}).at("code")]
            refused = {"verdict": Verdict.REFUSED.value, "problems": said, "entry": {}, "stock_change": 0}
            session.execute(update(ListingImportRow).where(ListingImportRow.id == row.id).values(**refused))
