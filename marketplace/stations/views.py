"""/station/details: the manager says when the station is open and how much it can pack."""

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import IntegerField, StringField
from wtforms.validators import Length, NumberRange

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import Form, Needed
from marketplace.stations import keeping
from marketplace.stations.models import Station

bp = Blueprint("station_details", __name__, url_prefix="/station/details")


class DetailsForm(Form):
    opening_hours_zh = StringField(
        _l("Opening hours, in Chinese"), [Needed(_l("Write down when the station is open.")), Length(max=60)]
    )
    opening_hours_en = StringField(
        _l("Opening hours, in English"), [Needed(_l("Write down when the station is open.")), Length(max=60)]
    )
    daily_capacity = IntegerField(
        _l("Parcels a day"), [Needed(_l("Enter how many parcels the station can pack a day.")), NumberRange(1, 10_000)]
    )


@bp.get("")
@requires("station.keep")
def show_details() -> ResponseReturnValue:
    return page(DetailsForm(obj=db.session.get_one(Station, g.station)))


@bp.post("")
@requires("station.keep")
def create_details() -> ResponseReturnValue:
    form = DetailsForm(request.form)
    if not form.validate():
        return page(form, 422)
    given: dict[str, Any] = form.data
    in_transaction(keeping.keep, station=g.station, actor=f"person:{g.person.id}", **given)
    flash(_("Saved. The station's page shows it now."), "done")
    return redirect(url_for(".show_details"), 303)


def page(form: DetailsForm, status: int = 200) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "details", "waiting": 0, "today": clock.today()}
    return render_template("station/details.html", form=form, **common), status, {"Cache-Control": "no-store"}
