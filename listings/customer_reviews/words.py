"""How pages and letters speak of reviews."""

from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from listings.customer_reviews.states import Reason

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.INSULT: _l("it insults somebody"),
    Reason.NAMES_SOMEBODY: _l("it names a person, a phone number or an address"),
    Reason.ADVERT: _l("it is an advert"),
    Reason.OFF_TOPIC: _l("it is not about the goods"),
    Reason.SHOWS_SOMEBODY: _l("a picture shows a face or a child"),
}
STARS: Final[dict[int, LazyString]] = {
    5: _l("very good"),
    4: _l("good"),
    3: _l("middling"),
    2: _l("not so good"),
    1: _l("bad"),
}


def stars(number: int) -> str:
    """For the page, and for whoever hears it."""
    return str(_("%(number)s of 5 stars, %(words)s", number=number, words=STARS[number]))


def short_stars(number: int) -> str:
    return str(_("%(number)s: %(words)s", number=number, words=STARS[number]))
