"""Where the index lies on disk, and how one change of it takes the place of another.

folder/CURRENT            which of the folders below is read, and the generation; replaced in one rename
folder/index-<id>/        Whoosh's files, `lexicon.jsonl` beside them
folder/changes.jsonl      what was changed while a rebuild ran, to be repeated in the new index
folder/write.lock         held while something is written; the system lets go of it when its holder dies
folder/rebuild.lock       held while an index is built aside
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from search_index.backend import IndexBusy, IndexUnavailable
from search_index.knowledge import fingerprint

FORMAT = 1  # raise it when the schema or the analysis changes: older indexes then ask for a rebuild
LEXICON = "lexicon.jsonl"
T = TypeVar("T")
SECONDS_BETWEEN_LOOKS = 0.005  # a commit takes tens of milliseconds
PATIENCE = 5.0  # seconds a reader waits for a commit to end


@dataclass(frozen=True, slots=True)
class Current:
    """What CURRENT says: the generation, the folder it lies in, and what it was made with."""

    generation: int
    name: str
    format: int
    fingerprint: int
    is_whole: bool  # false when it was begun by updates alone, after the index was lost: nobody reads such a one


def read_current(folder: Path) -> Current:
    """Which index answers now. Raises IndexUnavailable."""
    try:
        return Current(**json.loads((folder / "CURRENT").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise IndexUnavailable(f"no readable index in {folder}") from error


def defect(current: Current) -> str:
    """Why this index must not be read: other goods than all of them would be found. Else empty."""
    if current.format != FORMAT:
        return "the index was built by another version"
    return "" if current.is_whole else "the index was lost, and holds only what changed since"


def complaint(current: Current) -> str:
    """Why this index should be built anew, though it may be fit to be read until then. Else empty."""
    if current.fingerprint != fingerprint():
        return defect(current) or "the synonyms have changed since the index was built"
    return defect(current)


def write_current(folder: Path, current: Current) -> None:
    aside = folder / "CURRENT.new"
    with aside.open("w", encoding="utf-8") as out:
        json.dump({name: getattr(current, name) for name in Current.__slots__}, out)
        out.flush()
        os.fsync(out.fileno())
    aside.replace(folder / "CURRENT")


def new_name() -> str:
    return f"index-{uuid4().hex[:12]}"


def remove_others(folder: Path, keep: set[str]) -> None:
    """Clear away indexes nobody points to: the one before the last rebuild, and remains of builds that died."""
    for other in folder.glob("index-*"):
        if other.name not in keep:
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock file, or raise IndexBusy. A process that dies lets go of it by dying."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    with path.open("a") as handle:
        while not _lock(handle.fileno()):
            if time.monotonic() >= deadline:
                raise IndexBusy(path.name)
            time.sleep(SECONDS_BETWEEN_LOOKS)
        yield


def undisturbed(folder: Path, read: Callable[[], T]) -> T:
    """What `read` returns. A commit clears away files that somebody may be about to open: what fails is read once more
    while nobody writes, and only then is it IndexUnavailable."""
    try:
        return read()
    except IndexUnavailable:
        try:
            with locked(folder / "write.lock", PATIENCE):
                return read()
        except (IndexBusy, OSError) as error:
            raise IndexUnavailable(f"the index in {folder} is being written") from error


def is_locked(path: Path) -> bool:
    """Whether another process or thread holds the lock file right now."""
    with path.open("a") as handle:
        return not _lock(handle.fileno())


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
