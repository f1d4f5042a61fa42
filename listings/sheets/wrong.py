"""What is wrong with a cell."""

from collections.abc import Mapping
from typing import Any, Final

MOST_OF_A_NAME: Final = 40  # of what was typed, where it is repeated


class Wrong(Exception):
    """`code` names the reason and its remedy in wording.py; `values` go into the words for it."""

    def __init__(self, code: str, values: Mapping[str, int | str] | None = None) -> None:
        super().__init__(code)
        self.code, self.values = code, values or {}

    def at(self, column: str) -> dict[str, Any]:
        return {"column": column, "code": self.code, "values": dict(self.values)}
