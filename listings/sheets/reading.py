"""A process of its own that reads one sheet: `python -m listings.sheets.reading < sheet` writes its cells as JSON.

Whatever is wrong with a file, it is wrong in here: memory and time are limited, and the worker stays as it is.
Formulas come as the value that the table program kept beside them; where it kept none, or an error, that is said."""

import codecs
import csv
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, Final

from listings.sheets import archives

MOST_ROWS: Final = 10_000
MOST_ABOVE: Final = 10  # a title and the headings
MOST_COLUMNS: Final = 60
LONGEST_CELL: Final = 4_001  # longer is too long for every column
SIGNS: Final = ",\t;，"
TOP: Final = (20_000, 20)  # characters and rows that are looked at for the sign between two cells
END: Final = "\x1e"  # stands behind the last row: inside of a cell where a quotation mark is still open
MOST_CELLS: Final = 5_000_000  # with those that are empty, in the rectangle that a workbook spans
MOST_TEXT: Final = 20_000_000  # characters of all cells: a shared word may be repeated without end
MEMORY_BYTES: Final = 1_000 * 2**20
CPU_SECONDS: Final = 30
BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"  # also what an Excel file with a password looks like
GUARDED: Final = re.compile(r"'(?=[=+\-@＝＋－＠'\t\r])")  # as core.csv_rows writes it
QUOTED: Final = re.compile(r'="([^"]*)"')  # how people keep zeros in front: ="00123"
CELL: Final = re.compile(  # one look at each letter; some programs name everything x:
    rb"<(?:x:)?c\b([^<>]*+)(?:(?<=/)>|>((?:[^<]++|<(?!/?(?:x:)?c\b))*+)</(?:x:)?c>)"
)
PLACE: Final = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
FORMULA: Final = re.compile(rb"<(?:x:)?f\b")
VALUE: Final = re.compile(rb"<(?:x:)?v\b[^<>]*>[^<]")

Flaw = tuple[int, int, str]  # row and column, counted from 0, and formula or merged


class Unreadable(Exception):
    """`code` says why; `values` go into the words for it."""

    def __init__(self, code: str, **values: int | str) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read())))
    return 0


def answer(raw: bytes) -> dict[str, Any]:
    """`rows` and `flaws`, or the `problem` of the whole sheet."""
    try:
        rows, flaws = read(raw)
    except Unreadable as problem:
        return {"problem": {"code": problem.code, "values": problem.values}}
    return {"rows": rows, "flaws": flaws}


def read(raw: bytes) -> tuple[list[list[str]], list[Flaw]]:
    """The cells as text, row by row as the table program counts them, and what is wrong with some. Raises Unreadable."""
    if not raw.strip():
        raise Unreadable("empty")
    if raw.startswith(OLD_EXCEL):
        raise Unreadable("old_excel")
    rows, flaws = of_workbook(raw) if raw.startswith(b"PK\x03\x04") else of_text(decoded(raw))
    while rows and not any(rows[-1]):
        rows.pop()
    if sum(len(cell) for row in rows for cell in row) > MOST_TEXT:
        raise Unreadable("spans_too_much")
    if len(rows) > MOST_ROWS + MOST_ABOVE:
        raise Unreadable("too_many_rows", rows=len(rows), most=MOST_ROWS)
    return rows, [flaw for flaw in flaws if flaw[0] < len(rows)]


