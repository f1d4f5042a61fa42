"""The map of the province as shapes for a page. map.json holds it; `draw_map` made it."""

import json
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, Final

from marketplace.core.records import record

AROUND: Final = 26  # units of empty space around what a window shows


@record
class Shape:
    code: str
    path: str
    mark: tuple[int, int]  # where its station is marked
    box: tuple[int, int, int, int]  # left, top, right, bottom
    near: tuple[str, ...]  # those of the 58 that share a border with it


@record
class Window:
    """What of the map a picture shows."""

    left: int
    top: int
    width: int
    height: int

    @property
    def view_box(self) -> str:
        return f"{self.left} {self.top} {self.width} {self.height}"

    def shows(self, shape: Shape) -> bool:
        left, top, right, bottom = shape.box
        beside = right < self.left or left > self.left + self.width
        return not (beside or bottom < self.top or top > self.top + self.height)


@record
class Map:
    width: int
    height: int
    outline: str
    shapes: dict[str, Shape]

    def whole(self) -> Window:
        return Window(0, 0, self.width, self.height)

    def around(self, codes: Collection[str]) -> Window:
        """The smallest window with all of these counties, and a little room for their marks."""
        boxes = [self.shapes[code].box for code in codes]
        left, top = min(box[0] for box in boxes) - AROUND, min(box[1] for box in boxes) - AROUND
        right, bottom = max(box[2] for box in boxes) + AROUND, max(box[3] for box in boxes) + AROUND
        return Window(left, top, right - left, bottom - top)


@cache
def province() -> Map:
    """The map, read once."""
    drawn: Any = json.loads(Path(__file__).with_name("map.json").read_text(encoding="utf-8"))
    shapes = {
        code: Shape(code, shape["path"], tuple(shape["mark"]), tuple(shape["box"]), tuple(shape["near"]))
        for code, shape in drawn["counties"].items()
    }
    return Map(drawn["width"], drawn["height"], drawn["outline"], shapes)
