"""The life of a platform's file. Pure: anything not written here cannot happen."""

from enum import StrEnum
from typing import Final


class FileState(StrEnum):
    COMPARING = "comparing"  # it is read and compared, a portion at a time
    UNREADABLE = "unreadable"
    READY = "ready"  # what it says waits for a person's word
    TAKING = "taking"
    TAKEN = "taken"
    DROPPED = "dropped"


F = FileState
FILE: Final[dict[FileState, frozenset[FileState]]] = {
    F.COMPARING: frozenset({F.READY, F.UNREADABLE, F.DROPPED}),
    F.READY: frozenset({F.TAKING, F.DROPPED}),
    F.TAKING: frozenset({F.TAKEN}),
    F.TAKEN: frozenset(),
    F.UNREADABLE: frozenset(),
    F.DROPPED: frozenset(),
}
OPEN: Final = (F.COMPARING, F.READY, F.TAKING)
AT_WORK: Final = (F.COMPARING, F.TAKING)  # the worker's turn


class Verdict(StrEnum):
    """What a row of the file is to us. Rows that say what we know already are counted, not kept."""

    NEW = "new"
    CHANGED = "changed"
    REFUSED = "refused"


class Decision(StrEnum):
    """What a person said to a difference."""

    NONE = ""
    FOLLOWED = "followed"  # what the platform says now stands with us too
    KEPT = "kept"
