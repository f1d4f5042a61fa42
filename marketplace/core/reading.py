"""How a reader wants the pages: the language and 长辈版 are remembered by cookies, set by plain links, without script."""

from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import Flask, redirect, request
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed

from marketplace.core.formats import language
from marketplace.core.languages import LANGUAGES

CHOICES: Final = {"lang": frozenset(LANGUAGES), "elder": frozenset({"1"})}
ONE_YEAR: Final = 365 * 24 * 3600


def install(app: Flask) -> None:
    """`elder_mode()` and `here(name=value)` for templates; `?elder=1`, `?elder=` and `?lang=en` set the cookie."""
    app.jinja_env.globals.update(elder_mode=elder_mode, here=link_here)
    app.before_request(remember)


def elder_mode() -> bool:
    return "elder" in request.cookies and request.cookies["elder"] == "1"  # `get` raises and catches where it is absent


def appearance() -> tuple[str, bool]:
    """What a text may look like besides what it says: the language and the size."""
    return language(), elder_mode()


def here(**changes: Any) -> str:
    """The address of this page with some of its parameters changed; None takes a parameter away."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    pairs = kept + [(name, value) for name, value in changes.items() if value is not None]
    path = "/" + quote(request.path.lstrip("/\\"))  # "//elsewhere" would be another site
    return f"{path}?{urlencode(pairs)}" if pairs else path


def link_here(**changes: Any) -> str:
    """The same as short as a link can be: without the path where there are parameters, so that pages can share it."""
    address = here(**changes)
    return address[address.find("?") :] if "?" in address else address


def takes_forms_only() -> bool:
    """Somebody looks again at the address of a form that was refused: by the address bar, or a link to another language."""
    return request.method in {"GET", "HEAD"} and isinstance(request.routing_exception, MethodNotAllowed)


def page_above() -> str:
    """The page whose form is sent to this address: of a new one of the same, else the nearest above."""
    adapter, above = request_ctx.url_adapter, request.path.rstrip("/")
    tried = f"{above}/new"
    while above and adapter is not None:
        if adapter.test(tried, "GET"):
            return "/" + quote(tried.lstrip("/\\"))
        tried = above = above.rpartition("/")[0]
    return "/"


def remember() -> ResponseReturnValue | None:
    """A reader asked for a language or a size of text: keep it and show the same page under its own address."""
    asked = {name: request.args[name] for name in CHOICES if name in request.args}
    if request.method not in {"GET", "HEAD"} or not asked:
        return None
    shown = page_above() if takes_forms_only() else here(**dict.fromkeys(asked))
    answer = redirect(shown, 303)
    for name, value in asked.items():
        if value in CHOICES[name]:
            answer.set_cookie(name, value, max_age=ONE_YEAR, secure=request.is_secure, samesite="Lax", httponly=True)
        else:
            answer.delete_cookie(name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
