"""A table of tracking numbers as it was pasted or uploaded: label, carrier, number. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from marketplace.core import csv_rows
from marketplace.core.forms import tidy
from marketplace.core.records import slim_record

MOST: Final = 2000  # rows
LONGEST: Final = 200_000  # characters
LABEL: Final = re.compile(r"(SX-[2-9A-HJKMNP-TV-Z]{8})-(\d{1,3})")
NUMBER: Final = re.compile(r"[A-Za-z0-9-]{6,40}")
LONGEST_CARRIER: Final = 40


@slim_record
class Row:
    """One row of the table, by its own line number; `wrong` says what cannot be read."""

    line: int
    label: str
    carrier: str
    number: str
    wrong: LazyString | None = None


class Unreadable(ValueError):
    """Not a table that anybody could mean."""


def decoded(content: bytes) -> str:
    """UTF-8, with or without a mark, or as Chinese table programs write it. Raises Unreadable."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable


def rows(text: str, carrier: str = "") -> list[Row]:
    """Commas, semicolons or tabs; a first row of headings is passed over. `carrier`: for rows that name none.

    Raises Unreadable for what is too long or no table."""
    if len(text) > LONGEST or "\0" in text:
        raise Unreadable
    try:
        table = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=csv_rows.separator(text)))
    except csv.Error as error:
        raise Unreadable from error
    found = [
        row_of(line, cells, carrier) for line, cells in enumerate(table, start=1) if any(cell.strip() for cell in cells)
    ]
    if found and not any(map(str.isdigit, found[0].label + found[0].number)):
        found = found[1:]  # headings
    if len(found) > MOST:
        raise Unreadable
    return with_repeats(found)


def row_of(line: int, cells: Sequence[str], carrier: str) -> Row:
    texts = [tidy(cell).removeprefix("'") for cell in cells]
    label = texts[0].upper().replace(" ", "")
    named, number = ("", texts[1]) if len(texts) == 2 else (*texts[1:3], "", "")[:2]
    row = Row(line, label, named or carrier, number.replace(" ", ""))
    return Row(row.line, row.label, row.carrier, row.number, wrong_with(row))


def wrong_with(row: Row) -> LazyString | None:
    if not LABEL.fullmatch(row.label):
        return _l("This is no label, such as SX-7F3KQ2MD-1.")
    if not 0 < len(row.carrier) <= LONGEST_CARRIER:
        return _l("Enter which courier takes it.")
    if not NUMBER.fullmatch(row.number):
        return _l("This is no tracking number: 6 to 40 letters, digits and hyphens.")
    return None


def with_repeats(found: Sequence[Row]) -> list[Row]:
    """A label that stands twice with different numbers is nobody's guess."""
    meant: dict[str, set[tuple[str, str]]] = {}
    for row in found:
        meant.setdefault(row.label, set()).add((row.carrier, row.number))
    twice = _l("This label stands here more than once, with different numbers.")
    return [
        Row(row.line, row.label, row.carrier, row.number, row.wrong or (twice if len(meant[row.label]) > 1 else None))
        for row in found
    ]
