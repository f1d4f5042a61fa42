"""The ways of a dispute. Pure. Money is no state: it moves when the gateway says that it was taken, or given again."""

from enum import StrEnum
from typing import Final


class DisputeState(StrEnum):
    INQUIRY = "inquiry"  # the bank asks; no money is taken
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"  # an inquiry that came to nothing


D = DisputeState
OPEN: Final = frozenset({D.NEEDS_RESPONSE, D.UNDER_REVIEW})
"""While it is so, nothing of this payment is paid out, spent or refunded."""
ANSWERABLE: Final = frozenset({D.INQUIRY, D.NEEDS_RESPONSE})
DISPUTE: Final[dict[DisputeState, frozenset[DisputeState]]] = {
    D.INQUIRY: frozenset({D.NEEDS_RESPONSE, D.UNDER_REVIEW, D.WON, D.LOST, D.CLOSED}),
    D.NEEDS_RESPONSE: frozenset({D.UNDER_REVIEW, D.WON, D.LOST}),
    D.UNDER_REVIEW: frozenset({D.NEEDS_RESPONSE, D.WON, D.LOST}),
    D.LOST: frozenset({D.UNDER_REVIEW, D.WON}),  # an appeal
    D.WON: frozenset(),
    D.CLOSED: frozenset({D.NEEDS_RESPONSE, D.UNDER_REVIEW, D.WON, D.LOST}),  # what lay between may never be seen
}
