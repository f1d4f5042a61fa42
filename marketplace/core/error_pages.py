"""What a visitor sees when something was refused, is not there, or went wrong: a sentence in their language, and a way on.

Programs that ask the JSON face get the same as a problem document (RFC 9457)."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy.exc import OperationalError, TimeoutError as NoPlaceInPool
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from marketplace.core import logs, reading
from marketplace.core.errors import NotFound, Refusal

COME_AGAIN: Final = "5"  # seconds
WORDS: Final = re.compile(r"(?<!^)(?=[A-Z])")  # where a word begins in the name of a refusal
MESSAGES: Final[dict[int, LazyString]] = {
    400: _l("We could not read what was sent. Please go back and try again."),
    403: _l("Your role does not allow this."),
    404: NotFound.message,
    405: _l("This address does not accept that."),
    413: _l("That is too big to be sent. Pictures may have at most 10 MB."),
    500: _l("Something went wrong on our side. Nothing was lost. Please try again."),
    503: _l("We are busy right now. Please try again in a moment."),
}

FORMS_ONLY: Final = _l("Only a filled-in form comes to this address. Here is the page with the form.")


def install(app: Flask) -> None:
    app.register_error_handler(Refusal, show_refusal)
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(OperationalError, show_silence)
    app.register_error_handler(NoPlaceInPool, show_silence)
    app.before_request(refuse_impossible_addresses)


def refuse_impossible_addresses() -> None:
    """No name of ours has a NUL in it, and PostgreSQL would not even compare one."""
    if "\0" in request.path:
        raise NotFound(request.endpoint)


def show_refusal(refusal: Refusal) -> ResponseReturnValue:
    if is_of_programs():
        kind = WORDS.sub("-", type(refusal).__name__).lower()
        said = str(refusal.message)
        return problem(refusal.status, said, refusal.headers, kind=f"urn:problem:{kind}", wrong=refusal.wrong)
    return page(refusal.status, refusal.message, refusal.headers)


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400 or error.response is not None:
        return error  # a redirect, or an answer made elsewhere
    headers = {"Allow": ", ".join(sorted(error.valid_methods or ()))} if isinstance(error, MethodNotAllowed) else {}
    if reading.takes_forms_only():
        return page(status, FORMS_ONLY, headers, above=reading.page_above())
    return page(status, MESSAGES.get(status) or MESSAGES[400 if status < 500 else 500], headers)


def show_silence(error: Exception) -> ResponseReturnValue:
    """The database does not answer, or has no place: that passes. The page that says so asks it nothing more."""
    logs.report(current_app._get_current_object(), error)  # type: ignore[attr-defined]
    return page(503, MESSAGES[503], {"Retry-After": COME_AGAIN}, cart_count=lambda: 0)


def is_of_programs() -> bool:
    return request.path.startswith("/api/")


def page(status: int, message: LazyString, headers: Mapping[str, str], **shown: Any) -> Response:
    if is_of_programs():
        return problem(status, str(message), headers)
    try:
        shown |= {"message": message, "status": status, "request_id": logs.request_id()}
        body = render_template("refusal.html", **shown)
    except Exception:
        # the page itself may need what has just failed
        logging.getLogger(__name__).exception("the page that says so failed as well")
        return Response(f"{message}\n", status, headers, content_type="text/plain; charset=utf-8")
    return Response(body, status, headers, content_type="text/html; charset=utf-8")


def problem(
    status: int,
    title: str,
    headers: Mapping[str, str] | None = None,
    *,
    kind: str = "about:blank",
    wrong: Sequence[tuple[str, str]] = (),
) -> Response:
    """`kind` is the rule that was broken; `wrong` says of each part that was sent wrongly where it is, and what it lacks."""
    told = {"type": kind, "status": status, "title": title, "instance": f"urn:request:{logs.request_id()}"}
    document = told | {"errors": [{"pointer": where, "detail": words} for where, words in wrong]}
    return Response(json.dumps(document, ensure_ascii=False), status, headers, content_type="application/problem+json")
