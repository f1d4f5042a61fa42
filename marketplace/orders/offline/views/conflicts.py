"""/station/conflicts: what was written without a network and does not fit, for a person to decide."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.steps import told
from marketplace.orders import desk
from marketplace.orders.offline import conflicts, queries, syncing
from marketplace.orders.offline.forms import DecisionForm, decision_form
from marketplace.orders.offline.states import Decision
from marketplace.orders.offline.words import FIELD_WORDS, PROBLEM_WORDS, STEP_WORDS
from marketplace.stations.models import Station
from marketplace.stations.queues import OtherQueue

bp = Blueprint("desk_conflicts", __name__, url_prefix="/station/conflicts")


def queue(session: Session, station: str) -> OtherQueue:
    """Among the station's queues: what a person has to decide."""
    waiting = queries.count_conflicts(session, station)
    note = _l("Written without a network")
    return OtherQueue(url_for("desk_conflicts.show_conflicts"), "swap", _l("Does not fit together"), note, waiting)


@bp.get("")
@requires("parcel.handle")
def show_conflicts() -> ResponseReturnValue:
    return conflicts_page({})


@bp.post("/<key>")
@requires("parcel.handle")
def create_decision(key: str) -> ResponseReturnValue:
    """A decision that was sent twice is taken once."""
    found = next((each for each in queries.conflicts_of(db.session(), g.station) if each.key == key), None)
    back = redirect(url_for(".show_conflicts"), 303)
    if found is None:
        if not syncing.is_of_station(db.session(), key, g.station):
            raise NotFound(key)
        flash(_("This was decided already."), "note")
        return back
    form = decision_form(found.problem, found.choices, request.form)
    if not form.validate():
        return conflicts_page({key: form}, 422)
    given = {"act": key, "station": g.station, "person_id": g.person.id, "note": str(form.note.data or "")}
    try:
        parcel = in_transaction(conflicts.decide, decision=Decision(form.decision.data), **given)
    except Refusal as refusal:
        flash(*told(refusal))
        return back
    syncing.go_on(parcel)
    flash(_("Decided."), "done")
    return back


def conflicts_page(refused: dict[str, DecisionForm], status: int = 200) -> ResponseReturnValue:
    """`refused`: forms that were not accepted, with what was chosen and typed."""
    shown = queries.conflicts_of(db.session(), g.station)
    forms = {each.key: refused.get(each.key) or decision_form(each.problem, each.choices) for each in shown}
    page = render_template(
        "station/offline/conflicts.html",
        station=db.session.get_one(Station, g.station),
        desk_current="today",
        waiting=0,
        today=clock.today(),
        conflicts=shown,
        decision_forms=forms,
        problems=PROBLEM_WORDS,
        steps=STEP_WORDS,
        fields=FIELD_WORDS,
        states=desk.WORDS,
    )
    return page, status, {"Cache-Control": "no-store"}
