"""/station/complaints: a station's manager points goods out to the province, and reads what was decided."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings.complaints import complaining, queries, words
from listings.complaints.forms import StationComplaintForm
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.languages import chosen
from marketplace.stations import desk

CURRENT: Final = "complaints"  # of the desk's links

bp = Blueprint("station_complaints", __name__, url_prefix="/station/complaints")


@bp.get("")
@requires("complaint.make_at_desk")
def list_complaints() -> ResponseReturnValue:
    return complaints_page(StationComplaintForm(goods=request.args.get("goods", "")[:30]))


def complaints_page(form: StationComplaintForm, status: int = 200) -> ResponseReturnValue:
    rows = queries.of_station(db.session(), g.station)
    return desk.page("complaints/station.html", CURRENT, status, rows=rows, form=form, words=words, most=queries.MOST)


@bp.post("")
@requires("complaint.make_at_desk")
def create_complaint() -> ResponseReturnValue:
    form = StationComplaintForm(request.form)
    if not form.validate():
        return complaints_page(form, 422)
    given: dict[str, Any] = {"fault": form.chosen, "words": str(form.words.data), "language": chosen()}
    given |= {"reporter_id": g.person.id, "station": g.station, "code": str(form.goods.data).upper()}
    key = form.idempotency(f"complaint:person:{g.person.id}:{g.station}")
    try:
        in_transaction(idempotency.once, complaining.complain, idempotency=key, **given)
    except NotFound:
        form.goods.errors = [_("Nothing with this number is for sale.")]
        return complaints_page(form, 422)
    except Refusal as refusal:
        form.goods.errors = [refusal.message]
        return complaints_page(form, 422)
    flash(_("The province has it now, and looks at these goods."), "done")
    return redirect(url_for(".list_complaints"), 303)
