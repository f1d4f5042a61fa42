"""/station/closing: the day's figures, and the days that were closed."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.formats import count, yuan
from marketplace.core.steps import take_step
from marketplace.orders.closing import drawer, ending, figures
from marketplace.orders.closing.figures import Figures
from marketplace.orders.closing.forms import CountForm
from marketplace.payments.gateways import current_book
from marketplace.stations.models import Station

bp = Blueprint("closing", __name__, url_prefix="/station/closing")
WORDS: Final[dict[str, LazyString]] = {
    "accepted": _l("Parcels accepted"),
    "packed": _l("Packed"),
    "sent": _l("Given to the courier"),
    "fetched": _l("Picked up here"),
    "refused": _l("Refused"),
    "refunded_fen": _l("Refunds to buyers"),
    "fees_fen": _l("Service fees settled"),
    "shipping_fen": _l("Shipping settled"),
    "borne_fen": _l("The station's part of refunds"),
    "cash_fen": _l("Gifts taken in cash"),
    "held_fen": _l("The station's, not settled yet"),
    "payable_fen": _l("Settled and not paid out yet"),
}


@bp.get("")
@requires("station_day.close")
def show_closing() -> ResponseReturnValue:
    return today_page(CountForm())


def today_page(form: CountForm, status: int = 200) -> ResponseReturnValue:
    session, book = db.session(), current_book()
    period = ending.open_period(session, g.station, book)
    shown: dict[str, Any] = {"rows": rows(figures.of(session, period)), "since": period.since, "form": form}
    shown |= {"day": ending.day_of(period.until)}
    shown |= {"status": status, "drawer_fen": drawer.balance(session, g.station, book, period.until)}
    is_closed = ending.is_closed(session, g.station, book)
    return page("closing/today.html", is_closed=is_closed, closed=ending.closed(session, g.station, book), **shown)


@bp.post("")
@requires("station_day.close")
def create_closing() -> ResponseReturnValue:
    form = CountForm(request.form)
    if not form.validate():
        return today_page(form, 422)
    back, actor = url_for(".show_closing"), f"person:{g.person.id}"
    told = {"counted_fen": form.counted_fen, "why": str(form.why.data or ""), "done": _("The day is closed.")}
    try:
        passes = (drawer.NotCounted, drawer.NoReason)
        return take_step(ending.close, back, passes=passes, station=g.station, book=current_book(), actor=actor, **told)
    except drawer.NotCounted as refusal:
        form.counted.errors = [str(refusal.message)]
    except drawer.NoReason as refusal:
        form.why.errors = [str(refusal.message)]
    return today_page(form, 422)


@bp.get("/<day>")
@requires("station_day.close")
def show_day(day: str) -> ResponseReturnValue:
    row = ending.get(db.session(), g.station, current_book(), day)
    late = {name: (shown(name, was), shown(name, now)) for name, (was, now) in ending.booked_late(db.session(), row).items()}
    counted = drawer.count_of(db.session(), g.station, current_book(), row.day)
    return page("closing/day.html", day=row, counted=counted, rows=rows(ending.frozen(row)), late=late, words=WORDS)


def rows(found: Figures) -> Mapping[LazyString, str]:
    """What each figure means, and the figure as people read it."""
    return {WORDS[field.name]: shown(field.name, getattr(found, field.name)) for field in fields(Figures)}


def shown(name: str, figure: int) -> str:
    return yuan(figure) if name.endswith("_fen") else count(figure)


def page(template: str, status: int = 200, **given: Any) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "closing", "waiting": 0, "today": clock.today(), "book": current_book()}
    return render_template(template, **common, **given), status, {"Cache-Control": "no-store"}
