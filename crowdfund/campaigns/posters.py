"""Words on the poster's picture, which breaks no lines by itself: nothing of a title or a purpose is cut off."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from marketplace.core.records import record

ACROSS: Final = 520  # how wide the words may be, in the picture's own measure
BESIDE_THE_CODE: Final = 330
NARROW: Final = 0.6  # of a letter's size: what is no Chinese sign
CLOSES: Final = frozenset("，。、；：！？”’）》」』…%")  # never at the beginning of a line
TITLE: Final = ((36, 3), (30, 4), (26, 6))  # sizes, and how many lines of them
PROMISE: Final = ((16, 3), (13, 6))
PURPOSE: Final = ((18, 3), (15, 4), (12, 8))


@record
class Words:
    """Lines with the height at which each stands, below `top`."""

    size: int
    lines: tuple[tuple[int, str], ...]
    bottom: int


def fitted(text: str, sizes: tuple[tuple[int, int], ...], top: int, across: int = ACROSS) -> Words:
    """In the largest letters in which it has no more lines than those may have; in the smallest it takes what it needs."""
    for size, most in sizes:
        lines = list(broken(text, across / size))
        if len(lines) <= most:
            break
    step = size * 5 // 4
    placed = tuple((top + step * (number + 1), line) for number, line in enumerate(lines))
    return Words(size, placed, top + step * len(lines))


def broken(text: str, room: float) -> Iterator[str]:
    """Lines of at most `room`, in sizes of a letter: between words, and between any two Chinese signs."""
    line = ""
    for part in parts(text):
        if line and width(line + part.rstrip()) > room:
            yield line.rstrip()
            line = ""
        while width(part) > room:  # a word longer than a line
            fits = next(end for end in range(len(part), 0, -1) if end == 1 or width(part[:end]) <= room)
            yield part[:fits]
            part = part[fits:]
        line += part
    if line.strip():
        yield line.rstrip()


def parts(text: str) -> Iterator[str]:
    """What stays together: a Chinese sign with the stop behind it, a word with the blank behind it."""
    found = ""
    for sign in " ".join(text.split()):
        starts_anew = sign not in CLOSES and sign != " " and (is_wide(sign) or is_wide(found[-1:]) or found.endswith(" "))
        if found and starts_anew:
            yield found
            found = ""
        found += sign
    if found:
        yield found


def width(text: str) -> float:
    return sum(1 if is_wide(sign) else NARROW for sign in text)


def is_wide(sign: str) -> bool:
    return bool(sign) and unicodedata.east_asian_width(sign) in "WF"
