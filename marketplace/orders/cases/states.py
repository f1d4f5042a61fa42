"""The whole way of an after-sales case, and of the one appeal it may have. Pure: what is not written here cannot happen."""

from enum import StrEnum
from typing import Final


class CaseState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"  # the goods are to come back
    REJECTED = "rejected"
    REFUNDED = "refunded"
    GOODS_RETURNED = "goods_returned"
    EXCHANGED = "exchanged"
    CANCELLED = "cancelled"


C = CaseState
CASE: Final[dict[CaseState, frozenset[CaseState]]] = {
    C.REQUESTED: frozenset({C.APPROVED, C.REJECTED, C.REFUNDED}),
    C.APPROVED: frozenset({C.GOODS_RETURNED, C.CANCELLED}),
    C.GOODS_RETURNED: frozenset({C.REFUNDED, C.EXCHANGED}),
} | dict.fromkeys((C.REJECTED, C.REFUNDED, C.EXCHANGED, C.CANCELLED), frozenset())

OPEN_CASE: Final = frozenset(state for state, ways in CASE.items() if ways)


class AppealState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"  # money goes back, or somebody else bears what went back
    LEFT = "left"


APPEAL: Final[dict[AppealState, frozenset[AppealState]]] = {
    AppealState.ASKED: frozenset({AppealState.GRANTED, AppealState.LEFT}),
    AppealState.GRANTED: frozenset(),
    AppealState.LEFT: frozenset(),
}


class Party(StrEnum):
    """Who asked the province; the deadline asks where the station was silent."""

    BUYER = "buyer"
    SELLER = "seller"
    STATION = "station"
    DEADLINE = "deadline"


MAY_APPEAL: Final[dict[Party, frozenset[CaseState]]] = {
    Party.BUYER: frozenset({C.REJECTED, C.CANCELLED, C.EXCHANGED}),
    Party.SELLER: frozenset({C.REFUNDED}),
    Party.STATION: frozenset({C.REFUNDED}),
    Party.DEADLINE: frozenset({C.REQUESTED, C.GOODS_RETURNED}),
}
"""Each asks about what went against them."""
