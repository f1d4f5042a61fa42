"""Rows of a CSV file that a table program can open without running anything. Pure."""

from collections.abc import Sequence
from typing import Final

RISKY: Final = tuple("=+-@\t\r")  # what a table program would take for the beginning of a formula


def row(cells: Sequence[str]) -> str:
    return ",".join(cell(text) for text in cells) + "\r\n"


def cell(text: str) -> str:
    """Quoted where it must be; an apostrophe stands before what would be a formula."""
    safe = f"'{text}" if text.startswith(RISKY) and not is_number(text) else text
    plain = " ".join(safe.split())
    return '"' + plain.replace('"', '""') + '"' if any(sign in plain for sign in ',"') else plain


def is_number(text: str) -> bool:
    """A sum below zero begins with a minus, and is no formula."""
    return text.isascii() and text.removeprefix("-").replace(".", "", 1).isdecimal()


def yuan(fen: int) -> str:
    """As a machine reads it: 3456.78, with no sign of the currency and no comma."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02}"
