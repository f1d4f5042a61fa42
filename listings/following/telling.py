"""What a message about a favourite says, and the signed link in it that ends such messages with one press."""

from enum import StrEnum
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeSerializer

from listings.following.goods import Good
from listings.following.models import Favourite
from marketplace.core.errors import NotFound
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.core.settings import settings


class News(StrEnum):
    """The first of these that is true is told; the message says the price as well."""

    BACK = "back"
    SEASON = "season"
    CHEAPER = "cheaper"


def words(row: Favourite, good: Good, news: News) -> str:
    """In the language in which the person asked for it."""
    is_english = row.language == "en"
    known: dict[str, Any] = {
        "title": good.title_en if is_english and good.title_en else good.title_zh,
        "unit": good.unit_en if is_english and good.unit_en else good.unit_zh,
        "price": yuan(good.price_fen),
        "before": yuan(row.saved_price_fen),
    }
    with speaking(row.language):
        lines = [sentence(news, good, known), _("See it: %(url)s", url=page_of(good))]
        return "\n".join([*lines, _("No more messages about it: %(url)s", url=way_out(row))])


def sentence(news: News, good: Good, known: dict[str, Any]) -> str:
    if news is News.BACK:
        return str(_("%(title)s (%(unit)s) is available again, for %(price)s.", **known))
    if news is News.SEASON and good.is_available:
        return str(_("The harvest of %(title)s (%(unit)s) has begun: %(price)s.", **known))
    if news is News.SEASON:
        return str(_("The harvest of %(title)s (%(unit)s) has begun. None is in stock yet.", **known))
    return str(_("%(title)s (%(unit)s) now costs %(price)s; it was %(before)s when you saved it.", **known))


def page_of(good: Good) -> str:
    return f"{settings().base_url}/listings/{good.listing}?variant={good.variant}"


def way_out(row: Favourite) -> str:
    """A page that needs no signing in: the link is signed."""
    return f"{settings().base_url}/favourites/{serializer().dumps(row.public_id)}"


def named_by(token: str) -> str:
    """The public id of the favourite. Raises NotFound for a link that is not ours."""
    try:
        return str(serializer().loads(token))
    except BadData:
        raise NotFound("favourite") from None


def serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="favourite")
