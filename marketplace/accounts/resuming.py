"""What somebody typed into a form whose session had ended: it goes through signing in and comes back to be sent."""

from typing import Any, Final

from flask import current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadData, URLSafeTimedSerializer

from marketplace.accounts import visitors
from marketplace.core.forgery import TOKEN, is_secret

KEPT_SECONDS: Final = 3600
LARGEST: Final = 32_000


def serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="resume")


def ask_to_sign_in(endpoint: str) -> ResponseReturnValue:
    """The page of signing in, in place of the answer; the form that was sent travels in it, signed."""
    given = [(name, value) for name, value in request.form.items(multi=True) if name != TOKEN]
    kept = serializer().dumps(
        {
            "person": visitors.was_here(),
            "path": request.full_path.rstrip("?"),
            "typed": [(name, value) for name, value in given if not is_secret(name)],
            "secrets": [name for name, _value in given if is_secret(name)],
            "files": [name for name, file in request.files.items(multi=True) if file.filename],
        }
    )
    if len(kept) > LARGEST:
        kept = ""
    view: Any = current_app.view_functions[endpoint]
    return view(resume=kept), 401


def typed_in(resume: str) -> dict[str, Any] | None:
    """What was kept; None for nothing, rubbish or something too old."""
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
    if kept is None or kept["person"] not in {"", g.person.public_id}:  # one person's form is never sent by another
        return redirect(onward, 303)
    fields = {name: kept[name] for name in ("typed", "secrets", "files")}
    return render_template("confirm.html", action=kept["path"], token=generate_csrf(), **fields)


def path_of_ours(path: str, otherwise: str) -> str:
    """`path` if it leads to a page of this site; browsers read a backslash as a slash, and drop control characters."""
    is_plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_plain else otherwise
