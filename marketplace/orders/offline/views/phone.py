"""/station/offline: the desk in a phone. A page that is alike for everybody, the list of the day, and what comes back."""

import hashlib
from functools import cache
from typing import Any, Final

from flask import Blueprint, Response, current_app, g, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import assets, clock
from marketplace.core.db import db, in_transaction
from marketplace.core.error_pages import problem
from marketplace.core.errors import NotFound, TooMany
from marketplace.core.formats import language
from marketplace.orders.offline import manifest, syncing
from marketplace.orders.offline.sent import Batch, SentAct, read_act, read_batch
from marketplace.orders.offline.states import ActState
from marketplace.orders.offline.steps import PICKUP
from marketplace.orders.offline.syncing import Phone
from marketplace.orders.offline.words import SCREEN

bp = Blueprint("desk_phone", __name__, url_prefix="/station")
ASSETS: Final = ("css/site.css", "css/desk.css", "js/desk.js", "icons.svg", "favicon.svg")
WORKER: Final = "js/desk-worker.js"
LATER, UNREADABLE, OTHER_CONTENT = "later", "unreadable", "other_content"


@bp.get("/offline")
@requires("parcel.handle")
def show_phone() -> ResponseReturnValue:
    """No name, no number, no token stands on it: the phone keeps it, and whoever opens it sees the same."""
    return render_template("station/offline/phone.html", words={name: str(word) for name, word in SCREEN.items()})


@bp.get("/offline/day")
@requires("parcel.handle")
def show_day() -> ResponseReturnValue:
    """The list of the day for this person's phone, with the token that its acts are sent with."""
    if not g.station:
        raise NotFound("station")
    whose = {"station": g.station, "person_id": g.person.id, "person": g.person.public_id}
    answer = jsonify(manifest.of_day(db.session(), **whose) | {"token": generate_csrf()})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/offline/acts")
@requires("parcel.handle")
def create_acts() -> ResponseReturnValue:
    """Take in what a phone sends, each act on its own; the answer says by key what became of it."""
    batch = read_batch(sent_json())
    if batch is None:
        return problem(422, _("We could not read what was sent. Please go back and try again."))
    if batch.owner != manifest.owner(g.person.public_id, g.station):
        return problem(409, str(syncing.OtherPhone.message))
    received = clock.now()
    offset = syncing.offset(batch.sent_at, received)
    phone = Phone(batch.client, g.person.id, g.station, offset)
    try:
        client = in_transaction(syncing.greet, phone=phone)
    except syncing.OtherPhone as refusal:
        return problem(refusal.status, str(refusal.message))
    outcomes = outcomes_of(batch, phone, client)
    return jsonify(outcomes=outcomes, now=manifest.milliseconds(received), token=generate_csrf())


def sent_json() -> Any:
    """The JSON that was sent; None for anything else, however deep it goes."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def outcomes_of(batch: Batch, phone: Phone, client: int) -> list[dict[str, Any]]:
    """In the phone's own order, so that a step comes before the one that follows it."""
    read = [(read_act(document), document) for document in batch.acts]
    acts = sorted((act for act, _document in read if act), key=lambda act: act.sequence)
    keys = [document.get("key") if isinstance(document, dict) else None for act, document in read if act is None]
    unreadable = [{"key": key, "state": UNREADABLE} for key in keys]
    return [take_in(act, phone, client) for act in acts] + unreadable


def take_in(act: SentAct, phone: Phone, client: int) -> dict[str, Any]:
    if act.step == PICKUP and not syncing.is_known(db.session(), act.key):
        try:
            hit("pickup", act.parcel, limit=20, seconds=HOUR)
        except TooMany:
            return {"key": act.key, "state": LATER}
    try:
        verdict = in_transaction(syncing.take_in, act=act, phone=phone, client_id=client)
    except syncing.OtherAct:
        return {"key": act.key, "state": OTHER_CONTENT}
    if verdict.state is ActState.APPLIED:
        syncing.go_on(act.parcel)
    return {"key": act.key, "state": verdict.state, "problem": verdict.problem}


@bp.get("/offline/app.webmanifest")
@requires("desk.install")
def show_app() -> ResponseReturnValue:
    """What a phone installs. Browsers ask for it without a session, and it tells nothing."""
    icon = {"src": current_app.jinja_env.globals["static_url"]("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}  # type: ignore[operator]
    app = {
        "id": url_for(".show_phone"),
        "name": _("Desk of the station"),
        "short_name": _("Desk"),
        "lang": "en" if language() == "en" else "zh-CN",
        "start_url": url_for(".show_phone"),
        "scope": "/station/",
        "display": "standalone",
        "background_color": "#F2EEE6",
        "theme_color": "#123F2F",
        "icons": [icon],
    }
    answer = jsonify(app)
    answer.mimetype = "application/manifest+json"
    return answer


@bp.get("/worker.js")
@requires("desk.install")
def show_worker() -> ResponseReturnValue:
    """The service worker. Its name stays and its content carries the version: so a phone takes over what is new. It may
    answer for /station, beside which it lies."""
    static_url: Any = current_app.jinja_env.globals["static_url"]
    shell = [url_for(".show_phone"), *(static_url(path) for path in ASSETS)]
    text = worker_text(tuple(shell))
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/station"}
    return Response(text, mimetype="text/javascript", headers=headers)


@cache
def worker_text(shell: tuple[str, ...]) -> str:
    program = assets.sources(assets.SOURCES)[WORKER].decode()
    version = hashlib.sha256("\n".join((*shell, program)).encode()).hexdigest()[:12]
    listed = ", ".join(f'"{address}"' for address in shell)
    return f'const VERSION = "{version}";\nconst SHELL = [{listed}];\n{program}\n'
