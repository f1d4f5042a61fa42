"""/account/webhooks: addresses of a person's machines, what they were told, and telling them again.
/account/messages: what the person is told, and how."""

import json

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.views_codes import private
from marketplace.core import clock, idempotency, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.steps import take_step
from marketplace.notifications import delivering, endpoints, preferences, publishing, queries
from marketplace.notifications.endpoints import WORDS, EventKind
from marketplace.notifications.forms import EndpointForm, PreferencesForm
from marketplace.notifications.models import Endpoint
from marketplace.notifications.words import DELIVERY_WORDS, ENDPOINT_WORDS, said_of_try, word_of

bp = Blueprint("endpoints", __name__, url_prefix="/account")


@bp.get("/webhooks")
@requires("account.keep")
def show_endpoints() -> ResponseReturnValue:
    rows = endpoints.of_person(db.session(), g.person.id)
    return private(render_template("notifications/endpoints.html", endpoints=rows, words=ENDPOINT_WORDS, word_of=word_of))


@bp.get("/webhooks/new")
@requires("account.change")
def show_new_endpoint() -> ResponseReturnValue:
    return form_page(EndpointForm(data={"kinds": [EventKind.ORDER_PAID, EventKind.PARCEL_SHIPPED]}))


@bp.post("/webhooks")
@requires("account.change")
def create_endpoint() -> ResponseReturnValue:
    """Show its secret, once. The same form sent again makes no second one, and shows none."""
    form = EndpointForm(request.form)
    if not form.validate():
        return form_page(form, 422)
    made: list[endpoints.Made] = []

    def make(session: Session) -> str:
        kinds, is_proven = [EventKind(kind) for kind in form.kinds.data or ()], g.person.has_second_factor
        whose = {"person_id": g.person.id, "has_second_factor": is_proven}
        made[:] = [endpoints.make(session, address=str(form.address.data), kinds=kinds, **whose)]
        return made[0].public_id

    try:
        public_id = in_transaction(idempotency.once, make, idempotency=form.idempotency(f"person:{g.person.id}:endpoint"))
    except Refusal as refusal:
        form.form_errors.append(refusal.message)
        return form_page(form, refusal.status)
    if not made:
        flash(_("This address was entered already, and its secret is shown only once. If need be, take a new one."), "note")
        return redirect(url_for(".show_endpoint", address=public_id), 303)
    return secret_page(made[0], 201)


@bp.get("/webhooks/<address>")
@requires("account.keep")
def show_endpoint(address: str) -> ResponseReturnValue:
    session = db.session()
    row = queries.endpoint(session, address, g.person.id)
    shown = {"deliveries": queries.deliveries(session, row.id), "kinds": [WORDS[EventKind(kind)] for kind in row.kinds]}
    words = {"words": ENDPOINT_WORDS, "delivery_words": DELIVERY_WORDS, "word_of": word_of, "said_of_try": said_of_try}
    return private(render_template("notifications/endpoint.html", endpoint=row, now=clock.now(), **shown, **words))


@bp.post("/webhooks/<address>/secret")
@requires("account.change")
def create_secret(address: str) -> ResponseReturnValue:
    """Sent twice, the second one counts, as whoever presses again has not copied the first; the old one signs on."""
    hit("endpoint.secret", g.person.public_id, limit=10, seconds=HOUR, is_watched=True)
    return secret_page(in_transaction(endpoints.replace_secret, endpoint=address, person_id=g.person.id), 201)


@bp.post("/webhooks/<address>/<any(pause, resumption, end):step>")
@requires("account.change")
def create_step(address: str, step: str) -> ResponseReturnValue:
    command = {"pause": endpoints.switch_off, "resumption": endpoints.switch_on, "end": endpoints.end}[step]
    back = url_for(".show_endpoints") if step == "end" else url_for(".show_endpoint", address=address)
    return take_step(command, back, endpoint=address, person_id=g.person.id)


@bp.post("/webhooks/<address>/test")
@requires("account.keep")
def create_test(address: str) -> ResponseReturnValue:
    """An event that tells nothing, to see whether it arrives."""
    hit("endpoint.test", g.person.public_id, limit=60, seconds=HOUR)
    in_transaction(write_test, endpoint=address, person_id=g.person.id)
    flash(_("A test is on its way. The result appears below in a moment."), "done")
    return redirect(url_for(".show_endpoint", address=address), 303)


def write_test(session: Session, *, endpoint: str, person_id: int) -> None:
    row: Endpoint = endpoints.get_own(session, endpoint, person_id)
    fact = f"{endpoints.TEST}:{ids.public_id()}"
    publishing.write(session, row, kind=endpoints.TEST, fact=fact, at=clock.now(), data={})


@bp.get("/webhooks/deliveries/<delivery>")
@requires("account.keep")
def show_delivery(delivery: str) -> ResponseReturnValue:
    session = db.session()
    row, endpoint = queries.delivery(session, delivery, g.person.id)
    content = json.dumps(json.loads(row.body), ensure_ascii=False, indent=2)
    shown = {"delivery": row, "endpoint": endpoint, "tries": queries.tries(session, row.id), "content": content}
    words = {"delivery_words": DELIVERY_WORDS, "word_of": word_of, "said_of_try": said_of_try}
    return private(render_template("notifications/delivery.html", **shown, **words))


@bp.post("/webhooks/deliveries/<delivery>/replay")
@requires("account.keep")
def create_replay(delivery: str) -> ResponseReturnValue:
    hit("delivery.replay", g.person.public_id, limit=300, seconds=HOUR)
    back = url_for(".show_delivery", delivery=delivery)
    return take_step(delivering.replay, back, done=_("It is sent once more."), delivery=delivery, person_id=g.person.id)


@bp.get("/messages")
@requires("account.keep")
def show_preferences() -> ResponseReturnValue:
    session = db.session()
    person = session.get_one(Person, g.person.id)
    known = {preferences.MAIL: person.email is not None, preferences.SMS: person.phone is not None}
    silences = preferences.silences_of(session, person.id)
    shown = {"choices": preferences.CHOICES, "ways": preferences.WAYS, "known": known, "silences": silences}
    return private(render_template("notifications/preferences.html", **shown))


@bp.post("/messages")
@requires("account.keep")
def create_preferences() -> ResponseReturnValue:
    form = PreferencesForm(request.form)
    if not form.validate():
        flash(_("Please choose one of these."), "failed")
    else:
        in_transaction(preferences.keep, person_id=g.person.id, wanted=form.pairs)
        flash(_("Saved."), "done")
    return redirect(url_for(".show_preferences"), 303)


def form_page(form: EndpointForm, status: int = 200) -> ResponseReturnValue:
    return private(render_template("notifications/new_endpoint.html", form=form), status)


def secret_page(made: endpoints.Made, status: int) -> ResponseReturnValue:
    return private(render_template("notifications/secret.html", endpoint=made.public_id, secret=made.secret), status)
