"""The life of an act that a phone wrote while it had no network. Pure: anything not written here cannot happen."""

from enum import StrEnum
from typing import Final


class ActState(StrEnum):
    RECEIVED = "received"
    WAITING = "waiting"  # for the step before it, which another phone may still hold
    APPLIED = "applied"
    ALREADY_SO = "already_so"  # another phone did the same
    CONFLICT = "conflict"  # a person decides
    DISMISSED = "dismissed"
    CORRECTED = "corrected"  # what it says of shelf or courier holds


A = ActState
ACT: Final[dict[ActState, frozenset[ActState]]] = {
    A.RECEIVED: frozenset({A.WAITING, A.APPLIED, A.ALREADY_SO, A.CONFLICT}),
    A.WAITING: frozenset({A.APPLIED, A.ALREADY_SO, A.CONFLICT}),
    A.CONFLICT: frozenset({A.APPLIED, A.DISMISSED, A.CORRECTED}),
} | dict.fromkeys((A.APPLIED, A.ALREADY_SO, A.DISMISSED, A.CORRECTED), frozenset())

OPEN: Final = frozenset({A.WAITING, A.CONFLICT})


class Problem(StrEnum):
    """Why an act needs a person."""

    NO_SUCH_PARCEL = "no_such_parcel"
    WENT_OTHERWISE = "went_otherwise"
    OTHER_DETAILS = "other_details"
    HANDED_OVER_TWICE = "handed_over_twice"
    WRONG_CODE = "wrong_code"
    DISPUTED = "disputed"
    NOT_POSSIBLE = "not_possible"
    NOT_UNDERSTOOD = "not_understood"
    NEVER_CAME = "never_came"
    FOLLOWS_DISMISSED = "follows_dismissed"


class Decision(StrEnum):
    LEAVE = "leave"  # as it stands here
    AGAIN = "again"  # take the step now
    MINE = "mine"  # the shelf or courier that the phone wrote is the right one
