"""The whole way of a group and of each of its members. Pure: what is not written here cannot happen."""

from enum import StrEnum
from typing import Final


class GroupState(StrEnum):
    OPEN = "open"
    PROLONGED = "prolonged"  # once, by itself, when it stood near enough at its deadline
    REACHED = "reached"  # enough packs are paid; it can still be joined
    ORDERED = "ordered"  # and nobody joins it any more
    FAILED = "failed"


G = GroupState
GROUP: Final[dict[GroupState, frozenset[GroupState]]] = {
    G.OPEN: frozenset({G.PROLONGED, G.REACHED, G.FAILED}),
    G.PROLONGED: frozenset({G.REACHED, G.FAILED}),
    G.REACHED: frozenset({G.ORDERED}),
    G.ORDERED: frozenset(),
    G.FAILED: frozenset(),
}
GATHERING: Final = frozenset({G.OPEN, G.PROLONGED})
JOINABLE: Final = GATHERING | {G.REACHED}
COMPLETE: Final = frozenset({G.REACHED, G.ORDERED})


class MemberState(StrEnum):
    HELD = "held"  # ordered, not paid yet
    LAPSED = "lapsed"  # not paid in time, or given up; late money may still count
    PAID = "paid"
    ORDERED = "ordered"  # the station has it
    REFUNDED = "refunded"


M = MemberState
MEMBER: Final[dict[MemberState, frozenset[MemberState]]] = {
    M.HELD: frozenset({M.PAID, M.LAPSED}),
    M.LAPSED: frozenset({M.PAID}),
    M.PAID: frozenset({M.ORDERED, M.REFUNDED}),
    M.ORDERED: frozenset(),
    M.REFUNDED: frozenset(),
}
COUNTED: Final = frozenset({M.PAID, M.ORDERED})
TAKING_ROOM: Final = COUNTED | {M.HELD}
