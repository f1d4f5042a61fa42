"""The way of a settlement batch and of each of its lines. Pure."""

from enum import StrEnum
from typing import Final


class BatchState(StrEnum):
    DRAFTED = "drafted"
    APPROVED = "approved"
    SENT = "sent"
    CLOSED = "closed"


BATCH: Final[dict[BatchState, frozenset[BatchState]]] = {
    BatchState.DRAFTED: frozenset({BatchState.APPROVED}),
    BatchState.APPROVED: frozenset({BatchState.SENT}),
    BatchState.SENT: frozenset({BatchState.CLOSED}),
    BatchState.CLOSED: frozenset(),
}


class LineState(StrEnum):
    DUE = "due"
    SENT = "sent"
    CONFIRMED = "confirmed"
    RETURNED = "returned"


LINE: Final[dict[LineState, frozenset[LineState]]] = {
    LineState.DUE: frozenset({LineState.SENT}),
    LineState.SENT: frozenset({LineState.CONFIRMED, LineState.RETURNED}),
    LineState.CONFIRMED: frozenset(),
    LineState.RETURNED: frozenset(),  # its owner is owed again, on a line of the next batch
}


class LeftOut(StrEnum):
    """Why somebody is named in a batch and not paid by it; they stay owed."""

    NO = ""
    UNVERIFIED = "unverified"
    FROZEN = "frozen"
    NOTHING_OWED = "nothing_owed"
    UNDER_WAY = "under_way"  # an earlier payment is not answered yet
    CHANGED = "changed"  # the account, since the draft
    SMALLER = "smaller"  # what is owed, since the draft: a refund came between
