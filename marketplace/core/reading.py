"""How a reader wants the pages: 长辈版 is remembered by a cookie, set by a plain link, without script."""

from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

ELDER_COOKIE: Final = "elder"
ONE_YEAR: Final = 365 * 24 * 3600


def install(app: Flask) -> None:
    """`elder_mode()` and `here(name=value)` for templates; `?elder=1` and `?elder=` set the cookie and go on."""
    app.jinja_env.globals.update(elder_mode=elder_mode, here=here)
    app.before_request(remember)


def elder_mode() -> bool:
    return request.cookies.get(ELDER_COOKIE) == "1"


def here(**changes: Any) -> str:
    """The address of this page with some of its parameters changed; None takes a parameter away."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    pairs = kept + [(name, value) for name, value in changes.items() if value is not None]
    path = "/" + request.path.lstrip("/")  # "//elsewhere" would be another site
    return f"{path}?{urlencode(pairs)}" if pairs else path


def remember() -> ResponseReturnValue | None:
    """A reader asked for the larger or the usual size: keep it and show the same page under its own address."""
    if request.method != "GET" or "elder" not in request.args:
        return None
    answer = redirect(here(elder=None), 303)
    if request.args["elder"] == "1":
        answer.set_cookie(ELDER_COOKIE, "1", max_age=ONE_YEAR, samesite="Lax", httponly=True)
    else:
        answer.delete_cookie(ELDER_COOKIE)
    answer.headers["Cache-Control"] = "no-store"
    return answer
