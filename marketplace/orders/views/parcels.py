"""/parcels/<code>: where a parcel's QR code leads. Strangers learn where it comes from and nothing about who gets it."""

from flask import Blueprint, g, redirect, render_template, session as cookie, url_for
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.orders import access, origins
from marketplace.orders.models import Order

STATION_ROLES = frozenset({"station_manager", "station_clerk"})

bp = Blueprint("parcels", __name__)


@bp.get("/parcels/<parcel>")
@requires("parcel.show")
def show_parcel(parcel: str) -> ResponseReturnValue:
    """Who works at the parcel's station goes on to its next step."""
    session = db.session()
    order, shown = origins.shown(session, parcel)
    if g.person is not None and g.person.station_of(STATION_ROLES) == shown.station.code:
        return redirect(url_for("desk.show_parcel", parcel=parcel))
    body = render_template(
        "orders/parcel.html",
        parcel=shown,
        origins=origins.of_listings(session, [line.listing_code for line in shown.lines]),
        packing=origins.packing(session, parcel),
        batch=origins.batch(shown),
        order=order.number if may_follow(order) else "",
    )
    return body, 200, {"Cache-Control": "no-store"}


def may_follow(order: Order) -> bool:
    """The buyer, or a browser that has opened the order before."""
    is_mine = g.person is not None and order.buyer_id == g.person.id
    return is_mine or order.number in cookie.get(access.REMEMBERED, [])
