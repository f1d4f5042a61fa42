"""How a program comes in: with a token whose scope and whose person allow it, JSON that can be read, and for what it makes
a key of its own, under which the same request has one effect and one answer."""

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Response, g, request
from flask_babel import gettext as _, lazy_gettext as _l
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from marketplace.accounts.bearers import Bearer, NotAuthenticated
from marketplace.accounts.permissions import ANYONE, STAFF, NotAllowed, reaches_of
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.tokens import TokenScope
from marketplace.api.sentences import sentence
from marketplace.core import forgery, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.forms import Form

View = TypeVar("View", bound=Callable[..., Any])
Asked = TypeVar("Asked", bound=BaseModel)
KEY: Final = "Idempotency-Key"
LONGEST_KEY: Final = 255
KEYS: Final = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
MOST_BYTES: Final = 64 * 1024
EMPTY: Final = (b"", b"{}", b"null")
WRITES_AN_HOUR: Final = 1200


class ScopeMissing(Refusal):
    """The token was not made for this, whatever its person may do."""

    status = 403
    message = _l("This key was not made for that.")


class NotJson(Refusal):
    status = 415
    message = _l("Send JSON, as Content-Type: application/json.")


class TooLarge(Refusal):
    status = 413
    message = _l("That is more than 64 kB.")


class KeyWithOtherRequest(Refusal):
    message = _l("This Idempotency-Key came with another request before. Nothing was done. Take a new one.")


class Unfit(Refusal):
    """Something that was sent cannot be; `wrong` points at it."""

    status = 422
    message = _l("Something in it is wrong.")

    def __init__(self, *wrong: tuple[str, str]) -> None:
        super().__init__(str([where for where, _words in wrong]))
        self.wrong = wrong


def with_token(action: str, *scopes: TokenScope) -> Callable[[View], View]:
    """Let in a token that has one of these scopes, if its person may do `action` by the table of permissions.

    Leaves in `g.stations` the stations this person may touch, None where they may touch all; staff count as such only where
    the token was made with their second factor. Raises NotAuthenticated, ScopeMissing, NotAllowed."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            bearer: Bearer | None = g.person
            if bearer is None:
                raise NotAuthenticated
            if not bearer.scopes & set(scopes):
                raise ScopeMissing(action)
            reaches = reaches_of(action)
            allowed = ({ANYONE} | bearer.roles) & reaches.keys()
            allowed = allowed if bearer.has_second_factor else allowed - STAFF
            if not allowed:
                raise NotAllowed(action)
            is_everywhere = any(reaches[role] == "everywhere" for role in allowed)
            g.stations = None if is_everywhere else frozenset(bearer.stations_of(allowed))
            if request.method == "POST":
                hit("api.write", bearer.session_id, limit=WRITES_AN_HOUR, seconds=HOUR, is_watched=True)
            try:
                return view(*args, **kwargs)
            except Refusal as refusal:
                if request.method == "POST" and is_of_body(refusal) and was_used():
                    raise KeyWithOtherRequest(str(refusal)) from None
                raise

        guarded.action = action  # type: ignore[attr-defined]
        return forgery.exempt(guarded)  # type: ignore[return-value]

    return decorate


def read_body(kind: type[Asked]) -> Asked:
    """What was sent, as a type. Raises NotJson, TooLarge, Unfit."""
    if request.mimetype != "application/json":
        raise NotJson(request.mimetype)
    request.max_content_length = MOST_BYTES
    try:
        return kind.model_validate_json(request.get_data())
    except RequestEntityTooLarge:
        raise TooLarge from None
    except ValidationError as error:
        raise Unfit(*((pointer(each["loc"]), sentence(each)) for each in error.errors())) from None


def pointer(place: Sequence[int | str]) -> str:
    """A JSON pointer into the body (RFC 6901), as a fragment; `#` is all of it."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)


def check(form: Form, places: dict[str, str]) -> None:
    """The house's own rules, as they hold for its pages. `places` says by what pointer a field was sent. Raises Unfit."""
    if not form.validate():
        raise Unfit(*((places[field.name], str(field.errors[0])) for field in form if field.errors))


def typed(**values: object) -> MultiDict[str, str]:
    """As a page would have sent it: what is None was left empty."""
    given: MultiDict[str, str] = MultiDict()
    for name, value in values.items():
        for each in value if isinstance(value, list | tuple) else (value,):
            given.add(name, "" if each is None else str(each))
    return given


def key() -> str:
    """The request's own key. Raises Unfit where there is none, or one that could not be."""
    given = request.headers.get(KEY, "")
    if not KEYS.fullmatch(given):
        raise Unfit((KEY, _("It has 1 to 255 plain characters without spaces, and is new for each request.")))
    return given


def is_of_body(refusal: Refusal) -> bool:
    """What was sent could not be taken: it is too much, of another type, or unfit."""
    return isinstance(refusal, Unfit) or refusal.status in {TooLarge.status, NotJson.status}


def was_used() -> bool:
    """A request was answered under this key: one that cannot be taken is another."""
    given = request.headers.get(KEY, "")
    return KEYS.fullmatch(given) is not None and idempotency.is_known(db.session(), scope=scope(), key=given)


def scope() -> str:
    """A key belongs to a person, so that a second token of theirs repeats nothing."""
    return f"api:{g.person.public_id}"


def unasked() -> str | None:
    """What came where nothing is asked for: it says nothing, but another one is another request. Raises TooLarge."""
    request.max_content_length = MOST_BYTES
    try:
        raw = request.get_data().strip()
    except RequestEntityTooLarge:
        raise TooLarge from None
    return None if raw in EMPTY else hashlib.sha256(raw).hexdigest()


def idempotency_of(body: BaseModel | None) -> tuple[str, str, Any]:
    """Whose key it is, and what it was sent with: one address with one body."""
    sent = body.model_dump(mode="json") if body else unasked()
    return scope(), key(), [request.path, sent]


def once(command: Callable[..., BaseModel], /, *, body: BaseModel | None, **arguments: Any) -> Response:
    """Run it in a transaction, and answer 201 with what it says; the same request again is given the same answer.

    A refusal is not kept: it did nothing, and the same key may try again. Raises KeyWithOtherRequest."""
    ran: list[bool] = []

    def run(session: Session, **given: Any) -> str:
        ran.append(True)
        return command(session, **given).model_dump_json()

    def attempt(session: Session, /, **given: Any) -> str:
        ran.clear()
        return idempotency.once(session, run, idempotency=idempotency_of(body), **given)

    try:
        return created(in_transaction(attempt, **arguments), is_repeated=not ran)
    except idempotency.KeyReused as reused:
        raise KeyWithOtherRequest(*reused.args) from None


def known_answer(session: Session, *, body: BaseModel | None) -> str | None:
    """What this request was answered before, for what cannot be done within one transaction. Raises KeyWithOtherRequest."""
    try:
        return idempotency.answer_of(session, idempotency=idempotency_of(body))
    except idempotency.KeyReused as reused:
        raise KeyWithOtherRequest(*reused.args) from None


def created(text: str, *, is_repeated: bool) -> Response:
    answer = Response(text, 201, content_type="application/json")
    if is_repeated:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer
