"""Pictures as a form sends them: each re-encoded outside any transaction, then kept by a command, once for each form."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import g, request
from werkzeug.datastructures import FileStorage

from listings import pictures
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import idempotency
from marketplace.core.db import in_transaction

AN_HOUR: Final = 120  # pictures of one person


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
