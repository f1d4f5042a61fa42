"""A platform's file read and compared, a portion at a time: what is new, what is other than we know, what cannot be read.

Nothing that anybody sees is changed by it. Rows are known by the platform's own number: the same file again says nothing
new, and a newer one that overlaps says only what it adds."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC
from itertools import islice
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.mirrors.columns import Said, Wrong, find_heading, read_row
from crowdfund.campaigns.mirrors.models import MirroredGift, MirrorFile, MirrorRow
from crowdfund.campaigns.mirrors.states import Decision, FileState as F, Verdict
from listings.sheets.reading import Unreadable, decoded, delimiter_of
from listings.sheets.storing import path_of
from marketplace.core import clock
from marketplace.core.db import add_rows
from marketplace.core.records import record
from marketplace.core.transitions import transition

PORTION: Final = 2_000
MOST_ROWS: Final = 200_000


@record
class Line:
    """A row of the file: what it says, or what is wrong with it."""

    number: int
    said: Said | None
    problems: tuple[tuple[str, str, str], ...] = ()


def read_portion(kept_as: str, start: int) -> list[Line]:
    """The rows behind the first `start`; fewer than a portion at the end. Raises Unreadable."""
    try:
        raw = path_of(kept_as).read_bytes()
    except FileNotFoundError as gone:
        raise Unreadable("gone") from gone
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable("workbook")
    text = decoded(raw)
    delimiter = delimiter_of(text, find_heading)
    try:
        cells = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), MOST_ROWS + 100))
    except csv.Error as error:
        raise Unreadable("not_a_sheet") from error
    heading = find_heading(cells)
    if heading is None:
        raise Unreadable("no_heading")
    row, places = heading
    filled = ((number, line) for number, line in enumerate(cells[row + 1 :], start=row + 2) if any(map(str.strip, line)))
    if len(cells) - row > MOST_ROWS:
        raise Unreadable("too_many_rows")
    found = [read_line(number, line, places) for number, line in islice(filled, start, start + PORTION)]
    if not found and not start:
        raise Unreadable("no_rows")
    return found


def read_line(number: int, cells: list[str], places: dict[str, int]) -> Line:
    try:
        return Line(number, read_row(cells, places))
    except Wrong as wrong:
        return Line(number, None, tuple(wrong.problems))


def keep_portion(session: Session, file_id: int, start: int, lines: list[Line]) -> None:
    """What of these rows is worth a look; after the last of them the file waits for a person. A portion is kept once."""
    row = session.get_one(MirrorFile, file_id, with_for_update=True)
    if row.state is not F.COMPARING or row.done != start:
        return
    found = compared(session, row, lines)
    if found:
        add_rows(session, MirrorRow, *found)
    counted: dict[str, Any] = {"done": start + len(lines), "same": row.same + len(lines) - len(found)}
    if len(lines) == PORTION:
        row.done, row.same = counted["done"], counted["same"]
        row.next_at, row.tries = clock.now(), 0
        return
    transition(session, row, F.READY, expected=F.COMPARING, actor="worker", why="compared", **counted)


def compared(session: Session, row: MirrorFile, lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Rows as they are kept; what says nothing new is left out."""
    lines = list(lines)
    numbers = [line.said.number for line in lines if line.said]
    known, above = known_gifts(session, row.campaign_id, numbers), rows_above(session, row.id, numbers)
    stays = kept_back(session, row.campaign_id, numbers)
    found = []
    for line in lines:
        said = line.said
        if said is None:
            problems = [{"column": column, "code": code, "typed": typed} for column, code, typed in line.problems]
            found.append(as_row(row.id, line, Verdict.REFUSED, problems=problems))
        elif said.number in above:
            if above[said.number] != said:
                twice = [{"column": "number", "code": "twice", "typed": said.number}]
                found.append(as_row(row.id, line, Verdict.REFUSED, problems=twice))
        else:
            above[said.number] = said
            before = known.get(said.number)
            if before is None:
                found.append(as_row(row.id, line, Verdict.NEW))
            elif before != said and said not in stays:
                found.append(as_row(row.id, line, Verdict.CHANGED, was=written(before)))
    return found


def as_row(file_id: int, line: Line, verdict: Verdict, **more: Any) -> dict[str, Any]:
    said = line.said if verdict is not Verdict.REFUSED else None
    told: dict[str, Any] = {"platform_number": "", "given_at": None, "fen": None, "shown_as": ""}
    if said:
        told = {"platform_number": said.number, "given_at": said.at, "fen": said.fen, "shown_as": said.shown_as}
    return {"file_id": file_id, "number": line.number, "verdict": str(verdict), "problems": [], "was": None, **told, **more}


def written(said: Said) -> dict[str, Any]:
    return {"at": said.at.isoformat(), "fen": said.fen, "shown_as": said.shown_as}


def known_gifts(session: Session, campaign_id: int, numbers: list[str]) -> dict[str, Said]:
    wanted = select(MirroredGift.platform_number, MirroredGift.given_at, MirroredGift.fen, MirroredGift.shown_as)
    wanted = wanted.where(MirroredGift.campaign_id == campaign_id, MirroredGift.platform_number.in_(numbers))
    return {row.platform_number: said_of(row) for row in session.execute(wanted)}


def said_of(row: Any) -> Said:
    return Said(row.platform_number, row.given_at.astimezone(UTC), row.fen, row.shown_as)


def rows_above(session: Session, file_id: int, numbers: list[str]) -> dict[str, Said]:
    """What earlier rows of this very file say under the same numbers."""
    wanted = select(MirrorRow.platform_number, MirrorRow.given_at, MirrorRow.fen, MirrorRow.shown_as)
    wanted = wanted.where(MirrorRow.file_id == file_id, MirrorRow.platform_number.in_(numbers))
    return {row.platform_number: said_of(row) for row in session.execute(wanted)}


def kept_back(session: Session, campaign_id: int, numbers: list[str]) -> set[Said]:
    """Differences that a person has looked at and not followed: they are not asked about again."""
    wanted = select(MirrorRow.platform_number, MirrorRow.given_at, MirrorRow.fen, MirrorRow.shown_as)
    wanted = wanted.join(MirrorFile, MirrorFile.id == MirrorRow.file_id).where(MirrorFile.campaign_id == campaign_id)
    mine = wanted.where(MirrorRow.platform_number.in_(numbers), MirrorRow.decision == str(Decision.KEPT))
    return {said_of(row) for row in session.execute(mine)}
