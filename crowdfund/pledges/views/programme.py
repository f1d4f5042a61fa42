"""/programme: the programme office reserves devices for confirmed pledges, sends them, and decides what was held up."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.pledges import confirming, desks, devices, queries, telling
from crowdfund.pledges.forms import ReasonForm
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, Refusal, StaleState

bp = Blueprint("programme", __name__, url_prefix="/programme")
STEPS: Final = {"receipt": devices.receive, "check": devices.check, "dispatch": devices.send}


@bp.get("")
@requires("device.keep")
def show_office() -> ResponseReturnValue:
    return office_page(ReasonForm())


def office_page(form: ReasonForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    shown: dict[str, Any] = {"office": desks.office(session), "programmes": queries.programmes(session)}
    body = render_template("programme/office.html", telling=telling, form=form, **shown)
    return body, status, {"Cache-Control": "no-store"}


@bp.post("/pledges/<pledge>/assignment")
@requires("device.keep")
def create_assignment(pledge: str) -> ResponseReturnValue:
    return done(devices.assign, pledge=pledge)


@bp.post("/pledges/<pledge>/decision")
@requires("device.keep")
def create_decision(pledge: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return office_page(form, 422)
    goes_on = request.form.get("decision") == "go-on"
    return done(confirming.decide, pledge=pledge, goes_on=goes_on, reason=str(form.reason.data))


@bp.post("/devices/<device>/<step>")
@requires("device.keep")
def create_step(device: str, step: str) -> ResponseReturnValue:
    command = STEPS.get(step)
    if command is None:
        raise NotFound(step)
    return done(command, device=device)


def done(command: Any, **arguments: Any) -> ResponseReturnValue:
    try:
        in_transaction(command, actor=f"person:{g.person.public_id}", **arguments)
    except NotFound:
        raise
    except (StaleState, IllegalTransition):
        flash(_("This step was already taken or is no longer possible. Here is the current state."), "note")
    except Refusal as refusal:
        flash(refusal.message, "failed")
    else:
        flash(_("Done."), "done")
    return redirect(url_for(".show_office"), 303)
