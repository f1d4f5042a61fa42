"""The files of imports: among what is private, not beside the pictures of goods, until they are read."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from flask_babel import lazy_gettext as _l

from marketplace.core import ids
from marketplace.core.errors import Refusal
from marketplace.core.settings import settings

LARGEST_SHEET: Final = 10 * 2**20
LARGEST_ZIP: Final = 60 * 2**20
PART: Final = 2**16


class SheetTooLarge(Refusal):
    status = 413
    message = _l("A sheet may have at most 10 MB.")


class ZipTooLarge(Refusal):
    status = 413
    message = _l("A ZIP of pictures may have at most 60 MB. Please send fewer pictures at once, or smaller ones.")


def folder() -> Path:
    return settings().private_media_folder.resolve() / "imports"


def path_of(name: str) -> Path:
    return folder() / name


def keep_sheet(sent: IO[bytes]) -> str:
    """Its name here. Raises SheetTooLarge."""
    return keep(sent, LARGEST_SHEET, SheetTooLarge())


def keep_pictures(sent: IO[bytes]) -> str:
    """Its name here. Raises ZipTooLarge."""
    return keep(sent, LARGEST_ZIP, ZipTooLarge())


def keep(sent: IO[bytes], most: int, refusal: Refusal) -> str:
    name = ids.secret_token()
    folder().mkdir(parents=True, exist_ok=True)
    written = 0
    with path_of(name).open("wb") as kept:
        while part := sent.read(PART):
            written += len(part)
            if written > most:
                break
            kept.write(part)
    if written > most:
        drop(name)
        raise refusal
    return name


def digest_of(name: str) -> str:
    with path_of(name).open("rb") as kept:
        return hashlib.file_digest(kept, "sha256").hexdigest()


def drop(*names: str) -> None:
    """They are of no more use; one that is gone already is no error."""
    for name in filter(None, names):
        path_of(name).unlink(missing_ok=True)


def sweep(before: datetime) -> None:
    """Files that nobody came back for."""
    if folder().is_dir():
        for path in folder().iterdir():
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
