"""/station/shelf: what waits to be picked up, by shelf; the buyer's code leads to their parcel."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Select, func, select
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
    since: datetime | None
    state: S


def waiting(session: Session, station: str) -> list[Waiting]:
    """By shelf, A-2 before A-11 where they are written alike; who has waited longest first. One statement."""
    listed = on_shelf(station).order_by(Parcel.dispatched_at, Parcel.id).limit(MOST)
    return sorted(map(shown, session.execute(listed)), key=lambda each: (len(each.shelf), each.shelf))


def number_of(session: Session, station: str, listed: int) -> int:
    """How many wait, where the list is full."""
    if listed < MOST:
        return listed
    return int(session.scalar(select(func.count()).select_from(on_shelf(station).subquery())) or 0)


def opened_by(session: Session, station: str, code: str) -> list[Waiting]:
    """What this code is for, however much waits: codes are asked for among all of them, names are read of these alone."""
    codes = on_shelf(station).with_only_columns(Parcel.id, Parcel.pickup_code)
    ids = [row.id for row in session.execute(codes) if hmac.compare_digest(row.pickup_code or "", code)]
    return [shown(row) for row in session.execute(on_shelf(station).where(Parcel.id.in_(ids)))] if ids else []


def on_shelf(station: str) -> Select[Any]:
    return (
        select(Parcel.public_id, Order.number, Parcel.number, Parcel.shelf, Order.recipient, Order.phone)
        .add_columns(Parcel.dispatched_at, Parcel.state)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.station_code == station, Parcel.state.in_((S.READY_FOR_PICKUP, S.UNCOLLECTED)))
        .where(Order.state.in_(GOES_AHEAD))
    )


def shown(row: Any) -> Waiting:
    name, number, place, *rest = row
    return Waiting(name, f"{number}-{place}", *rest)


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
    found = opened_by(db.session(), str(g.station), str(form.code.data))
    if not found:
        form["code"].errors = [_("No parcel on the shelf has this code.")]
        return page(form, there, status=422)
    return page(form, there, found)


def page(
    form: PickupForm, there: Sequence[Waiting], found: Sequence[Waiting] = (), status: int = 200
) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "shelf", "waiting": 0, "today": clock.today()}
    common["number"] = number_of(db.session(), str(g.station), len(there))
    return (
        render_template("station/shelf.html", form=form, there=there, found=found, **common),
        status,
        {"Cache-Control": "no-store"},
    )
