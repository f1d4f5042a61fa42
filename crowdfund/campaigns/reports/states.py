"""The life of a statutory report. Pure: nothing else can happen."""

from enum import StrEnum
from typing import Final


class ReportState(StrEnum):
    DRAFTED = "drafted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


S = ReportState
REPORT: Final[dict[ReportState, frozenset[ReportState]]] = {
    S.DRAFTED: frozenset({S.PUBLISHED, S.WITHDRAWN}),
    S.PUBLISHED: frozenset(),
    S.WITHDRAWN: frozenset(),
}
