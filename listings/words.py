"""A listing's states in words, for pages and for sheets."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from listings.states import ListingState as L

STATES: Final[dict[L, LazyString]] = {
    L.DRAFT: _l("draft"),
    L.SUBMITTED: _l("with the station"),
    L.REJECTED: _l("needs changes"),
    L.PUBLISHED: _l("for sale"),
    L.PAUSED: _l("paused"),
    L.SUSPENDED: _l("suspended"),
    L.ARCHIVED: _l("removed"),
}
