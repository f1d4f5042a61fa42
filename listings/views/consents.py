"""The picture of a signed paper: never public, shown to the farmer and to the station that keeps it."""

from flask import Response
from flask.typing import ResponseReturnValue

from listings import pictures
from listings.models import Consent
from listings.picture_sizes import WIDTHS
from marketplace.core.errors import NotFound
from marketplace.core.settings import settings


def paper_of(consent: Consent) -> ResponseReturnValue:
    """Raises NotFound where there is none."""
    if consent.picture_digest is None:
        raise NotFound("paper")
    try:
        content = pictures.file_of(settings().private_media_folder, consent.picture_digest, max(WIDTHS)).read_bytes()
    except FileNotFoundError as error:
        raise NotFound("paper") from error
    return Response(content, mimetype="image/webp", headers={"Cache-Control": "no-store"})
