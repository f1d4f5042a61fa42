"""What the doors of a case have in common: the case in words, and its pictures, which nobody else gets to see."""

from typing import Any, Final

from flask import Response
from flask_babel import gettext as _

from listings.views import sending
from marketplace.core.db import db
from marketplace.core.settings import settings
from marketplace.orders.cases import appealing, paying_back, queries, telling
from marketplace.orders.cases.finding import Reach
from marketplace.orders.cases.states import Party
from marketplace.payments.gateways import current_book

NO_STORE: Final = {"Cache-Control": "no-store"}


def told(case: str, reach: Reach, party: Party | None) -> dict[str, Any]:
    """What every page of a case shows, and whether this reader may ask the province. Raises NotFound."""
    session = db.session()
    shown = queries.show(session, case, reach)
    waits = shown.row.is_open or shown.is_with_the_province
    return {
        "shown": shown,
        "stake_fen": paying_back.at_stake(session, shown.row, shown.parcel) if waits else 0,
        "standing": telling.standing(shown),
        "stops": telling.timeline(shown),
        "telling": telling,
        "may_ask": party is not None and appealing.may_ask(session, shown.row, party),
        "book": current_book(),
    }


def picture_answer(case: str, picture: str, width: str, reach: Reach) -> Response:
    """The re-encoded picture, kept by the reader's own browser at most. Raises NotFound."""
    found = queries.picture(db.session(), case, picture, reach)
    return sending.picture_answer(settings().private_media_folder, found.digest, width)


def asked() -> str:
    return str(_("The province has been asked. It reads what everybody wrote and decides."))
