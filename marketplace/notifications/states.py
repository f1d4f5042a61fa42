"""The lives of a partner's endpoint and of one delivery to it. Pure."""

from enum import StrEnum
from typing import Final


class EndpointState(StrEnum):
    ON = "on"
    OFF = "off"
    ENDED = "ended"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


E = EndpointState
D = DeliveryState

ENDPOINT: Final[dict[E, frozenset[E]]] = {
    E.ON: frozenset({E.OFF, E.ENDED}),
    E.OFF: frozenset({E.ON, E.ENDED}),
    E.ENDED: frozenset(),
}
DELIVERY: Final[dict[D, frozenset[D]]] = {
    D.WAITING: frozenset({D.DELIVERED, D.GIVEN_UP}),
    D.DELIVERED: frozenset({D.WAITING}),  # replayed by hand
    D.GIVEN_UP: frozenset({D.WAITING}),
}
