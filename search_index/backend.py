"""The face of every search backend. Whoosh stands behind it today; PostgreSQL's full text may stand there tomorrow."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from search_index.documents import Document
from search_index.query import Answer, Query, Suggestion

Progress = Callable[[int], None]


class IndexUnavailable(Exception):
    """There is no index that holds all goods: none was built yet, or it is damaged. Rebuilding it helps."""


class IndexBusy(Exception):
    """Another process is writing and did not finish in time; try again later."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """What a check found. `needs_rebuild` says why the index should be built anew, or is empty."""

    generation: int
    documents: int
    segments: int
    bytes_on_disk: int
    needs_rebuild: str = ""


class Writer(Protocol):
    """The worker's side. Each call is whole or not at all, also across a kill; a second writer waits for the first.

    Raises IndexBusy when the other writer takes too long.
    """

    def update(self, documents: Iterable[Document], removed_codes: Iterable[str] = ()) -> int:
        """Put these in (replacing those of the same code), take those out, in one commit. Returns the generation.

        Codes that are not there may be removed. Raises IndexUnavailable when there is no whole index of this version to
        change: one begun with these alone would hide all the other goods.
        """

    def complaint(self) -> str:
        """Why the index should be built anew: it is missing, damaged, not whole, or of other synonyms; else empty.

        Opens it without reading through it, so it may be asked often."""

    def rebuild(self, documents: Iterable[Document], progress: Progress | None = None) -> int:
        """Build everything anew beside the old index, which answers until the new one takes its place at once.

        Updates that others make meanwhile are kept. `progress` is told how many documents are in, now and then.
        Returns the generation.
        """

    def tidy(self) -> None:
        """Merge small segments when there are too many; worth calling when idle, cheap when there is nothing to do."""


class Backend(Protocol):
    """Safe to share by threads. Everything raises IndexUnavailable when there is nothing readable."""

    def search(self, query: Query) -> Answer:
        """Answer the question; never raises for what a person typed."""

    def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """What the typed beginning (characters, pinyin, initials or English) may become, best first."""

    def generation(self) -> int:
        """A number that grows with every change; good as a cache key. Looked at no more than once a second."""

    def check(self) -> IndexState:
        """Read through the whole index, as it is on disk now."""

    def close(self) -> None:
        """Let go of files and memory; the next question opens them again."""


def open_index(folder: str | Path) -> Backend:
    """The index in `folder`, for reading. Nothing is read before the first question: an absent folder is no error here."""
    from search_index.whoosh_reader import WhooshIndex  # Whoosh is loaded by those who search, not by importers

    return WhooshIndex(Path(folder))


def open_writer(folder: str | Path, timeout: float = 10.0) -> Writer:
    """The index in `folder`, for writing; creates the folder with its first change. For the worker and the command line:
    it loads the pinyin tables, which the web process does without.
    """
    from search_index.whoosh_writer import WhooshWriter

    return WhooshWriter(Path(folder), timeout)
