"""Pictures of reviews as forms send them and as readers get them."""

from typing import Any, Final

from flask import Response, request

from listings import pictures
from listings.customer_reviews.models import ReviewPicture
from listings.customer_reviews.pictures import folder
from listings.customer_reviews.writing import MOST_PICTURES
from listings.picture_sizes import WIDTHS
from marketplace.core.errors import NotFound

NAMES: Final = frozenset(str(width) for width in WIDTHS)


def reencoded(field: str) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The pictures that came, small and without anything personal in them; and what was wrong with some."""
    made, wrong = [], []
    for sent in request.files.getlist(field)[: MOST_PICTURES + 1]:
        if sent.filename:
            try:
                made.append(pictures.reencode(sent.stream.read(pictures.LARGEST + 1), folder()))
            except pictures.UnusablePicture as refusal:
                wrong.append(f"{sent.filename[:60]}: {refusal.message}")
        sent.close()
    return made, tuple(wrong)


def answer(picture: ReviewPicture, width: str, *, is_public: bool) -> Response:
    """The re-encoded picture; kept for an hour at most, since it may be hidden or taken away. Raises NotFound."""
    if width not in NAMES:
        raise NotFound(width)
    try:
        content = pictures.file_of(folder(), picture.digest, int(width)).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(picture.public_id) from error
    whose = "public" if is_public else "private"
    return Response(content, mimetype="image/webp", headers={"Cache-Control": f"{whose}, max-age=3600"})
