"""The whole way of a presale and of each place in it. Pure: what is not written here cannot happen."""

from enum import StrEnum
from typing import Final


class PresaleState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    REJECTED = "rejected"
    LIVE = "live"
    WAITING_FUNDS = "waiting_funds"  # its last day is over; payments that were under way may still arrive
    SUCCESSFUL = "successful"
    FAILED = "failed"  # everybody gets everything back
    DELIVERING = "delivering"
    CLOSED = "closed"
    DEFAULTED = "defaulted"  # harvest plus grace passed: what was not sent goes back


P = PresaleState
PRESALE: Final[dict[PresaleState, frozenset[PresaleState]]] = {
    P.DRAFT: frozenset({P.SUBMITTED}),
    P.SUBMITTED: frozenset({P.LIVE, P.REJECTED}),
    P.LIVE: frozenset({P.WAITING_FUNDS}),
    P.WAITING_FUNDS: frozenset({P.SUCCESSFUL, P.FAILED}),
    P.SUCCESSFUL: frozenset({P.DELIVERING}),
    P.DELIVERING: frozenset({P.CLOSED, P.DEFAULTED}),
    P.REJECTED: frozenset(),
    P.FAILED: frozenset(),
    P.CLOSED: frozenset(),
    P.DEFAULTED: frozenset(),
}
PUBLIC: Final = frozenset({P.LIVE, P.WAITING_FUNDS, P.SUCCESSFUL, P.FAILED, P.DELIVERING, P.CLOSED, P.DEFAULTED})
TAKES_MONEY: Final = frozenset({P.LIVE, P.WAITING_FUNDS})
GOES_AHEAD: Final = frozenset({P.SUCCESSFUL, P.DELIVERING})


class BackingState(StrEnum):
    HELD = "held"  # a place, not paid yet
    LAPSED = "lapsed"  # not paid in time; money that comes later goes back by itself
    CONFIRMED = "confirmed"  # paid, its money in escrow
    ORDERED = "ordered"  # an ordinary order
    REFUNDED = "refunded"


B = BackingState
BACKING: Final[dict[BackingState, frozenset[BackingState]]] = {
    B.HELD: frozenset({B.CONFIRMED, B.LAPSED}),
    B.CONFIRMED: frozenset({B.ORDERED, B.REFUNDED}),
    B.LAPSED: frozenset(),
    B.ORDERED: frozenset(),
    B.REFUNDED: frozenset(),
}
COUNTED: Final = frozenset({B.CONFIRMED, B.ORDERED})
TAKING_ROOM: Final = COUNTED | {B.HELD}
