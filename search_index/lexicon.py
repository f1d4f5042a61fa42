"""Every word of an index with its sound, and the names of its categories and counties: `lexicon.jsonl`.

The writer appends to it before it commits, so whoever reads finds at least the words of the documents they see. Words
outlive their documents; they only cost a line until the next rebuild.
"""

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from sys import intern
from typing import Any, Final

SLICE: Final = 500  # lines that are parsed together: a third of the time of one by one, and no heap of them at once


class Strength(IntEnum):
    """Where a word was met; a typing mistake is only read as a word that names something."""

    BODY = 1
    NAME = 2  # titles, tags, categories, and the words of the trade
    PLACE = 3


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    syllables: tuple[str, ...]
    strength: Strength

    @property
    def sound(self) -> str:
        return "".join(self.syllables)

    @property
    def initials(self) -> str:
        return "".join(syllable[0] for syllable in self.syllables)


@dataclass(frozen=True, slots=True)
class CategoryName:
    code: str
    parent: str | None
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class CountyName:
    code: str
    name_zh: str
    name_en: str
    prefecture_zh: str
    prefecture_en: str


class Readings:
    """How each character may be read aloud. Twenty thousand of them as keys would take 3 MB of every process that searches:
    they stand in one sorted array instead, each with the number of its way in the lowest 16 bits."""

    def __init__(self, ways: tuple[tuple[str, ...], ...] = (), places: Iterable[int] = ()) -> None:
        self.ways = ways
        self._places = array("Q", sorted(places))

    def learned(self, ways: dict[tuple[str, ...], str]) -> "Readings":
        """These, and how the characters of each of `ways` are read; what was learned last counts."""
        fresh = [ord(one) << 16 | number for number, chars in enumerate(ways.values(), len(self.ways)) for one in chars]
        return Readings((*self.ways, *ways), [*self._places, *fresh])

    def of(self, character: str) -> tuple[str, ...]:
        if len(character) != 1:
            return ()
        place = bisect_left(self._places, (ord(character) + 1) << 16) - 1
        found = self._places[place] if place >= 0 else 0
        return self.ways[found & 0xFFFF] if found >> 16 == ord(character) else ()


@dataclass(slots=True)
class Lexicon:
    """What one `lexicon.jsonl` holds; `offset` is how far it was read."""

    words: dict[str, Word] = field(default_factory=dict)
    english: set[str] = field(default_factory=set)
    categories: dict[str, CategoryName] = field(default_factory=dict)
    counties: dict[str, CountyName] = field(default_factory=dict)
    simplified: dict[int, str] = field(default_factory=dict)
    readings: Readings = field(default_factory=Readings)
    offset: int = 0

    def read(self, path: Path) -> list[str]:
        """Take in what was appended since the last time; the words among it are returned."""
        with path.open("rb") as lines:
            lines.seek(self.offset)
            fresh = lines.read()
        whole, newline, _half_written = fresh.rpartition(b"\n")
        self.offset += len(whole) + len(newline)
        ways: dict[tuple[str, ...], str] = {}
        words = [word for entry in entries(whole.splitlines()) if (word := self._take(entry, ways))]
        if ways:
            self.readings = self.readings.learned(ways)
        return words

    def _take(self, entry: list[Any], ways: dict[tuple[str, ...], str]) -> str | None:
        match entry:
            case ["w", text, syllables, strength]:
                self.words[text] = Word(text, shared(syllables), Strength(strength))
                return str(text)
            case ["e", text]:
                self.english.add(text)
            case ["c", *names]:
                self.categories[names[0]] = CategoryName(*names)
            case ["p", *names]:
                self.counties[names[0]] = CountyName(*names)
            case ["s", traditional, simple]:
                self.simplified = {ord(old): new for old, new in zip(traditional, simple, strict=True)}
            case ["r", syllables, characters]:
                way = shared(syllables)
                ways[way] = ways.get(way, "") + characters
        return None


def entries(lines: list[bytes]) -> Iterator[list[Any]]:
    for start in range(0, len(lines), SLICE):
        yield from json.loads(b"[" + b",".join(lines[start : start + SLICE]) + b"]")


def shared(syllables: str) -> tuple[str, ...]:
    """A few hundred syllables make all words: each is kept once."""
    return tuple(map(intern, syllables.split()))


def mend(path: Path) -> None:
    """Cut off a last line that a killed writer left half written."""
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        with path.open("r+b") as lines:
            lines.truncate(content.rfind(b"\n") + 1)


def append(path: Path, entries: Iterable[list[Any]]) -> None:
    text = "".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in entries)
    if text:
        with path.open("a", encoding="utf-8") as lines:
            lines.write(text)
