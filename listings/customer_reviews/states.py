"""The whole way of a customer's review, and of each of its pictures. Pure: what is not written here cannot happen.

A review is born waiting; what holds nothing to look at is shown in the same moment."""

from enum import StrEnum
from typing import Final


class ReviewState(StrEnum):
    WAITING = "waiting"  # for the station's look
    SHOWN = "shown"
    HIDDEN = "hidden"  # a line in its place says so, and why
    WITHDRAWN = "withdrawn"  # by its author: nothing of it is left


R = ReviewState
CUSTOMER_REVIEW: Final[dict[ReviewState, frozenset[ReviewState]]] = {
    R.WAITING: frozenset({R.SHOWN, R.HIDDEN, R.WITHDRAWN}),
    R.SHOWN: frozenset({R.WAITING, R.HIDDEN, R.WITHDRAWN}),
    R.HIDDEN: frozenset({R.SHOWN, R.WAITING, R.WITHDRAWN}),
    R.WITHDRAWN: frozenset(),
}


class PictureState(StrEnum):
    WAITING = "waiting"  # always: nobody sees a picture before the station did
    SHOWN = "shown"
    HIDDEN = "hidden"


PICTURE: Final[dict[PictureState, frozenset[PictureState]]] = {
    PictureState.WAITING: frozenset({PictureState.SHOWN, PictureState.HIDDEN}),
    PictureState.SHOWN: frozenset({PictureState.HIDDEN}),
    PictureState.HIDDEN: frozenset(),
}


class Reason(StrEnum):
    """Why something is hidden. The list is closed: that somebody is not content is no reason."""

    INSULT = "insult"
    NAMES_SOMEBODY = "names_somebody"  # a person, a phone number, an address
    ADVERT = "advert"
    OFF_TOPIC = "off_topic"
    SHOWS_SOMEBODY = "shows_somebody"  # a picture with a face or a child
