"""The whole way of what somebody points out about goods, and of a seller's word that they are to be looked at once more.

Pure: what is not written here cannot happen."""

from enum import StrEnum
from typing import Final


class ComplaintState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"  # the goods were taken off sale
    DISMISSED = "dismissed"


COMPLAINT: Final[dict[ComplaintState, frozenset[ComplaintState]]] = {
    ComplaintState.OPEN: frozenset({ComplaintState.UPHELD, ComplaintState.DISMISSED}),
    ComplaintState.UPHELD: frozenset(),
    ComplaintState.DISMISSED: frozenset(),
}


class LookState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"  # for sale again
    DECLINED = "declined"
    DROPPED = "dropped"  # the seller took the goods away


SECOND_LOOK: Final[dict[LookState, frozenset[LookState]]] = {
    LookState.ASKED: frozenset({LookState.GRANTED, LookState.DECLINED, LookState.DROPPED}),
    LookState.GRANTED: frozenset(),
    LookState.DECLINED: frozenset(),
    LookState.DROPPED: frozenset(),
}


class Fault(StrEnum):
    """What is wrong with goods for sale. The list is short, so that the province can sort by it."""

    UNTRUE = "untrue"
    UNSAFE = "unsafe"
    FORBIDDEN = "forbidden"
    STOLEN = "stolen"
    OTHER = "other"
