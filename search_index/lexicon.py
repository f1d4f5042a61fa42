"""Every word of an index with its sound, and the names of its categories and counties: `lexicon.jsonl`.

The writer appends to it before it commits, so whoever reads finds at least the words of the documents they see. Words
outlive their documents; they only cost a line until the next rebuild.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from sys import intern
from typing import Any


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


@dataclass(slots=True)
class Lexicon:
    """What one `lexicon.jsonl` holds; `offset` is how far it was read."""

    words: dict[str, Word] = field(default_factory=dict)
    english: set[str] = field(default_factory=set)
    categories: dict[str, CategoryName] = field(default_factory=dict)
    counties: dict[str, CountyName] = field(default_factory=dict)
    simplified: dict[int, str] = field(default_factory=dict)
    readings: dict[str, tuple[str, ...]] = field(default_factory=dict)  # character -> syllables
    offset: int = 0

    def read(self, path: Path) -> list[str]:
        """Take in what was appended since the last time; the words among it are returned."""
        with path.open("rb") as lines:
            lines.seek(self.offset)
            fresh = lines.read()
        whole, newline, _half_written = fresh.rpartition(b"\n")
        self.offset += len(whole) + len(newline)
        entries = json.loads(b"[" + b",".join(whole.splitlines()) + b"]")  # at once: a third of the time of one by one
        return [word for entry in entries if (word := self._take(entry))]

    def _take(self, entry: list[Any]) -> str | None:
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
                self.readings |= dict.fromkeys(characters, shared(syllables))
        return None


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
