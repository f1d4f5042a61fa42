"""Reading the Whoosh index: one snapshot a process, replaced when the generation has changed."""

import os
import threading
import time
from pathlib import Path

from search_index import layout
from search_index.answering import answer
from search_index.backend import IndexState, IndexUnavailable
from search_index.query import Answer, Query, Suggestion
from search_index.segments import PostingsCache
from search_index.snapshot import Snapshot, open_snapshot
from search_index.suggesting import suggest
from search_index.vocabulary import Vocabulary

LOOK_EVERY = 0.25  # seconds; a look reads one small file


class WhooshIndex:
    """See `backend.Backend`. A snapshot is left to the questions that still use it, and closed with the last of them."""

    _process: int
    _snapshot: Snapshot | None
    _looked_at: float

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._forget()

    def search(self, query: Query) -> Answer:
        return answer(query, self._current_snapshot())

    def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        return suggest(prefix, self._current_snapshot(), limit)

    def generation(self) -> int:
        return self._current_snapshot().current.generation

    def check(self) -> IndexState:
        snapshot = layout.undisturbed(self.folder, lambda: self._opened(None, PostingsCache()))
        current = snapshot.current
        for part in snapshot.parts:
            part.segment.read_through()
        files = [path.stat().st_size for path in (self.folder / current.name).iterdir()]
        return IndexState(
            generation=current.generation,
            documents=int(snapshot.live.sum()),
            segments=len(snapshot.parts),
            bytes_on_disk=sum(files),
            needs_rebuild=layout.complaint(current),
        )

    def close(self) -> None:
        self._forget()

    def _current_snapshot(self) -> Snapshot:
        if self._process != os.getpid():
            self._forget()  # files opened before a fork share their reading position with the parent
        snapshot = self._snapshot
        if snapshot and (time.monotonic() - self._looked_at < LOOK_EVERY or self._lock.locked()):
            return snapshot  # also while another thread opens the next one
        with self._lock:
            if self._snapshot is None or time.monotonic() - self._looked_at >= LOOK_EVERY:
                self._snapshot = self._newest(self._snapshot)
                self._looked_at = time.monotonic()
            return self._snapshot

    def _forget(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._postings = PostingsCache()
        self._snapshot = None
        self._looked_at = float("-inf")

    def _newest(self, opened: Snapshot | None) -> Snapshot:
        current = layout.read_current(self.folder)
        if opened and opened.current == current:
            return opened
        if defect := layout.defect(current):
            raise IndexUnavailable(defect)
        return layout.undisturbed(self.folder, lambda: self._opened(opened, self._postings))

    def _opened(self, previous: Snapshot | None, postings: PostingsCache) -> Snapshot:
        current = layout.read_current(self.folder)
        return open_snapshot(self.folder, current, previous, postings, self._vocabulary(current.name, previous))

    def _vocabulary(self, name: str, opened: Snapshot | None) -> Vocabulary:
        vocabulary = opened.vocabulary if opened and opened.current.name == name else Vocabulary()
        try:
            vocabulary.read(self.folder / name / layout.LEXICON)
        except (OSError, ValueError) as error:
            raise IndexUnavailable(f"the lexicon in {self.folder} cannot be read") from error
        return vocabulary
