"""/station/receiving: what growers have to bring, and what came of it.

One press for a delivery of which all came; three where something is missing: to enter it, to look at what it means, to
send it (`action` all, check, send; change leads back)."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.steps import TOO_LATE
from marketplace.orders.receiving import arriving, came, forecasting, owed, substituting
from marketplace.orders.receiving.forms import ArrivalForm, arrival_form
from marketplace.orders.receiving.models import Arrival, Forecast
from marketplace.orders.receiving.owed import Delivery
from marketplace.orders.receiving.planning import plan_all
from marketplace.stations.models import Station
from marketplace.stations.queues import OtherQueue

bp = Blueprint("receiving", __name__, url_prefix="/station/receiving")
ALL: Final = "all"


def queue(session: Session, station: str) -> OtherQueue:
    """For the station's start page."""
    note = _l("All came: one press")
    return OtherQueue("/station/receiving", "box", _l("Take in"), note, owed.count_sellers(session, station))


@bp.get("")
@requires("parcel.receive")
def list_deliveries() -> ResponseReturnValue:
    session = db.session()
    deliveries = owed.of_station(session, g.station)
    said = forecasting.sellers_who_said(session, [each.seller for each in deliveries])
    form = ArrivalForm()  # each delivery's own key is made of it
    return page(
        "receiving/list.html", deliveries=deliveries, form=form, said=said, came=came.on(session, g.station, clock.today())
    )


@bp.get("/<seller>")
@requires("parcel.receive")
def show_delivery(seller: str) -> ResponseReturnValue:
    delivery = owed.of_seller(db.session(), seller, station=g.station)
    if delivery is None:
        raise NotFound(seller)
    return form_page(delivery, entry(delivery, None, forecasting.of_seller(db.session(), seller)))


def entry(delivery: Delivery, sent: Any, forecasts: Mapping[str, Forecast] | None = None) -> ArrivalForm:
    instead = substituting.candidates(db.session(), delivery, station=g.station)
    return arrival_form(delivery, sent, forecasts or {}, instead)


@bp.post("/<seller>/arrivals")
@requires("parcel.receive")
def create_arrival(seller: str) -> ResponseReturnValue:
    delivery = owed.of_seller(db.session(), seller, station=g.station)
    if delivery is None:
        return already_there(seller)
    action = request.form.get("action")
    if action == ALL:
        return send(delivery, ArrivalForm(request.form), takes_all=True)
    form = entry(delivery, request.form)
    if not form.validate() or not form.check_against(delivery):
        return form_page(delivery, form, 422)
    if action == "change":
        return form_page(delivery, form)
    if action == "send":
        return send(delivery, form, takes_all=False)
    return plan_page(delivery, form)


def already_there(seller: str) -> ResponseReturnValue:
    """Somebody, perhaps this person's first press, has taken it in. Raises NotFound for who never brought anything."""
    known = select(Arrival.id).where(Arrival.seller_public_id == seller, Arrival.station_code == g.station)
    if db.session.scalar(known.limit(1)) is None:
        raise NotFound(seller)
    flash(TOO_LATE, "note")
    return redirect(url_for(".list_deliveries"), 303)


def send(delivery: Delivery, form: ArrivalForm, *, takes_all: bool) -> ResponseReturnValue:
    """Once: the same form sent again changes nothing and leads to the same page."""
    try:
        in_transaction(
            idempotency.once,
            arriving.receive,
            idempotency=form.idempotency(f"arrival:{g.person.id}:{g.station}:{delivery.seller}"),
            station=g.station,
            seller=delivery.seller,
            counts=None if takes_all else form.counts(delivery),
            seen=str(form.seen.data),
            actor=f"person:{g.person.id}",
            agreed_fen=None if takes_all else form.agreed_fen,
        )
    except (idempotency.KeyReused, NotFound):
        flash(TOO_LATE, "note")
    except Refusal as refusal:
        if takes_all:
            flash(refusal.message, "note")
            return redirect(url_for(".list_deliveries"), 303)
        return refused_page(delivery.seller, refusal)
    else:
        flash(_("Taken in: %(name)s.", name=delivery.seller_name), "done")
    return redirect(url_for(".list_deliveries"), 303)


def refused_page(seller: str, refusal: Refusal) -> ResponseReturnValue:
    """What was typed, beside what is owed now."""
    delivery = owed.of_seller(db.session(), seller, station=g.station)
    if delivery is None:
        return already_there(seller)
    form = entry(delivery, request.form)
    form.seen.data = delivery.mark
    form.form_errors.append(refusal.message)
    return form_page(delivery, form, refusal.status)


def form_page(delivery: Delivery, form: ArrivalForm, status: int = 200) -> ResponseReturnValue:
    said = forecasting.of_seller(db.session(), delivery.seller)
    return page("receiving/delivery.html", status, delivery=delivery, form=form, said=said)


def plan_page(delivery: Delivery, form: ArrivalForm) -> ResponseReturnValue:
    """Once more before it is done: who gets what, and what goes back."""
    if form.seen.data != delivery.mark:
        return refused_page(delivery.seller, arriving.OwedOtherwise(delivery.seller))
    instead = substituting.candidates(db.session(), delivery, station=g.station)
    plans = plan_all(delivery, form.counts(delivery), {code: each.available for code, each in instead.items()})
    if not any(share.received or share.missing or share.offered for each in plans for share in each.shares):
        return refused_page(delivery.seller, arriving.NothingCame(delivery.seller))
    meant = arriving.consequences(db.session(), plans)
    fen = sum(each.fen for each in meant.values())
    form.agreed.data = str(fen)
    shown: dict[str, Any] = {"meant": meant, "fen": fen}
    return page("receiving/plan.html", delivery=delivery, form=form, plans=plans, instead=instead, **shown)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "receiving", "waiting": 0, "today": clock.today()}
    return render_template(template, **common, **shown), status, {"Cache-Control": "no-store"}
