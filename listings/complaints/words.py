"""How what may be wrong with goods is said."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from listings.complaints.states import ComplaintState, Fault

FAULTS: Final[dict[Fault, LazyString]] = {
    Fault.UNTRUE: _l("They are not what the page says"),
    Fault.UNSAFE: _l("They are unsafe or spoilt"),
    Fault.FORBIDDEN: _l("They may not be sold"),
    Fault.STOLEN: _l("Pictures, words or papers are somebody else's"),
    Fault.OTHER: _l("Something else"),
}
STATES: Final[dict[ComplaintState, LazyString]] = {
    ComplaintState.OPEN: _l("the province looks at it"),
    ComplaintState.UPHELD: _l("taken off sale"),
    ComplaintState.DISMISSED: _l("left as it is"),
}
