"""How a presale stands, in words: a sale, and never called anything else."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from crowdfund.presales.states import PresaleState as P

STATES: Final[dict[P, LazyString]] = {
    P.DRAFT: _l("draft"),
    P.SUBMITTED: _l("with the station"),
    P.REJECTED: _l("not opened"),
    P.LIVE: _l("open for buying"),
    P.WAITING_FUNDS: _l("last payments are coming in"),
    P.SUCCESSFUL: _l("reached, waits for the harvest"),
    P.FAILED: _l("fell short, everybody gets everything back"),
    P.DELIVERING: _l("being sent"),
    P.CLOSED: _l("all of it sent"),
    P.DEFAULTED: _l("not sent in time, the rest goes back"),
}
