"""A rate table as it was typed: zone, up to so many kilograms, yuan, days on the road."""

import csv
import io
import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from marketplace.core import csv_rows
from marketplace.core.forms import tidy
from marketplace.core.records import slim_record

MOST: Final = 200  # rows
NUMBER: Final = re.compile(r"\d{1,6}(\.\d{1,3})?")
YUAN: Final = re.compile(r"\d{1,6}(\.\d{1,2})?")
DAYS: Final = re.compile(r"[1-9]\d?")


@slim_record
class Step:
    """One row; `wrong` says what cannot be read."""

    line: int
    zone: str
    up_to_grams: int
    price_fen: int
    days: int
    wrong: LazyString | None = None


def steps(text: str, zones: Collection[str]) -> list[Step]:
    """Commas, semicolons or tabs; a first row of headings is passed over. Empty for what is no table."""
    try:
        table = list(csv.reader(io.StringIO(text.replace("\0", "").lstrip("\ufeff")), delimiter=csv_rows.separator(text)))
    except csv.Error:
        return []
    rows = [
        (line, [tidy(cell) for cell in cells]) for line, cells in enumerate(table, start=1) if any(map(str.strip, cells))
    ]
    if rows and len(rows[0][1]) > 1 and rows[0][1][0] not in zones and not NUMBER.fullmatch(rows[0][1][1]):
        rows = rows[1:]
    return with_order([step(line, cells, zones) for line, cells in rows[: MOST + 1]])


def step(line: int, cells: Sequence[str], zones: Collection[str]) -> Step:
    zone, kilograms, yuan, days = (*cells, "", "", "", "")[:4]
    if any(cells[4:]):  # 7,50 between commas would be seven yuan and fifty days
        return Step(line, zone[:40], 0, 0, 0, _l("There are more than four cells in this row."))
    if zone not in zones:
        return Step(line, zone[:40], 0, 0, 0, _l("There is no such zone."))
    if not NUMBER.fullmatch(kilograms) or not Decimal(kilograms):
        return Step(line, zone, 0, 0, 0, _l("Enter the weight in kilograms, such as 5."))
    if not YUAN.fullmatch(yuan):
        return Step(line, zone, 0, 0, 0, _l("Enter a sum in yuan, such as 39.80."))
    if not DAYS.fullmatch(days):
        return Step(line, zone, 0, 0, 0, _l("Enter the days on the road, 1 to 99."))
    return Step(line, zone, int(Decimal(kilograms) * 1000), int(Decimal(yuan) * 100), int(days))


def with_order(found: Sequence[Step]) -> list[Step]:
    """A heavier parcel is never cheaper, and no weight stands twice."""
    wrong: dict[int, LazyString] = {}
    for zone in {each.zone for each in found if not each.wrong}:
        mine = sorted((each for each in found if each.zone == zone and not each.wrong), key=lambda each: each.up_to_grams)
        for lighter, heavier in pairwise(mine):
            if lighter.up_to_grams == heavier.up_to_grams:
                wrong[heavier.line] = _l("This weight stands here twice.")
            elif heavier.price_fen < lighter.price_fen:
                wrong[heavier.line] = _l("A heavier parcel cannot cost less.")
    return [
        Step(each.line, each.zone, each.up_to_grams, each.price_fen, each.days, each.wrong or wrong.get(each.line))
        for each in found
    ]
