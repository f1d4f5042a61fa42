"""A row of small bars, one a day, for a cell of a table. Pure; templates/operator/today_parts.html draws it."""

from collections.abc import Sequence
from typing import Final

from marketplace.core.records import slim_record

WIDTH: Final = 76
HEIGHT: Final = 20
GAP: Final = 2
LEAST: Final = 1  # of a day without any: a line, so that the day is seen


@slim_record
class Bar:
    x: int
    y: int
    width: int
    height: int


def bars(numbers: Sequence[int]) -> tuple[Bar, ...]:
    """The highest number fills the height."""
    most = max(numbers, default=0)
    step = WIDTH // max(len(numbers), 1)
    heights = [max(LEAST, round(HEIGHT * number / most) if most else LEAST) for number in numbers]
    return tuple(Bar(place * step, HEIGHT - height, step - GAP, height) for place, height in enumerate(heights))
