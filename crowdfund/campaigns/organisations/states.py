"""The way of what somebody writes down about an organisation. Pure."""

from enum import StrEnum
from typing import Final


class EntryState(StrEnum):
    WRITTEN = "written"  # one person's word
    CONFIRMED = "confirmed"  # another found the same in the register
    REFUSED = "refused"


E = EntryState
ENTRY: Final[dict[EntryState, frozenset[EntryState]]] = {
    E.WRITTEN: frozenset({E.CONFIRMED, E.REFUSED}),
    E.CONFIRMED: frozenset(),
    E.REFUSED: frozenset(),
}
