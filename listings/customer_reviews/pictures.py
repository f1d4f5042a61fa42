"""Pictures of reviews, in a folder of their own: nobody sees one before the station did. What no review keeps is swept."""

import shutil
import time
from pathlib import Path
from typing import Final

from sqlalchemy import select

from listings.customer_reviews.models import ReviewPicture
from marketplace.core.db import db
from marketplace.core.settings import settings

A_DAY: Final = 24 * 3600  # seconds: a form may have been sent whose review is not written yet


def folder() -> Path:
    return settings().private_media_folder / "reviews"


def sweep() -> None:
    """The worker's: pictures that belong to no review, or to none any more."""
    if not folder().is_dir():
        return
    old = time.time() - A_DAY
    kept = set(db.session.scalars(select(ReviewPicture.digest)))
    db.session.rollback()
    for place in folder().glob("*/*"):
        if place.name not in kept and place.stat().st_mtime < old:
            shutil.rmtree(place, ignore_errors=True)
