"""What a card may say, so that every card might be one of at least five children. Pure.

A child's county, age band and need tier are a cell. A cell of fewer than five is told more coarsely, and only together with
others that are told the same way: what is counted is how many children stand behind the very words on the card."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

K: Final = 5


class Cell(NamedTuple):
    county: str
    age_band: str
    tier: int

    @property
    def prefecture(self) -> str:
        return f"{self.county[:4]}00"


class Label(NamedTuple):
    """The words of a card; empty or 0 where it says nothing. `place` is a county, a prefecture or empty: in Shanxi."""

    place: str
    age_band: str
    tier: int


def ways(cell: Cell) -> tuple[Label, ...]:
    """From the finest words to the coarsest."""
    return (
        Label(cell.county, cell.age_band, cell.tier),
        Label(cell.prefecture, cell.age_band, cell.tier),
        Label(cell.prefecture, "", cell.tier),
        Label("", "", cell.tier),
        Label("", "", 0),
    )


COARSEST: Final = Label("", "", 0)


def labels(children: Mapping[Cell, int], k: int = K) -> dict[Cell, Label]:
    """The words for each cell. Cells are left out where even all of them together are too few."""
    count = {cell: number for cell, number in children.items() if number > 0}
    if sum(count.values()) < k:
        return {}
    level = dict.fromkeys(count, 0)
    while crowded := too_few(count, level, k):
        for cell in crowded:
            level[cell] += 1
    return {cell: ways(cell)[level[cell]] for cell in count}


def too_few(count: Mapping[Cell, int], level: Mapping[Cell, int], k: int) -> list[Cell]:
    """The cells whose words stand for fewer than k children, and may be told more coarsely.

    Where the coarsest words themselves are too few, the smallest other group joins them."""
    groups: dict[Label, list[Cell]] = defaultdict(list)
    for cell in sorted(count):
        groups[ways(cell)[level[cell]]].append(cell)
    small = [cells for label, cells in groups.items() if label != COARSEST and size(count, cells) < k]
    if small:
        finest = min(level[cells[0]] for cells in small)
        return [cell for cells in small if level[cells[0]] == finest for cell in cells]
    if COARSEST in groups and size(count, groups[COARSEST]) < k:
        others = [cells for label, cells in groups.items() if label != COARSEST]
        return min(others, key=lambda cells: (size(count, cells), cells[0]))
    return []


def size(count: Mapping[Cell, int], cells: Iterable[Cell]) -> int:
    return sum(count[cell] for cell in cells)
