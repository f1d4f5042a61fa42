"""/operator: the province's start page; behind it the rows of its numbers, all that is to do, and what was looked for."""

from typing import Any, Final

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.forms import tidy
from marketplace.orders.desk import WORDS
from marketplace.payments.gateways import current_book
from marketplace.site.console import figures, finding, ground, periods, rows, sparks, standing, telling, trade, work
from marketplace.site.console.forms import FindForm

NO_STORE: Final = {"Cache-Control": "no-store"}
KEPT: Final = frozenset({"which", "period", "station"})  # from page to page
TABLE: Final = 8  # stations before the others

bp = Blueprint("console", __name__, url_prefix="/operator")


@bp.get("")
@requires("console.read")
def show_today() -> ResponseReturnValue:
    """A fixed number of statements, however much there is."""
    session, book, period = db.session(), current_book(), asked_period()
    stations = standing.stations(session, period, book)
    strip, level = figures.strip(session, period, book)
    todo = work.gather(session, stations, level, book, g.person)
    return page(
        "operator/today.html",
        period=period,
        strip=strip,
        todo=todo,
        shown=work.SHOWN,
        stations=stations,
        first=TABLE,
        by_prefecture=standing.by_prefecture(stations),
        ground=ground.draw(stations, todo.alerts),
        box=(-ground.MARGIN, ground.BOX, ground.BOX_HEIGHT),
        draw_bars=sparks.bars,
        ago=telling.ago,
        spark=(sparks.WIDTH, sparks.HEIGHT),
    )


@bp.get("/work")
@requires("console.read")
def list_work() -> ResponseReturnValue:
    session, book = db.session(), current_book()
    stations = standing.stations(session, asked_period(), book)
    todo = work.gather(session, stations, figures.reconciled(session), book, g.person)
    return page("operator/work.html", todo=todo)


@bp.get("/orders")
@requires("console.read")
def list_orders() -> ResponseReturnValue:
    period = asked_period()
    listed = rows.orders(db.session(), period, current_book(), before())
    return page("operator/orders.html", period=period, listed=listed, order_words=telling.ORDERS)


@bp.get("/parcels")
@requires("console.read")
def list_parcels() -> ResponseReturnValue:
    """?which= those of `trade.WHICH`, ?station= one station's."""
    session, period = db.session(), asked_period()
    which = asked("which") if asked("which") in trade.WHICH else "ordered"
    station = asked("station")
    listed, in_time = rows.parcels(session, which, period, current_book(), station, before())
    named = rows.station_name(session, station) if station else ""
    share = figures.percent(in_time, listed.counted.number)
    shown: dict[str, Any] = {
        "which": which,
        "kinds": trade.WHICH,
        "station": station,
        "station_name": named,
        "parcel_words": WORDS,
    }
    return page("operator/parcels.html", period=period, listed=listed, in_time=in_time, share=share, **shown)


@bp.get("/gifts")
@requires("console.read")
def list_gifts() -> ResponseReturnValue:
    period = asked_period()
    listed, matched_fen = rows.gifts(db.session(), period, current_book(), before())
    return page("operator/gifts.html", period=period, listed=listed, matched_fen=matched_fen)


@bp.get("/goods-in-review")
@requires("console.read")
def list_goods_in_review() -> ResponseReturnValue:
    return page("operator/goods_in_review.html", goods=rows.goods_in_review(db.session()))


@bp.get("/search")
@requires("console.read")
def search() -> ResponseReturnValue:
    form = FindForm(request.args)
    if not form.validate():
        return page("operator/found.html", 422, form=form, found=None)
    found = finding.find(db.session(), str(form.q.data), g.person.roles)
    return page("operator/found.html", form=form, found=found, order_words=telling.ORDERS)


def asked(name: str) -> str:
    return str(tidy(request.args.get(name, "")))


def before() -> str:
    return asked("before")


def asked_period() -> periods.Period:
    return periods.chosen(asked("period"))


def further(name: str, **also: Any) -> str:
    """The next page of what is shown."""
    kept = {key: value for key, value in request.args.items() if key in KEPT}
    return url_for(f".{name}", **{**kept, **also})


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    common = {"today": clock.today(), "book": current_book(), "periods": periods.DAYS, "further": further}
    return render_template(template, form=shown.pop("form", FindForm()), **common, **shown), status, NO_STORE
