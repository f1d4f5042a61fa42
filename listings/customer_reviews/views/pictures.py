"""Pictures of reviews as forms send them and as readers get them."""

from typing import Any

from flask import Response

from listings.customer_reviews.models import ReviewPicture
from listings.customer_reviews.pictures import folder
from listings.customer_reviews.writing import MOST_PICTURES
from listings.views import sending


def reencoded(field: str) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The pictures that came, small and without anything personal in them; and what was wrong with some."""
    return sending.reencoded(field, most=MOST_PICTURES, folder=folder())


def answer(picture: ReviewPicture, width: str, *, is_public: bool) -> Response:
    """The re-encoded picture; kept for an hour at most, since it may be hidden or taken away. Raises NotFound."""
    return sending.picture_answer(folder(), picture.digest, width, is_public=is_public)
