"""Reading the Whoosh index."""

from pathlib import Path

from search_index.backend import IndexState, IndexUnavailable
from search_index.query import Answer, Query, Suggestion


class WhooshIndex:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def search(self, query: Query) -> Answer:
        raise IndexUnavailable(str(self.folder))

    def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        raise IndexUnavailable(str(self.folder))

    def generation(self) -> int:
        raise IndexUnavailable(str(self.folder))

    def check(self) -> IndexState:
        raise IndexUnavailable(str(self.folder))

    def close(self) -> None:
        """Nothing is open yet."""
