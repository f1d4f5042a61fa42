"""What places, stages and terms are called."""

from datetime import date
from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from crowdfund.campaigns.states import PlaceState as L, TermState as T
from crowdfund.campaigns.students.calendar import Term

STAGES: Final[dict[str, LazyString]] = {
    "primary": _l("primary school"),
    "junior": _l("junior secondary"),
    "senior": _l("senior secondary"),
    "vocational": _l("vocational school"),
    "college": _l("college"),
}
PLACES: Final[dict[L, tuple[LazyString, str]]] = {
    L.OFFERED: (_l("Waiting for a sponsor"), "now"),
    L.HELD: (_l("Held for a first gift"), "info"),
    L.TAKEN: (_l("Sponsored"), "give"),
    L.LEFT: (_l("Left the school"), ""),
    L.FINISHED: (_l("Finished"), ""),
}
TERMS: Final[dict[T, tuple[LazyString, str]]] = {
    T.OPENED: (_l("Money set aside, proof of enrolment missing"), "now"),
    T.PROVED: (_l("Proof waits for the second person"), "now"),
    T.ENROLLED: (_l("Enrolment seen, ready to be paid"), "give"),
    T.BILLED: (_l("Payment to the school"), "give"),
    T.VOID: (_l("Closed, money back in the campaign"), ""),
}


def term(starts_on: date) -> str:
    """2026 autumn term."""
    if Term(starts_on).is_autumn:
        return str(_("%(year)s autumn term", year=starts_on.year))
    return str(_("%(year)s spring term", year=starts_on.year))
