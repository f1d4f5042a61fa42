"""/media: re-encoded pictures. An address always shows the same bytes, so it may be kept for ever."""

from typing import Final

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from listings import pictures
from listings.picture_sizes import WIDTHS
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import NotFound

A_YEAR: Final = 365 * 24 * 3600
NAMES: Final = frozenset(str(width) for width in WIDTHS)

bp = Blueprint("media", __name__)


@bp.get("/media/<media>-<width>.webp")
@requires("media.show")
def show_picture(media: str, width: str) -> ResponseReturnValue:
    if width not in NAMES:
        raise NotFound(width)
    path = pictures.path_of(db.session(), media, int(width))
    try:
        answer = Response(path.read_bytes(), mimetype="image/webp")
    except FileNotFoundError as error:
        raise NotFound(media) from error
    answer.set_etag(f"{media}-{width}")
    answer.cache_control.public, answer.cache_control.immutable, answer.cache_control.max_age = True, True, A_YEAR
    return answer.make_conditional(request)
