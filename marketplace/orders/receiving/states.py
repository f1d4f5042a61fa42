"""The whole way of what is offered instead. Pure: anything not written here cannot happen."""

from enum import StrEnum
from typing import Final


class SubstituteState(StrEnum):
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"  # nobody answered in time, or nothing of the parcel is sent any more


S = SubstituteState
SUBSTITUTE: Final[dict[S, frozenset[S]]] = {S.OFFERED: frozenset({S.ACCEPTED, S.DECLINED, S.LAPSED})} | dict.fromkeys(
    (S.ACCEPTED, S.DECLINED, S.LAPSED), frozenset()
)
