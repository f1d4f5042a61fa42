"""Pictures as a form sends them: each re-encoded outside any transaction, then kept by a command, once for each form."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import Response, current_app, g, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.datastructures import FileStorage

from listings import pictures
from listings.picture_sizes import WIDTHS
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import idempotency
from marketplace.core.db import in_transaction
from marketplace.core.errors import NotFound

KEPT_SECONDS: Final = HOUR // 2  # for a page that is mended and sent again; what belongs to nothing is swept after a day
AN_HOUR: Final = 120  # pictures of one person
WIDTH_NAMES: Final = frozenset(str(width) for width in WIDTHS)


def allow_pictures(endpoints: frozenset[str]) -> Callable[[str | None, dict[str, Any] | None], None]:
    """Before anything reads the form: where pictures come, more may come at once (werkzeug keeps them on disk)."""

    def allow(endpoint: str | None, _values: dict[str, Any] | None) -> None:
        if endpoint and endpoint.rpartition(".")[2] in endpoints:
            request.max_content_length = pictures.MOST_AT_ONCE

    return allow


def sent(name: str) -> list[FileStorage]:
    """The files of a field; a browser sends an empty one for none."""
    return [file for file in request.files.getlist(name) if file.filename]


def made_of(file: FileStorage, folder: Path | None = None) -> dict[str, Any]:
    """Re-encoded, among the public ones unless a folder is given. Raises UnusablePicture and its kinds, TooMany."""
    hit("pictures", g.person.public_id, limit=AN_HOUR, seconds=HOUR)
    try:
        return pictures.reencode(file.stream.read(pictures.LARGEST + 1), folder)
    finally:
        file.close()


def reencoded(name: str, *, most: int, folder: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Pictures that are not everybody's, small and without anything personal in them; and what was wrong with some.

    One more than `most` are read at most: enough to say that they are too many. Those that can be read are carried by
    the page if it is shown again (`g.kept_pictures`), so that nobody has to choose them twice."""
    made, wrong = kept(name, folder)[: most + 1], list[str]()
    for file in sent(name)[: most + 1 - len(made)]:
        try:
            made.append(pictures.reencode(file.stream.read(pictures.LARGEST + 1), folder))
        except pictures.UnusablePicture as refusal:
            wrong.append(f"{str(file.filename)[:60]}: {refusal.message}")
        finally:
            file.close()
    g.kept_pictures = [signer().dumps(each) for each in made[:most]]
    return made, tuple(wrong)


def signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="kept picture")


def kept(name: str, folder: Path) -> list[dict[str, Any]]:
    """Pictures of this form that came before, when something else in it was wrong, and that still lie there."""
    found = list[dict[str, Any]]()
    for token in request.form.getlist(f"{name}_kept"):
        try:
            made: dict[str, Any] = signer().loads(token, max_age=KEPT_SECONDS)
        except BadData:
            continue
        if made not in found and pictures.file_of(folder, made["digest"], WIDTHS[0]).is_file():
            found.append(made)
    return found


def picture_answer(folder: Path, digest: str, width: str, *, is_public: bool = False) -> Response:
    """One width of a re-encoded picture, kept for an hour at most, by the reader's own browser unless it is public.

    Raises NotFound."""
    if width not in WIDTH_NAMES:
        raise NotFound(width)
    try:
        content = pictures.file_of(folder, digest, int(width)).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(width) from error
    whose = "public" if is_public else "private"
    return Response(content, mimetype="image/webp", headers={"Cache-Control": f"{whose}, max-age=3600"})


def add_pictures(command: Callable[..., str], whose: dict[str, Any], key: str) -> list[str]:
    """Keep those that can be kept; what was wrong with the others. Sent again under the same key, they are there once."""
    said = []
    for place, file in enumerate(sent("pictures")):
        name = str(file.filename)[:60]
        try:
            made = made_of(file)
            once = (f"person:{g.person.id}:{whose['code']}", f"{key}:{place}", made["digest"])
            in_transaction(idempotency.once, command, idempotency=once, made=made, **whose)
        except (pictures.UnusablePicture, pictures.TooManyPictures) as refusal:
            said.append(f"{name}: {refusal.message}")
    return said
