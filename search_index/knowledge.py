"""What the words of the trade mean to each other: synonyms, kinds, purposes, places. Read from `data/*.txt`."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from zlib import crc32

from search_index.text import stem

DATA = Path(__file__).parent / "data"
SAME, HELPS = 0.92, 0.85  # what a synonym, and what something helpful, is worth beside the word itself


@dataclass(slots=True)
class Knowledge:
    """`same` and `helps` lead from a word to other words and their worth; `english` from a stemmed phrase to words."""

    same: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    helps: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    english: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    regions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lookalikes: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    fillers: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)  # all Chinese words named anywhere


@cache
def knowledge() -> Knowledge:
    """Read once for a process. How each file is written stands at its head."""
    known = Knowledge()
    for line in _lines("concepts.txt"):
        _learn_concept(known, line)
    for line in _lines("places.txt"):
        _learn_region(known, line)
    for line in _lines("lookalikes.txt"):
        for character in line:
            known.lookalikes[character] += line.replace(character, "")
    known.fillers = {word for line in _lines("fillers.txt") for word in line.split()}
    helped = {word for others in known.helps.values() for word in others}
    known.words = {word for word in (*known.same, *known.helps, *helped, *known.regions) if not word.isascii()}
    return known


@cache
def fingerprint() -> int:
    """Changes with the knowledge that is written into an index; an index of another fingerprint wants a rebuild."""
    return crc32((DATA / "concepts.txt").read_bytes() + (DATA / "places.txt").read_bytes())


def _lines(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _names(text: str) -> dict[str, float]:
    """`a, b~0.7`: names and their worth, 1 where none is written."""
    names = {}
    for part in text.split(","):
        name, _, worth = part.strip().partition("~")
        if name:
            names[name] = float(worth or 1)
    return names


def english_key(phrase: str) -> str:
    """What a phrase is looked up by: its words' stems, in lower case."""
    return " ".join(stem(word) for word in phrase.lower().replace("-", " ").replace("'s", "").split())


def _learn_concept(known: Knowledge, line: str) -> None:
    """One line of concepts.txt: `a, b~0.7 | english` or `a > c~0.5`. Where lines disagree, the higher worth counts."""
    chinese, _, english = line.partition("|")
    left, _, right = chinese.partition(">")
    names, helped = _names(left), _names(right)
    if helped:
        for name in names:
            for other, worth in helped.items():
                if other != name:
                    known.helps[name][other] = max(known.helps[name].get(other, 0), HELPS * worth)
        return
    for name, worth in names.items():
        for other, others_worth in names.items():
            if other != name:
                shared = SAME * min(worth, others_worth)
                known.same[name][other] = max(known.same[name].get(other, 0), shared)
        known.same[name].setdefault(name, 1.0)
    for phrase, worth in _names(english).items():
        for name, others_worth in names.items():
            key = english_key(phrase)
            known.english[key][name] = max(known.english[key].get(name, 0), worth * others_worth)


def _learn_region(known: Knowledge, line: str) -> None:
    """One line of places.txt: `region, other name | english = place, place`."""
    left, _, right = line.partition("=")
    chinese, _, english = left.partition("|")
    places = tuple(_names(right))
    for name in _names(chinese):
        known.regions[name] = tuple(dict.fromkeys((*known.regions.get(name, ()), *places)))
    for phrase in _names(english):
        known.regions[english_key(phrase)] = places
