"""One generation of the index as columns and postings over all its segments: what a question is answered from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search_index import schema
from search_index.backend import IndexUnavailable
from search_index.layout import Current
from search_index.segments import EMPTY, PLACE, Numbers, Places, PostingsCache, Segment, list_segments, open_whoosh
from search_index.text import bigrams
from search_index.vocabulary import Vocabulary

Mask = npt.NDArray[np.bool_]
Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A segment at its place: its first document has the number `base`."""

    id: str
    segment: Segment
    base: int


class Snapshot:
    """Immutable. Documents are numbered from 0; `live` says which were not struck out."""

    def __init__(
        self,
        current: Current,
        parts: Sequence[Part],
        struck_out: Sequence[Iterable[int]],
        postings: PostingsCache,
        vocabulary: Vocabulary,
    ) -> None:
        self.current, self.parts, self.vocabulary = current, parts, vocabulary
        self._postings = postings
        self.size = sum(part.segment.size for part in parts)
        self.live: Mask = np.ones(self.size, np.bool_)
        for part, numbers in zip(parts, struck_out, strict=True):
            self.live[[part.base + number for number in numbers]] = False
        self.price = self._column("price")
        self.measure = self._column("measure")
        self.measure_price = self._column("measure_price")
        self.flags = self._column("flags")
        self.months = self._column("months")
        self.sales = self._column("sales")
        self.published = self._column("published")
        self.length = self._column("length")
        self.counties, self.county = self._codes("counties", "county")
        self.categories, self.category = self._codes("categories", "category")

    def _column(self, name: str) -> Column:
        columns = [part.segment.columns[name] for part in self.parts]
        if len(columns) == 1:  # shared by all snapshots: after a rebuild that is the whole index
            return columns[0]
        return np.concatenate(columns) if columns else np.empty(0, schema.FACTS[name])

    def _codes(self, table: str, column: str) -> tuple[list[str], Places]:
        """The codes met in all segments, and for each document the number of its code."""
        number_of: dict[str, int] = {}
        columns = []
        for part in self.parts:
            codes = [code.decode() for code in getattr(part.segment, table)]
            numbers = np.array([number_of.setdefault(code, len(number_of)) for code in codes], PLACE)
            columns.append(numbers[getattr(part.segment, column)])
        return list(number_of), np.concatenate(columns) if columns else np.empty(0, PLACE)

    def code(self, number: int) -> str:
        part = next(part for part in reversed(self.parts) if part.base <= number)
        return bytes(part.segment.codes[number - part.base]).decode()

    def postings(self, field: str, term: str) -> Numbers:
        """The documents that have this term in this field, struck out ones among them."""
        found = []
        for part in self.parts:
            numbers = self._postings.get(part.id, part.segment, field, term)
            if len(numbers):
                found.append(numbers + np.int32(part.base) if part.base else numbers)
        return np.concatenate(found) if len(found) > 1 else found[0] if found else EMPTY

    def count(self, field: str, term: str) -> int:
        return int(np.count_nonzero(self.live[self.postings(field, term)]))

    def containing(self, field: str, text: str) -> Numbers:
        """The documents whose field has every neighbouring pair of characters of the text: nearly, those with the text."""
        pairs = list(dict.fromkeys(bigrams(text))) or [text]
        found = self.postings(field, pairs[0])
        for pair in pairs[1:]:
            if not len(found):
                break
            found = np.intersect1d(found, self.postings(field, pair), assume_unique=True)
        return found


def open_snapshot(
    folder: Path, current: Current, previous: Snapshot | None, cache: PostingsCache, vocabulary: Vocabulary
) -> Snapshot:
    """The newest state of the current index; segments that the previous snapshot has open are taken over."""
    known = {part.id: part.segment for part in previous.parts} if previous else {}
    try:
        return _open(folder / current.name, current, known, cache, vocabulary)
    except IndexUnavailable:
        raise
    except Exception as error:  # a segment that is gone or torn shows as whatever its decoder stumbles over
        raise IndexUnavailable(f"the index in {folder} cannot be read") from error


def _open(
    folder: Path, current: Current, known: dict[str, Segment], cache: PostingsCache, vocabulary: Vocabulary
) -> Snapshot:
    from whoosh.reading import SegmentReader

    index = open_whoosh(folder)
    parts: list[Part] = []
    struck_out: list[list[int]] = []
    base = 0
    for segment in list_segments(index):
        name = segment.segment_id()
        opened = known.get(name) or Segment(SegmentReader(index.storage, index.schema, segment))
        parts.append(Part(name, opened, base))
        struck_out.append(sorted(segment.deleted_docs()))
        base += opened.size
    return Snapshot(current, parts, struck_out, cache, vocabulary)
