"""What programs send as a form with files: its fields by the same types as JSON, its files as streams."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Final, TypeVar

from flask import request
from flask_babel import gettext as _, lazy_gettext as _l
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from marketplace.api.doors import Unfit, pointer
from marketplace.api.sentences import sentence
from marketplace.core.errors import Refusal

MULTIPART: Final = "multipart/form-data"
Asked = TypeVar("Asked", bound=BaseModel)


class NotAForm(Refusal):
    status = 415
    message = _l("Send a form with files, as Content-Type: multipart/form-data.")


def read_parts(kind: type[Asked], *, files: Collection[str], most_bytes: int, too_much: Refusal) -> Asked:
    """The fields of the form that was sent, where a number is text; its files wait in `request.files`.

    `files` are the names that may hold some. Raises NotAForm, `too_much` beyond `most_bytes`, Unfit."""
    if request.mimetype != MULTIPART:
        raise NotAForm(request.mimetype)
    request.max_content_length = most_bytes
    try:
        fields, sent = request.form.to_dict(), request.files.keys()
    except RequestEntityTooLarge:
        raise too_much from None
    strange = [(pointer([name]), _("There is no such field.")) for name in sent if name not in files]
    textual = [(pointer([name]), _("Send it as a file, with a name.")) for name in files if name in fields]
    if strange or textual:
        raise Unfit(*strange, *textual)
    try:
        return kind.model_validate(fields, strict=False)
    except ValidationError as error:
        raise Unfit(*((pointer(each["loc"]), sentence(each)) for each in error.errors())) from None


def digests_of(sent: Sequence[FileStorage]) -> list[str]:
    """What these files contain, as SHA-256; each can be read from its beginning afterwards."""
    found = []
    for each in sent:
        found.append(hashlib.file_digest(each.stream, "sha256").hexdigest())  # type: ignore[arg-type]
        each.stream.seek(0)
    return found
