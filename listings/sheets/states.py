"""The life of an imported sheet. Pure: anything not written here cannot happen."""

from enum import StrEnum
from typing import Final


class ImportState(StrEnum):
    WAITING = "waiting"  # its file lies there, nobody has read it
    COMPARING = "comparing"  # its rows are compared with what is there
    UNREADABLE = "unreadable"
    READY = "ready"  # the difference waits for the seller's word
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"
    DROPPED = "dropped"


I = ImportState  # noqa: E741
IMPORT: Final[dict[ImportState, frozenset[ImportState]]] = {
    I.WAITING: frozenset({I.COMPARING, I.UNREADABLE, I.DROPPED}),
    I.COMPARING: frozenset({I.READY, I.UNREADABLE, I.DROPPED}),
    I.READY: frozenset({I.APPLYING, I.DROPPED}),
    I.APPLYING: frozenset({I.APPLIED, I.COMPARING}),  # back where something has moved meanwhile
    I.APPLIED: frozenset({I.UNDOING}),
    I.UNDOING: frozenset({I.UNDONE, I.APPLIED}),  # back where nothing could be undone
    I.UNREADABLE: frozenset(),
    I.UNDONE: frozenset(),
    I.DROPPED: frozenset(),
}
AT_WORK: Final = (I.WAITING, I.COMPARING, I.APPLYING, I.UNDOING)  # the worker's turn
OPEN: Final = (I.WAITING, I.COMPARING, I.READY, I.APPLYING)


class Verdict(StrEnum):
    """What a row would do, once it is compared."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


class Outcome(StrEnum):
    """What became of a row."""

    NONE = ""
    APPLIED = "applied"
    UNDONE = "undone"
    KEPT = "kept"  # it was to be undone and could not
