"""The way of a promotion and of each use of it. Pure."""

from enum import StrEnum
from typing import Final


class PromotionState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"


PROMOTION: Final[dict[PromotionState, frozenset[PromotionState]]] = {
    PromotionState.DRAFT: frozenset({PromotionState.SUBMITTED}),
    PromotionState.SUBMITTED: frozenset({PromotionState.LIVE, PromotionState.DRAFT}),
    PromotionState.LIVE: frozenset({PromotionState.PAUSED, PromotionState.ENDED}),
    PromotionState.PAUSED: frozenset({PromotionState.LIVE, PromotionState.ENDED}),
    PromotionState.ENDED: frozenset(),
}


class UseState(StrEnum):
    RESERVED = "reserved"  # an order that is not paid yet
    SPENT = "spent"
    RETURNED = "returned"  # that order was never paid


USE: Final[dict[UseState, frozenset[UseState]]] = {
    UseState.RESERVED: frozenset({UseState.SPENT, UseState.RETURNED}),
    UseState.RETURNED: frozenset({UseState.RESERVED}),  # late money, if the budget still allows it
    UseState.SPENT: frozenset(),
}


class Kind(StrEnum):
    AMOUNT = "amount"
    PERCENT = "percent"
    FREE_SHIPPING = "free_shipping"


class Scope(StrEnum):
    """Of which goods it takes something off."""

    ALL = "all"
    STATION = "station"
    SELLER = "seller"
    CATEGORY = "category"
    LISTINGS = "listings"
