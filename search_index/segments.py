"""The opened index: columns and postings of each segment as NumPy arrays, read once and kept.

Segments never change, but for documents struck out. So what was read from one serves every later generation that still
has it; a small commit costs the reading of one small segment.
"""

import threading
import weakref
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from search_index.backend import IndexUnavailable
from search_index.layout import LEXICON
from search_index.schema import FACTS, NUMBERS

if TYPE_CHECKING:
    from whoosh.index import FileIndex

MOST_POSTINGS_KEPT = 1_500_000  # document numbers, four bytes each, in one process
Numbers = npt.NDArray[np.int32]
Places = npt.NDArray[np.uint16]
PLACE: Final = np.uint16  # of a county or category among those that occur: far fewer than 65,536
EMPTY: Numbers = np.empty(0, np.int32)


def open_whoosh(folder: Path) -> "FileIndex":
    """The Whoosh index in this folder as its last commit left it; IndexUnavailable when it cannot be read."""
    from whoosh.filedb.filestore import FileStorage

    storage: Any = FileStorage
    try:  # whoosh3 copies what it maps, so mapping costs the whole index in memory; postings are kept by us anyway
        index: FileIndex = storage(str(folder), supports_mmap=False).open_index()
    except Exception as error:  # a torn file shows as whatever its decoder stumbles over
        raise IndexUnavailable(f"the index in {folder} cannot be opened") from error
    return index


def list_segments(index: "FileIndex") -> list[Any]:
    """The segments of the newest commit."""
    untyped: Any = index
    return list(untyped._segments())


def try_opening(folder: Path) -> None:
    """Raises IndexUnavailable when a file of the index in this folder is missing or cannot be opened."""
    from whoosh.reading import SegmentReader

    index = open_whoosh(folder)
    if not (folder / LEXICON).exists():
        raise IndexUnavailable(f"the lexicon in {folder} is gone")
    try:
        for segment in list_segments(index):
            SegmentReader(index.storage, index.schema, segment).close()
    except Exception as error:
        raise IndexUnavailable(f"a segment of the index in {folder} cannot be opened") from error


class Segment:
    """One Whoosh segment: its facts and, as they are asked for, its postings."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader
        self.size = int(reader.doc_count_all())
        column = reader.column_reader("facts", translate=False)
        facts = np.frombuffer(b"".join(bytes(column[number]) for number in range(self.size)), FACTS)
        self.codes = as_narrow_as_can_be(facts["code"])  # on disk three quarters are room for long codes
        self.columns = {name: np.ascontiguousarray(facts[name]) for name in NUMBERS}
        self.categories, self.category = numbered(facts["category"].tolist())
        self.counties, self.county = numbered(facts["county"].tolist())
        weakref.finalize(self, reader.close)

    def read_postings(self, field: str, term: str) -> Numbers:
        from whoosh.reading import TermNotFound

        try:
            return np.fromiter(self.reader.postings(field, term).all_ids(), np.int32)
        except TermNotFound:
            return EMPTY
        except Exception as error:  # a torn block shows as whatever its decoder stumbles over
            raise IndexUnavailable("a segment of the index cannot be read") from error

    def read_through(self) -> None:
        """Look at every posting once; IndexUnavailable when one cannot be read."""
        try:
            for _posting in self.reader.iter_postings():
                pass
        except Exception as error:
            raise IndexUnavailable("a segment of the index cannot be read") from error


def as_narrow_as_can_be(codes: npt.NDArray[np.bytes_]) -> npt.NDArray[np.bytes_]:
    return codes.astype(f"S{max(map(len, codes.tolist()), default=1) or 1}")


def numbered(codes: list[bytes]) -> tuple[list[bytes], Places]:
    """The codes that occur, sorted, and for each document the number of its code.

    NumPy's `unique` would do, but it loads all of masked arrays to look whether these are some."""
    occurring = sorted(set(codes))
    number_of = {code: number for number, code in enumerate(occurring)}
    return occurring, np.fromiter((number_of[code] for code in codes), PLACE, len(codes))


class PostingsCache:
    """Documents by (segment, field, term), the least recently used forgotten first. Shared by all snapshots."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], Numbers] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()  # Whoosh's files have one reading position, shared by threads

    def get(self, segment_id: str, segment: Segment, field: str, term: str) -> Numbers:
        key = (segment_id, field, term)
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
            numbers = segment.read_postings(field, term)
            self._kept[key] = numbers
            self._size += len(numbers) + 50  # an empty answer takes room too
            while self._size > MOST_POSTINGS_KEPT:
                _, forgotten = self._kept.popitem(last=False)
                self._size -= len(forgotten) + 50
            return numbers
