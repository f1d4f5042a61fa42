"""The lives of a listing and of an edit of one. Pure: anything not written here cannot happen."""

from enum import StrEnum
from typing import Final


class ListingState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    REJECTED = "rejected"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    ARCHIVED = "archived"


L = ListingState
LISTING: Final[dict[ListingState, frozenset[ListingState]]] = {
    L.DRAFT: frozenset({L.SUBMITTED, L.ARCHIVED}),
    L.SUBMITTED: frozenset({L.PUBLISHED, L.REJECTED}),
    L.REJECTED: frozenset({L.DRAFT, L.ARCHIVED}),
    L.PUBLISHED: frozenset({L.PAUSED, L.SUSPENDED, L.ARCHIVED}),
    L.PAUSED: frozenset({L.PUBLISHED, L.SUSPENDED, L.ARCHIVED}),
    L.SUSPENDED: frozenset({L.PUBLISHED, L.ARCHIVED}),
    L.ARCHIVED: frozenset(),
}

FOR_SALE: Final = frozenset({L.PUBLISHED, L.PAUSED})
"""What the station has let in: price and stock change at once, what it *is* by an edit that the station accepts."""


REVISED: Final = FOR_SALE | {L.SUSPENDED}
"""What the station has let in once. While the province keeps it off sale, an edit waits for the province instead."""


class RevisionState(StrEnum):
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


R = RevisionState
REVISION: Final[dict[RevisionState, frozenset[RevisionState]]] = {
    R.SUBMITTED: frozenset({R.ACCEPTED, R.REJECTED}),
    R.ACCEPTED: frozenset(),
    R.REJECTED: frozenset(),
}
