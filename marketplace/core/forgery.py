"""Forms come from our own pages, or their sender confirms them.

Pages for strangers are cached and alike for all of them, so they carry no token: their forms are known by what the browser
says of its own accord (Sec-Fetch-Site, Origin, else Referer). A session's forms carry a token as well. Where nothing is
known, or the token is too old, a page with a token of its own asks to send the same once more, with all that was typed."""

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, render_template, request
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms.validators import ValidationError

from marketplace.core.errors import Refusal
from marketplace.core.settings import settings

View = TypeVar("View", bound=Callable[..., Any])
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN: Final = "csrf_token"
TOKEN_HEADER: Final = "X-CSRF-Token"
TOKEN_SECONDS: Final = 12 * 3600


class ForeignForm(Refusal):
    """The browser says that another site sent this."""

    status = 403
    message = _l("This form was sent by another site. Nothing was done. Please open the page here and try again.")


def install(app: Flask, *, is_signed_in: Callable[[], bool]) -> None:
    """After whatever loads the visitor: `is_signed_in` is asked before each request that may change something."""
    app.config["WTF_CSRF_TIME_LIMIT"] = TOKEN_SECONDS
    app.jinja_env.globals["csrf_token"] = lambda: generate_csrf() if is_signed_in() else ""

    @app.before_request
    def check() -> tuple[str, int] | None:
        if request.method in SAFE or request.endpoint is None or is_exempt(current_app.view_functions[request.endpoint]):
            return None
        known = comes_from_us()
        if known is False:
            raise ForeignForm(request.endpoint)
        if has_valid_token() or (known and not is_signed_in()):
            return None
        return confirmation(), 400


def exempt(view: View) -> View:
    """For views that know their sender by a signature: webhooks."""
    view.forms_are_not_checked = True  # type: ignore[attr-defined]
    return view


def is_exempt(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "forms_are_not_checked", False))


def comes_from_us() -> bool | None:
    """True or False as the browser says it; None where it says nothing that helps."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}  # none: the person's own doing, such as reloading
    origin = request.headers.get("Origin")
    if origin and origin != "null":
        return is_ours(origin)
    return is_ours(referrer) if (referrer := request.headers.get("Referer")) else None


def is_ours(address: str) -> bool:
    """By the name the request came to, or the one people reach us by where a proxy stands in front."""
    try:
        parts = urlsplit(address)
    except ValueError:  # such as http://[
        return False
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin in {request.host_url.rstrip("/"), settings().base_url.rstrip("/")}


def has_valid_token() -> bool:
    try:
        validate_csrf(request.form.get(TOKEN) or request.headers.get(TOKEN_HEADER))
    except ValidationError:
        return False
    return True


def confirmation() -> str:
    """The page that asks to send it once more. Passwords are typed again, and files chosen again: a page holds neither."""
    typed = [(name, value) for name, value in request.form.items(multi=True) if name != TOKEN]
    return render_template(
        "confirm.html",
        action=request.full_path.rstrip("?"),
        token=generate_csrf(),
        typed=[(name, value) for name, value in typed if not is_secret(name)],
        secrets=[name for name, _value in typed if is_secret(name)],
        files=[name for name, file in request.files.items(multi=True) if file.filename],
    )


def is_secret(name: str) -> bool:
    return "password" in name.lower()
