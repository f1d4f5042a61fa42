"""/station/shelf: what waits to be picked up, by shelf; the buyer's code leads to their parcel."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.records import slim_record
from marketplace.orders.forms import PickupForm
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import GOES_AHEAD, ParcelState as S
from marketplace.stations.models import Station

bp = Blueprint("shelf", __name__, url_prefix="/station/shelf")
MOST: Final = 500


@slim_record
class Waiting:
    """A parcel on the shelf."""

    parcel: str
    label: str
    shelf: str
    recipient: str
    phone: str
    code: str
    since: datetime | None
    state: S


def waiting(session: Session, station: str) -> list[Waiting]:
    """By shelf, A-2 before A-11 where they are written alike; who has waited longest first. One statement."""
    wanted = (
        select(Parcel.public_id, Order.number, Parcel.number.label("position"), Parcel.shelf, Order.recipient, Order.phone)
        .add_columns(Parcel.pickup_code, Parcel.dispatched_at, Parcel.state)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.station_code == station, Parcel.state.in_((S.READY_FOR_PICKUP, S.UNCOLLECTED)))
        .where(Order.state.in_(GOES_AHEAD))
        .order_by(Parcel.dispatched_at, Parcel.id)
    )
    found = [
        Waiting(name, f"{number}-{place}", shelf, who, phone, code or "", since, state)
        for name, number, place, shelf, who, phone, code, since, state in session.execute(wanted.limit(MOST))
    ]
    return sorted(found, key=lambda each: (len(each.shelf), each.shelf))


@bp.get("")
@requires("parcel.handle")
def show_shelf() -> ResponseReturnValue:
    return page(PickupForm(), waiting(db.session(), g.station))


@bp.post("")
@requires("parcel.handle")
def find_on_shelf() -> ResponseReturnValue:
    """Changes nothing: the parcel is shown, and one press more hands it over."""
    form, there = PickupForm(request.form), waiting(db.session(), g.station)
    if not form.validate():
        return page(form, there, status=422)
    hit("pickup.find", str(g.station), limit=200, seconds=HOUR)
    code = str(form.code.data)
    found = [each for each in there if each.state is S.READY_FOR_PICKUP and hmac.compare_digest(each.code, code)]
    if not found:
        form["code"].errors = [_("No parcel on the shelf has this code.")]
        return page(form, there, status=422)
    return page(form, there, found)


def page(
    form: PickupForm, there: Sequence[Waiting], found: Sequence[Waiting] = (), status: int = 200
) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "shelf", "waiting": 0, "today": clock.today()}
    return (
        render_template("station/shelf.html", form=form, there=there, found=found, **common),
        status,
        {"Cache-Control": "no-store"},
    )
