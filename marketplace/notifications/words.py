"""How the pages of endpoints speak of them."""

from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from marketplace.notifications.endpoints import TEST, WORDS, EventKind
from marketplace.notifications.states import DeliveryState as D, EndpointState as E

ENDPOINT_WORDS: Final[dict[E, tuple[LazyString, str]]] = {  # words, and the kind of tag
    E.ON: (_l("on"), "verified"),
    E.OFF: (_l("switched off"), "urgent"),
    E.ENDED: (_l("ended"), ""),
}
DELIVERY_WORDS: Final[dict[D, tuple[LazyString, str]]] = {
    D.WAITING: (_l("waiting"), "now"),
    D.DELIVERED: (_l("delivered"), "verified"),
    D.GIVEN_UP: (_l("given up"), "urgent"),
}
TROUBLES: Final[dict[str, LazyString]] = {
    "not_public": _l("the address is not on the open internet"),
    "certificate": _l("its certificate is not good"),
    "no_such_name": _l("nobody has this name"),
    "too_slow": _l("it took too long"),
    "no_connection": _l("nobody answered"),
    "no_http": _l("what came back is no answer"),
    "failed": _l("it failed"),
}


def word_of(kind: str) -> str:
    return str(_("Test")) if kind == TEST else str(WORDS[EventKind(kind)])


def said_of_try(status: int | None, trouble: str | None) -> str:
    """What came of one try; empty where there was none."""
    if status is not None:
        return str(_("answered %(status)s", status=status))
    known: Any = TROUBLES.get(trouble or "", "")
    return str(known)
