"""The whole way of a question. Pure: what is not written here cannot happen.

A question is born waiting; what holds nothing to look at is open in the same moment."""

from enum import StrEnum
from typing import Final


class QuestionState(StrEnum):
    WAITING = "waiting"  # for the station's look: the seller does not see it yet
    OPEN = "open"
    ANSWERED = "answered"
    HIDDEN = "hidden"
    WITHDRAWN = "withdrawn"  # by whoever asked: nothing of it is left


Q = QuestionState
QUESTION: Final[dict[QuestionState, frozenset[QuestionState]]] = {
    Q.WAITING: frozenset({Q.OPEN, Q.HIDDEN, Q.WITHDRAWN}),
    Q.OPEN: frozenset({Q.ANSWERED, Q.HIDDEN, Q.WITHDRAWN}),
    Q.ANSWERED: frozenset({Q.HIDDEN, Q.WITHDRAWN}),
    Q.HIDDEN: frozenset({Q.WITHDRAWN}),
    Q.WITHDRAWN: frozenset(),
}
ALIVE: Final = frozenset(QUESTION) - {Q.WITHDRAWN}
UNANSWERED: Final = frozenset({Q.WAITING, Q.OPEN})
