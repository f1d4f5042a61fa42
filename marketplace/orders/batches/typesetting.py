"""Statements as PDF: what their sheet shows. They are set by core.typesetting, in a process of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

from marketplace.core import typesetting

SHEET: Final = Path(__file__).with_name("statement.typ")


class Paper(TypedDict):
    """What statement.typ shows: every word of it, in the reader's language."""

    language: str
    title: str
    name: str
    band: str
    heads: list[str]
    rows: list[list[str]]
    note: str
    page: str


def make(paper: Mapping[str, Any], sheet: Path = SHEET) -> bytes:
    """The paper as PDF, by this sheet. Raises CalledProcessError, TimeoutExpired where typesetting fails."""
    return typesetting.make(paper, sheet)
