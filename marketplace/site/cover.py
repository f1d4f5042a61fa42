"""Where the 58 doors of the cover stand: rows on terraces, a little uneven, as in a hillside. Pure."""

from collections.abc import Sequence
from math import sin
from typing import Final

from marketplace.core.records import record
from marketplace.site.station_pages import Place

PHASES: Final = 6  # the doors light up from left to right in so many steps


@record
class Door:
    x: int
    y: int
    is_lit: bool
    phase: int


@record
class Row:
    """A row of doors: how many, where it begins and ends, its height in the drawing."""

    doors: int
    left: int
    right: int
    y: int


WIDE: Final = (Row(17, 36, 880, 276), Row(20, 24, 872, 338), Row(21, 30, 872, 404))
NARROW: Final = (Row(14, 10, 352, 76), Row(14, 22, 362, 128), Row(15, 8, 356, 180), Row(15, 14, 360, 232))


def doors(places: Sequence[Place], rows: Sequence[Row]) -> list[Door]:
    """A door for each place, in their order, row by row. Places beyond the rows' doors are left out."""
    lit = iter(place.is_lit for place in places)
    return [
        Door(x, y, is_lit, PHASES * (x - row.left) // (row.right - row.left + 1))
        for number, row in enumerate(rows)
        for (x, y), is_lit in zip(spots(row, number), lit, strict=False)
    ]


def spots(row: Row, number: int) -> list[tuple[int, int]]:
    step = (row.right - row.left) / (row.doors - 1)
    return [
        (round(row.left + step * place), round(row.y + 5 * sin(0.55 * place + 2 * number))) for place in range(row.doors)
    ]
