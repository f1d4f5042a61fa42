"""Rows of a CSV file that a table program can open without running anything. Every export's cells come from here; what
people type or paste as a table is divided as they meant it. Pure."""

from collections.abc import Sequence
from typing import Final

RISKY: Final = tuple("=+-@＝＋－＠'\t\r")  # what a table program may take for the beginning of a formula


def separator(text: str) -> str:
    """What stands most often in the first row: tab, semicolon or comma, also those of a Chinese keyboard."""
    head = text.lstrip("\ufeff\r\n ").partition("\n")[0]
    return max("\t;,，；", key=head.count)


def row(cells: Sequence[str]) -> str:
    return ",".join(cell(text) for text in cells) + "\r\n"


def cell(text: str) -> str:
    """On one line, quoted where it must be, and never a formula."""
    plain = " ".join(text.split())
    safe = plain if is_number(plain) else guarded(plain)
    return '"' + safe.replace('"', '""') + '"' if any(sign in safe for sign in ',"') else safe


def guarded(text: str) -> str:
    """An apostrophe stands before what a table program would take for the beginning of a formula, and before another one:
    whoever reads the file takes exactly one off."""
    return f"'{text}" if text.startswith(RISKY) else text


def is_number(text: str) -> bool:
    """A sum below zero begins with a minus, and is no formula."""
    return text.isascii() and text.removeprefix("-").replace(".", "", 1).isdecimal()


def yuan(fen: int) -> str:
    """As a machine reads it: 3456.78, with no sign of the currency and no comma."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02}"
