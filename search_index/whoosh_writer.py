"""Writing the Whoosh index."""

from collections.abc import Iterable
from pathlib import Path

from search_index.backend import IndexUnavailable, Progress
from search_index.documents import Document


class WhooshWriter:
    def __init__(self, folder: Path, timeout: float) -> None:
        self.folder = folder
        self.timeout = timeout

    def update(self, documents: Iterable[Document], removed_codes: Iterable[str] = ()) -> int:
        raise IndexUnavailable(str(self.folder))

    def rebuild(self, documents: Iterable[Document], progress: Progress | None = None) -> int:
        raise IndexUnavailable(str(self.folder))

    def tidy(self) -> None:
        raise IndexUnavailable(str(self.folder))
