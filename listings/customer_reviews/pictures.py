"""Pictures of reviews, in a folder of their own: nobody sees one before the station did. What no review keeps is swept."""

from pathlib import Path

from sqlalchemy import select

from listings import pictures
from listings.customer_reviews.models import ReviewPicture
from marketplace.core.db import db
from marketplace.core.settings import settings


def folder() -> Path:
    return settings().private_media_folder / "reviews"


def sweep() -> None:
    """The worker's: pictures that belong to no review, or to none any more."""
    kept = set(db.session.scalars(select(ReviewPicture.digest)))
    db.session.rollback()
    pictures.sweep(folder(), kept)
