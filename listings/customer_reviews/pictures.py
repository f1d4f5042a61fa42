"""Pictures of reviews, in a folder of their own: nobody sees one before the station did. What no review keeps is swept."""

import shutil
import time
from pathlib import Path
from typing import Any, Final

from flask import Response, request
from sqlalchemy import select

from listings import pictures
from listings.customer_reviews.models import ReviewPicture
from listings.customer_reviews.writing import MOST_PICTURES
from listings.picture_sizes import WIDTHS
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.settings import settings

NAMES: Final = frozenset(str(width) for width in WIDTHS)
A_DAY: Final = 24 * 3600  # a form that was sent and whose review is not written yet


def folder() -> Path:
    return settings().private_media_folder / "reviews"


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


def sweep() -> None:
    """The worker's: pictures that belong to no review, or to none any more."""
    if not folder().is_dir():
        return
    old = time.time() - A_DAY
    found = [place for place in folder().glob("*/*") if place.stat().st_mtime < old]
    kept = set(db.session.scalars(select(ReviewPicture.digest).where(ReviewPicture.digest.in_([p.name for p in found]))))
    db.session.rollback()
    for place in found:
        if place.name not in kept:
            shutil.rmtree(place, ignore_errors=True)
