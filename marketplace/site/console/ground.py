"""The map of the console: the drawing of /stations, darker by what was sent, with call-outs in its left margin."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from marketplace.core.records import record
from marketplace.site import station_map
from marketplace.site.console.standing import StationRow
from marketplace.site.station_map import Mark, Picture
from marketplace.site.station_pages import Place
from marketplace.stations.map import Window

MARGIN: Final = 274  # units left of the province, for the boxes
BOX: Final = 266
BOX_HEIGHT: Final = 84
APART: Final = 96  # from the top of a box to the top of the next
MOST: Final = 6
STEPS: Final = 4


@record
class CallOut:
    """A box in the margin: its upper edge, and the mark to which its line leads."""

    code: str
    name: str
    words: str
    top: int
    x: int
    y: int

    @property
    def middle(self) -> int:
        return self.top + BOX_HEIGHT // 2


@record
class Ground:
    """The picture, what needs attention in it by station, and from how many parcels on each step of its ground begins."""

    picture: Picture
    alerts: Mapping[str, str]
    notes: tuple[CallOut, ...]
    steps: tuple[int | None, ...]
    at_work: int
    quiet: int


def draw(rows: Sequence[StationRow], alerts: Mapping[str, str]) -> Ground:
    """`alerts`: a few words for each station that somebody has to look after, the most urgent first."""
    places = [place(row) for row in rows]
    drawn = station_map.whole(places)
    marks = {mark.place.badge.code: mark for mark in drawn.marks}
    told = [(marks[code], words) for code, words in alerts.items() if code in marks][:MOST]
    most = max((row.sent for row in rows), default=0)
    at_work = sum(row.is_at_work and row.badge.code not in alerts for row in rows)
    notes = tuple(call_outs(told, drawn.window.height))
    window = with_margin(drawn.window) if notes else drawn.window
    return Ground(replace(drawn, window=window), alerts, notes, steps(most), at_work, len(rows) - at_work - len(alerts))


def with_margin(window: Window) -> Window:
    return Window(window.left - MARGIN, window.top, window.width + MARGIN, window.height)


def place(row: StationRow) -> Place:
    return Place(row.badge, row.prefecture_code, row.prefecture, 0, row.sent, row.is_at_work)


def steps(most: int) -> tuple[int | None, ...]:
    """From how many parcels on each darker step begins, as `station_map.step` takes them; None: no number has it."""
    edges = [number * most // STEPS for number in range(STEPS + 1)]
    return tuple(before + 1 if before < edge else None for before, edge in pairwise(edges))


def call_outs(told: Sequence[tuple[Mark, str]], height: int) -> list[CallOut]:
    """As near to the height of their marks as they can stand without touching each other."""
    ordered = sorted(told, key=lambda each: each[0].y)
    tops: list[int] = []
    for mark, _words in ordered:
        wanted = mark.y - BOX_HEIGHT // 2
        tops.append(max(wanted, tops[-1] + APART if tops else 0))
    lowest = height - BOX_HEIGHT
    for place_, top in reversed(list(enumerate(tops))):
        tops[place_] = min(top, lowest)
        lowest = tops[place_] - APART
    pairs = zip(ordered, tops, strict=True)
    return [CallOut(mark.place.badge.code, mark.name, words, top, mark.x, mark.y) for (mark, words), top in pairs]
