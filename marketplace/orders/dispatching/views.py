"""/station/tracking: the carrier's table is pasted or uploaded, looked at row by row, and sent."""

from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l, ngettext
from wtforms import StringField, TextAreaField
from wtforms.validators import Length, Optional

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import Form
from marketplace.orders.dispatching import reading, sending
from marketplace.orders.dispatching.reading import Row, Unreadable
from marketplace.orders.dispatching.sending import Outcome
from marketplace.stations.models import Station

bp = Blueprint("tracking_numbers", __name__, url_prefix="/station/tracking")
FILE: Final = "file"


class TrackingForm(Form):
    carrier = StringField(_l("Courier, if the table names none"), [Optional(), Length(max=reading.LONGEST_CARRIER)])
    table = TextAreaField(_l("Table"), [Optional(), Length(max=reading.LONGEST)])


@bp.get("")
@requires("parcel.handle")
def show_tracking() -> ResponseReturnValue:
    return page(TrackingForm())


@bp.post("")
@requires("parcel.handle")
def create_tracking() -> ResponseReturnValue:
    """A look first; `action` send lets everything leave that can. Sent twice, nothing more leaves."""
    form = TrackingForm(request.form)
    sent = request.files.get(FILE)
    if not form.validate():
        return page(form, 422)
    try:
        if sent is not None and sent.filename:
            text = reading.decoded(sent.read(reading.LONGEST * 4))
            rows = reading.rows(text, str(form.carrier.data or ""))
            form.table.data = text  # what cannot be read is not sent back: it may be a film
        else:
            rows = reading.rows(str(form.table.data or ""), str(form.carrier.data or ""))
    except Unreadable:
        return wrong(form, _("This cannot be read. At most 2,000 rows: label, courier, tracking number."))
    if not rows:
        return wrong(form, _("Paste the courier's table, or choose its file."))
    if request.form.get("action") == "send":
        return send(rows)
    checked = sending.check(db.session(), g.station, rows)
    counts = {outcome.value: sum(each.outcome is outcome for each in checked) for outcome in Outcome}
    return page(form, checked=checked, counts=counts)


def send(rows: Sequence[Row]) -> ResponseReturnValue:
    left = in_transaction(sending.send, station=g.station, rows=rows, actor=f"person:{g.person.id}")
    if left:
        flash(ngettext("%(num)s parcel has left.", "%(num)s parcels have left.", left), "done")
    else:
        flash(_("Nothing to change: all of these have left already, or cannot leave."), "note")
    return redirect(url_for(".show_tracking"), 303)


def wrong(form: TrackingForm, said: str) -> ResponseReturnValue:
    form.table.errors = [said]
    return page(form, 422)


def page(form: TrackingForm, status: int = 200, **shown: Any) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "tracking", "waiting": 0, "today": clock.today(), "form": form}
    given: dict[str, Any] = {"checked": [], "counts": {}} | shown
    return render_template("dispatching/tracking.html", **common, **given), status, {"Cache-Control": "no-store"}
