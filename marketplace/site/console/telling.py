"""The states of an order, and how long ago something was, in the words of the province's desk."""

from datetime import datetime
from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l, ngettext

from marketplace.core import clock
from marketplace.orders.states import OrderState as O

ORDERS: Final[dict[O, tuple[LazyString, str]]] = {
    O.PENDING_PAYMENT: (_l("to be paid"), ""),
    O.PLACED_ON_ACCOUNT: (_l("on account"), "pledge"),
    O.PAID: (_l("paid for"), "give"),
    O.COMPLETED: (_l("completed"), "give"),
    O.EXPIRED: (_l("not paid in time"), ""),
    O.CANCELLED: (_l("cancelled"), ""),
}


def ago(moment: datetime) -> str:
    """Of a moment that is over: in minutes, hours or days."""
    minutes = int((clock.now() - moment).total_seconds()) // 60
    if minutes < 1:
        return str(_("just now"))
    if minutes < 60:
        return str(ngettext("1 min ago", "%(num)d min ago", minutes))
    if minutes < 24 * 60:
        return str(ngettext("1 h ago", "%(num)d h ago", minutes // 60))
    return str(ngettext("1 day ago", "%(num)d days ago", minutes // (24 * 60)))
