"""Pictures that sellers send: refused with a reason, or kept as three small ones without anything personal in them."""

import json
import subprocess
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from threading import BoundedSemaphore
from time import time
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings.models import Listing, Media
from listings.picture_sizes import TOO_MANY_PIXELS, WIDTHS
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.settings import settings

LARGEST: Final = 10 * 2**20
MOST_OF_A_LISTING: Final = 6
MOST_AT_ONCE: Final = MOST_OF_A_LISTING * LARGEST + 2**20  # with what a form writes around them
AT_ONCE: Final = BoundedSemaphore(1)
PATIENCE: Final = 40  # seconds
JUST_NOW: Final = 3600  # seconds
A_DAY: Final = 24 * 3600  # seconds: a form may have been sent whose row is not written yet
ROOT: Final = Path(__file__).parent.parent


class UnusablePicture(Refusal):
    status = 422
    message = _l("We cannot read this picture. JPEG, PNG and WebP are fine.")


class PictureTooLarge(UnusablePicture):
    message = _l("A picture may have at most 10 MB.")


class TooManyPixels(UnusablePicture):
    message = _l("A picture may have at most 40 megapixels.")


class TooMuchAtOnce(Refusal):
    status = 413
    message = _l("That was more than six pictures of 10 MB each. Please send fewer at once.")


class TooManyPictures(Refusal):
    status = 422
    message = _l("Six pictures are enough for one listing.")


def reencode(raw: bytes, folder: Path | None = None) -> dict[str, Any]:
    """Write the three widths into `folder`, or among the public ones; returns digest, width and height of the largest.

    Raises UnusablePicture and its kinds.
    In a process of its own, one at a time for each web process, and outside any transaction."""
    if len(raw) > LARGEST:
        raise PictureTooLarge
    place = (folder or settings().media_folder).resolve()
    command = [sys.executable, "-m", "listings.reencoding", str(place)]
    with AT_ONCE:
        try:
            done = subprocess.run(command, input=raw, capture_output=True, timeout=PATIENCE, cwd=ROOT, check=False)
        except subprocess.TimeoutExpired as error:
            raise UnusablePicture from error
    if done.returncode == TOO_MANY_PIXELS:
        raise TooManyPixels
    if done.returncode:
        raise UnusablePicture
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def attach(session: Session, *, listing: Listing, uploader_id: int, made: dict[str, Any]) -> None:
    """Put a re-encoded picture behind those the listing has. Raises TooManyPictures."""
    have = session.scalar(select(func.count()).select_from(Media).where(Media.listing_id == listing.id)) or 0
    if have >= MOST_OF_A_LISTING:
        raise TooManyPictures
    session.add(Media(listing_id=listing.id, uploader_id=uploader_id, position=have + 1, **made))
    listing.version += 1


def keep(session: Session, *, uploader_id: int, made: dict[str, Any]) -> str:
    """A re-encoded picture that belongs to no listing yet; returns its public id."""
    row = Media(uploader_id=uploader_id, **made)
    session.add(row)
    session.flush()
    return row.public_id


def arrange(session: Session, listing: Listing, wanted: Sequence[str]) -> None:
    """Make the listing's pictures these, in this order. Others are kept for the orders that show them."""
    for row in session.scalars(select(Media).where(Media.listing_id == listing.id)).all():
        row.listing_id = None
    rows = {row.public_id: row for row in session.scalars(select(Media).where(Media.public_id.in_(wanted)))}
    for position, public_id in enumerate(wanted, start=1):
        rows[public_id].listing_id, rows[public_id].position = listing.id, position
    session.flush()


def detach(session: Session, *, listing: Listing, media: str) -> None:
    """Take a picture away; those behind it move up. Raises NotFound for one of another listing."""
    rows = session.scalars(select(Media).where(Media.listing_id == listing.id).order_by(Media.position)).all()
    gone = next((row for row in rows if row.public_id == media), None)
    if gone is None:
        raise NotFound(media)
    session.delete(gone)
    for position, row in enumerate((row for row in rows if row is not gone), start=1):
        row.position = position
    listing.version += 1


def path_of(session: Session, media: str, width: int) -> Path:
    """Where one width lies. Raises NotFound."""
    digest = session.scalar(select(Media.digest).where(Media.public_id == media)) if width in WIDTHS else None
    if digest is None:
        raise NotFound(media)
    return file_of(settings().media_folder, digest, width)


def remove(folder: Path, digest: str) -> None:
    """The files of a picture that nothing shows any more; not those that were sent just now, whose row is still to come."""
    place = file_of(folder, digest, max(WIDTHS)).parent
    with suppress(FileNotFoundError):
        if time() - place.stat().st_mtime > JUST_NOW:
            rmtree(place)


def sweep(folder: Path, kept: Collection[str]) -> None:
    """Whatever lies in `folder` and is none of these digests, once it is a day old: of forms that were refused, or of rows
    that are gone. Folders within it that are named otherwise are left alone."""
    old = time() - A_DAY
    for place in folder.glob("[0-9a-f][0-9a-f]/*"):
        if place.name not in kept and place.stat().st_mtime < old:
            rmtree(place, ignore_errors=True)


def file_of(folder: Path, digest: str, width: int) -> Path:
    return folder.resolve() / digest[:2] / digest / f"{width}.webp"
