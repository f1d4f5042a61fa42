"""What the doors of a case have in common: the case in words, and its pictures, which nobody else gets to see."""

from typing import Any, Final

from flask import Response
from flask_babel import gettext as _

from listings.picture_sizes import WIDTHS
from listings.pictures import file_of
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.settings import settings
from marketplace.orders.cases import appealing, queries, telling
from marketplace.orders.cases.finding import Reach
from marketplace.orders.cases.states import Party
from marketplace.payments.gateways import current_book

NO_STORE: Final = {"Cache-Control": "no-store"}
NAMES: Final = frozenset(str(width) for width in WIDTHS)


def told(case: str, reach: Reach, party: Party | None) -> dict[str, Any]:
    """What every page of a case shows, and whether this reader may ask the province. Raises NotFound."""
    session = db.session()
    shown = queries.show(session, case, reach)
    return {
        "shown": shown,
        "standing": telling.standing(shown),
        "stops": telling.timeline(shown),
        "telling": telling,
        "may_ask": party is not None and appealing.may_ask(session, shown.row, party),
        "book": current_book(),
    }


def picture_answer(case: str, picture: str, width: str, reach: Reach) -> Response:
    """The re-encoded picture, kept by the reader's own browser at most. Raises NotFound."""
    found = queries.picture(db.session(), case, picture, reach)
    if width not in NAMES:
        raise NotFound(width)
    try:
        content = file_of(settings().private_media_folder, found.digest, int(width)).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(picture) from error
    return Response(content, mimetype="image/webp", headers={"Cache-Control": "private, max-age=3600"})


def asked() -> str:
    return str(_("The province has been asked. It reads what everybody wrote and decides."))
