"""The province that a visitor wants to know about: said in the address (`?to=610000`), remembered in a cookie.

Without script, and without losing cached pages: the page cache keeps one page for each province (core.page_cache)."""

from typing import Any, Final

from flask import Flask, Response, request
from sqlalchemy.orm import Session

from marketplace.core.formats import language
from marketplace.core.reading import ONE_YEAR
from marketplace.core.records import record
from marketplace.orders import shipping

NAME: Final = "to"
EXAMPLE: Final = "140000"
MOST_SHOWN: Final = 20  # characters of a place that we do not know


@record
class Destination:
    """`unknown`: what was asked for in vain; then, and while nobody has chosen, it is Shanxi, as an example."""

    code: str
    name: str
    is_chosen: bool
    unknown: str
    choices: tuple[tuple[str, str], ...]  # code and name of each, in the reader's language


def current(session: Session) -> Destination:
    """Where this request wants to know about; one statement."""
    asked = request.args.get(NAME, "").strip()
    choices = in_words(session)
    names = dict(choices)
    wanted = asked or request.cookies.get(NAME, "")
    code = wanted if wanted in names else EXAMPLE
    unknown = asked[:MOST_SHOWN] if asked and asked not in names else ""
    return Destination(code, names.get(code, ""), wanted in names, unknown, choices)


def in_words(session: Session) -> tuple[tuple[str, str], ...]:
    number = 2 if language() == "en" else 1
    return tuple((row[0], row[number]) for row in shipping.provinces(session))


def remember(answer: Response, destination: Destination) -> Response:
    """Whoever asked for a province by the address is asked about it no more, in this browser."""
    asked = request.args.get(NAME, "").strip()
    if asked == destination.code and request.cookies.get(NAME) != asked:
        kept: dict[str, Any] = {"max_age": ONE_YEAR, "secure": request.is_secure, "samesite": "Lax", "httponly": True}
        answer.set_cookie(NAME, asked, **kept)
    return answer


def install(app: Flask) -> None:
    """`other_questions()` for the form that chooses: what the address asks besides."""
    app.jinja_env.globals["other_questions"] = other_questions


def other_questions() -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in request.args.items(multi=True) if name not in {NAME, "lang", "elder"})
