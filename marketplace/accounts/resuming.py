"""What somebody typed into a form whose session had ended: it goes through signing in and comes back to be sent."""

from typing import Any, Final

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadData, URLSafeTimedSerializer

from marketplace.core.forgery import TOKEN, is_secret

KEPT_SECONDS: Final = 3600
LARGEST: Final = 32_000


def serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="resume")


def ask_to_sign_in(endpoint: str) -> ResponseReturnValue:
    """The page of signing in, in place of the answer; the form that was sent travels in it, signed."""
    typed = [(name, value) for name, value in request.form.items(multi=True) if name != TOKEN and not is_secret(name)]
    kept = serializer().dumps({"path": request.full_path.rstrip("?"), "typed": typed})
    if len(kept) > LARGEST:
        kept = ""
    view: Any = current_app.view_functions[endpoint]
    return view(resume=kept), 401


def typed_in(resume: str) -> dict[str, Any] | None:
    """What was kept: {"path", "typed"}; None for nothing, rubbish or something too old."""
    if not resume:
        return None
    try:
        found: dict[str, Any] = serializer().loads(resume, max_age=KEPT_SECONDS)
    except BadData:
        return None
    return found


def go_on(resume: str, onward: str) -> ResponseReturnValue:
    """After signing in: to the form that waits, to be sent once more, or on to `onward`, a path of this site."""
    kept = typed_in(resume)
    if kept is None:
        return redirect(onward, 303)
    return render_template(
        "confirm.html", action=kept["path"], token=generate_csrf(), typed=kept["typed"], secrets=[], files=[]
    )


def path_of_ours(path: str, otherwise: str) -> str:
    """`path` if it leads to a page of this site; browsers read a backslash as a slash, and drop control characters."""
    is_plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_plain else otherwise


def home_of(roles: frozenset[str]) -> str:
    """Where a person's work begins, when they asked for nothing else."""
    if roles & {"station_manager", "station_clerk"}:
        return "/station"
    return "/seller" if "seller" in roles else url_for("accounts.show_account")
