"""The ways of an institution, of its checks of what came, and of its monthly statements. Pure."""

from enum import StrEnum
from typing import Final


class InstitutionState(StrEnum):
    APPLIED = "applied"
    ACTIVE = "active"
    PAUSED = "paused"
    REFUSED = "refused"
    CLOSED = "closed"


S = InstitutionState
INSTITUTION: Final[dict[InstitutionState, frozenset[InstitutionState]]] = {
    S.APPLIED: frozenset({S.ACTIVE, S.REFUSED}),
    S.ACTIVE: frozenset({S.PAUSED, S.CLOSED}),
    S.PAUSED: frozenset({S.ACTIVE, S.CLOSED}),
    S.REFUSED: frozenset(),
    S.CLOSED: frozenset(),  # what it owes stays payable
}


class CheckState(StrEnum):
    ACCEPTED = "accepted"
    CLAIMED = "claimed"
    AGREED = "agreed"
    REJECTED = "rejected"


CHECK: Final[dict[CheckState, frozenset[CheckState]]] = {
    CheckState.ACCEPTED: frozenset(),
    CheckState.CLAIMED: frozenset({CheckState.AGREED, CheckState.REJECTED}),
    CheckState.AGREED: frozenset(),
    CheckState.REJECTED: frozenset(),
}


class StatementState(StrEnum):
    OPEN = "open"
    OVERDUE = "overdue"
    PAID = "paid"
    VOID = "void"


STATEMENT: Final[dict[StatementState, frozenset[StatementState]]] = {
    StatementState.OPEN: frozenset({StatementState.PAID, StatementState.OVERDUE, StatementState.VOID}),
    StatementState.OVERDUE: frozenset({StatementState.PAID, StatementState.VOID}),
    StatementState.PAID: frozenset(),
    StatementState.VOID: frozenset(),  # everything on it was credited
}
PAYABLE: Final = frozenset({StatementState.OPEN, StatementState.OVERDUE})