def decoded(raw: bytes) -> str:
    """UTF-8 or UTF-16 where a mark in front says so, UTF-8 where it is, else GBK, as Chinese Excel writes CSV."""
    marked = next((name for mark, name in BOMS if raw.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise Unreadable("not_a_sheet")
        return text
    raise Unreadable("encoding")


def of_text(text: str) -> tuple[list[list[str]], list[Flaw]]:
    rows: list[list[str]] = []
    flaws: list[Flaw] = []
    from listings.sheets.columns import find_heading

    delimiter = delimiter_of(text, find_heading)
    csv.field_size_limit(10 * 2**20)
    lines = chain(io.StringIO(text, newline=""), [END])
    try:
        for place, cells in enumerate(csv.reader(lines, delimiter=delimiter)):
            if cells and cells[-1].endswith(END):
                if cells != [END]:
                    raise Unreadable("open_quote", row=place + 1)
                break
            if place > 2 * MOST_ROWS:
                raise Unreadable("too_many_rows", rows=place, most=MOST_ROWS)
            row = [QUOTED.sub(r"\1", cell.strip()) if cell.startswith("=") else cell for cell in cells[:MOST_COLUMNS]]
            flaws += [(place, column, "formula") for column, cell in enumerate(row) if cell.startswith("=")]
            rows.append([GUARDED.sub("", cell.strip(), count=1)[:LONGEST_CELL] for cell in row])
    except csv.Error as error:
        raise Unreadable("not_a_sheet") from error
    return rows, flaws


def delimiter_of(text: str, find: Callable[[Sequence[Sequence[str]]], object | None]) -> str:
    """What stands between the cells: with it `find` knows the headings. Descriptions prove nothing, they have commas.

    Where it knows none, what stands most often in the first lines."""
    top = text[: TOP[0]]
    for sign in SIGNS:
        with suppress(csv.Error):
            if find([*islice(csv.reader(io.StringIO(top, newline=""), delimiter=sign), TOP[1])]) is not None:
                return sign
    return max(SIGNS, key=top[:2_000].count)


def of_workbook(raw: bytes) -> tuple[list[list[str]], list[Flaw]]:
    """The first sheet that can be seen."""
    import python_calamine as calamine

    try:
        archives.look_at_directory(io.BytesIO(raw), archives.WORKBOOK)
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            archives.check(archive, archives.WORKBOOK)
            if "xl/workbook.xml" not in archive.namelist():
                raise Unreadable("not_a_sheet")
            workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
            index = first_visible(workbook.sheets_metadata)
            sheet = workbook.get_sheet_by_index(index)
            if sheet.total_height * sheet.total_width > MOST_CELLS:
                raise Unreadable("spans_too_much")
            rows = [[text_of(cell) for cell in row[:MOST_COLUMNS]] for row in sheet.to_python(skip_empty_area=False)]
            flaws = [*fill_merged(rows, sheet.merged_cell_ranges or ()), *without_value(archive, index)]
    except archives.BadArchive as problem:
        raise Unreadable(problem.code) from problem
    except calamine.PasswordError as problem:
        raise Unreadable("old_excel") from problem
    except (calamine.CalamineError, KeyError, OSError, *archives.BROKEN) as problem:
        raise Unreadable("broken") from problem
    return rows, flaws


def first_visible(sheets: Iterable[Any]) -> int:
    for index, sheet in enumerate(sheets):
        if str(sheet.visible).endswith(".Visible") and str(sheet.typ).endswith(".WorkSheet"):
            return index
    raise Unreadable("empty")


def text_of(cell: Any) -> str:
    """As people read it: 10.0 is 10, and 39.900000000000006 is 39.9."""
    if isinstance(cell, str):
        return cell.strip()[:LONGEST_CELL]
    if isinstance(cell, float):
        return f"{cell:.10f}".rstrip("0").rstrip(".") if abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def fill_merged(rows: list[list[str]], ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> Iterator[Flaw]:
    """Merged downwards, each row has what stands on top; merged across columns nobody can say whose it is."""
    filled = 0
    for (top, left), (bottom, right) in ranges:
        for place in range(top, min(bottom, len(rows) - 1) + 1):
            filled += 1
            if filled > 10 * MOST_ROWS:
                raise Unreadable("spans_too_much")
            row = rows[place]
            if left == right and left < len(row):
                row[left] = rows[top][left]
            elif left != right:
                yield from ((place, column, "merged") for column in range(left, min(right + 1, len(row))))


def without_value(archive: zipfile.ZipFile, index: int) -> Iterator[Flaw]:
    """Cells whose formula has no value beside it, as programs write it that do not calculate, or an error."""
    path = path_of_sheet(archive, index)
    source = archive.read(path) if path else b""
    if b't="e"' not in source and not FORMULA.search(source):
        return
    for found in CELL.finditer(source):
        attributes, content = found[1], found[2] or b""
        is_error = b't="e"' in attributes
        if (is_error or (FORMULA.search(content) and not VALUE.search(content))) and (place := PLACE.search(attributes)):
            yield int(place[2]) - 1, column_number(place[1]), "formula"


def path_of_sheet(archive: zipfile.ZipFile, index: int) -> str:
    sheets = re.findall(rb'<sheet\b[^<>]*?\br:id="([^"<>]+)"', archive.read("xl/workbook.xml"))
    relations = archive.read("xl/_rels/workbook.xml.rels")
    for relation in re.findall(rb"<Relationship\b[^<>]*>", relations):
        attributes = dict(re.findall(rb'\b(\w++)="([^"]*)"', relation))
        if index < len(sheets) and attributes.get(b"Id") == sheets[index]:
            target = attributes.get(b"Target", b"").decode("utf-8", "replace").lstrip("/")
            path = target if target.startswith("xl/") else f"xl/{target}"
            return path if path in archive.namelist() else ""
    return ""


def column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


if __name__ == "__main__":
    sys.exit(main())
