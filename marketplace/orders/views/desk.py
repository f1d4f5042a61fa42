"""/station: the desk of one station. Each parcel shows the step it can take next; a step sent twice is taken once."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.forms import Form
from marketplace.core.records import record
from marketplace.core.steps import TOO_LATE, take_step
from marketplace.orders import desk, disputed, fulfilment, queries, refunded, remaining, undelivered
from marketplace.orders.forms import DispatchForm, NothingForm, PackingForm, PickupForm, RefusalForm
from marketplace.orders.institutions import queries as institution_queries
from marketplace.orders.models import Order, Parcel
from marketplace.orders.receiving import offered
from marketplace.orders.standing import WITHOUT_PARCELS
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.orders.views.label import label_page
from marketplace.stations import queues
from marketplace.stations.models import Station

bp = Blueprint("desk", __name__, url_prefix="/station")


@record
class Step:
    """A noun of an address, the command behind it, what is entered for it."""

    command: Callable[..., None]
    form: type[Form] = NothingForm


STEPS: Final = {
    "acceptance": Step(fulfilment.accept),
    "collection": Step(fulfilment.collect),
    "packing": Step(fulfilment.pack, PackingForm),
    "dispatch": Step(fulfilment.ship, DispatchForm),
    "shelving": Step(fulfilment.make_ready),
    "pickup": Step(fulfilment.hand_over, PickupForm),
    "delivery": Step(fulfilment.deliver),
    "no-show": Step(fulfilment.leave_uncollected),
    "second-shelving": Step(fulfilment.shelve_again),
    "refusal": Step(fulfilment.refuse, RefusalForm),
    "return": Step(undelivered.return_to_seller),
    "loss": Step(undelivered.lose, RefusalForm),
}


@bp.get("")
@requires("parcel.handle")
def show_desk() -> ResponseReturnValue:
    session = db.session()
    waiting = desk.counts(session, g.station, clock.today())
    first = desk.work(session, g.station, (S.COLLECTING, S.PACKED, S.ACCEPTED, S.AWAITING_ACCEPTANCE), limit=6)
    others = [ask(session, g.station) for ask in queues.others.values()]
    shown: dict[str, Any] = {"counts": waiting, "others": others, "first": first}
    failed = refunded.count_failed(session, g.station)
    return page("station/today.html", "today", queues=desk.QUEUES, failed_refunds=failed, **shown)


@bp.get("/queues/<code>")
@requires("parcel.handle")
def show_queue(code: str) -> ResponseReturnValue:
    queue = desk.BY_CODE.get(code)
    if queue is None:
        raise NotFound(code)
    session = db.session()
    work = desk.work(session, g.station, queue.states, limit=desk.LONGEST)
    number = desk.counts(session, g.station, clock.today())[code].waiting
    return page("station/queue.html", "today", queue=queue, work=work, number=number)


@bp.get("/parcels")
@requires("parcel.handle")
def find_parcel() -> ResponseReturnValue:
    """Where a scanner types into: the label's code leads to its parcel."""
    typed = request.args.get("code", "")
    found = desk.find_by_label(db.session(), g.station, typed) if typed else None
    if found:
        return redirect(url_for(".show_parcel", parcel=found))
    said = _("This station has no parcel with this code.") if typed else ""
    return page("station/scan.html", "scan", typed=typed, said=said, status=404 if typed else 200)


@bp.get("/parcels/<parcel>")
@requires("parcel.handle")
def show_parcel(parcel: str) -> ResponseReturnValue:
    return parcel_page(parcel, {})


def parcel_page(public_id: str, forms: dict[str, Form], status: int = 200) -> ResponseReturnValue:
    """`forms`: those that were refused, with what was typed."""
    session = db.session()
    order = order_of(public_id)
    shown = next(each for each in queries.parcels_of(session, order) if each.row.public_id == public_id)
    step = desk.next_step(shown.row.state, shown.row.delivery)
    instead = offered.packed_instead(session, [shown.row.id]).get(shown.row.id, ())
    return page(
        "station/parcel.html",
        "today",
        parcel=shown,
        grams=shown.net_weight_grams + sum(line.net_weight_grams * line.left for line in instead),
        order=order,
        province=queries.province_of(session, order.province_code),
        words=desk.WORDS[shown.row.state],
        order_words=WITHOUT_PARCELS[order.state],
        step=step,
        step_words=desk.STEP_WORDS.get(step or ""),
        form=forms.get(step or "") or (STEPS[step].form() if step else None),
        refusal=forms.get("refusal") or RefusalForm(),
        loss=forms.get("loss") or RefusalForm(),
        left_fen=sum(line.rest.fen for line in remaining.of(session, shown.row)),
        offered=offered.of_parcel(session, public_id),
        institution=institution_queries.of_order(session, order.id),
        money_is_back=not shown.row.dispatched_at and disputed.is_lost(session, order.number),
        can_refuse=shown.row.state in fulfilment.REFUSABLE,
        status=status,
    )


def order_of(public_id: str) -> Order:
    """The order of one of this station's parcels. Raises NotFound for any other."""
    wanted = select(Order).join(Parcel, Parcel.order_id == Order.id).where(Parcel.public_id == public_id)
    found = db.session.scalar(wanted.where(Parcel.station_code == g.station, Parcel.state != S.AWAITING_GROUP))
    if found is None:
        raise NotFound(public_id)
    return found


@bp.post("/parcels/<parcel>/<step>")
@requires("parcel.handle")
def create_step(parcel: str, step: str) -> ResponseReturnValue:
    known = STEPS.get(step)
    if known is None:
        raise NotFound(step)
    row = next(each for each in order_of(parcel).parcels if each.public_id == parcel)
    form = known.form(request.form)
    if not form.validate():
        if not is_offered(row, step):  # its form is not on the page any more, so nothing could be said there
            flash(TOO_LATE, "note")
        return parcel_page(parcel, {step: form}, 422)
    if step == "pickup":
        hit("pickup", parcel, limit=20, seconds=HOUR)
    given = {"parcel": parcel, "station": g.station, "actor": f"person:{g.person.id}", **form.data}
    try:
        return take_step(
            known.command, url_for(".show_parcel", parcel=parcel), passes=(fulfilment.WrongPickupCode,), **given
        )
    except fulfilment.WrongPickupCode as refusal:
        form["code"].errors = [refusal.message]
        return parcel_page(parcel, {step: form}, refusal.status)


def is_offered(parcel: Parcel, step: str) -> bool:
    """The parcel's page has a form for this step."""
    if step == "refusal":
        return parcel.state in fulfilment.REFUSABLE
    if step == "loss":
        return parcel.state is S.SHIPPED
    return step == desk.next_step(parcel.state, parcel.delivery)


@bp.get("/parcels/<parcel>/label")
@requires("parcel.handle")
def show_label(parcel: str) -> ResponseReturnValue:
    """100 by 150 millimetres, black only, in Chinese whoever prints it."""
    order = order_of(parcel)
    if order.paid_at is None and order.state is not OrderState.PLACED_ON_ACCOUNT:
        raise NotFound(parcel)
    return label_page(next(each for each in order.parcels if each.public_id == parcel))


@bp.get("/pick-list")
@requires("parcel.handle")
def show_pick_list() -> ResponseReturnValue:
    """A4: what is to be fetched and packed, by shelf."""
    work = desk.work(db.session(), g.station, (S.ACCEPTED, S.COLLECTING, S.PACKED), limit=desk.ALL)
    return page("station/pick_list.html", "sheets", work=sorted(work, key=desk.Work.by_shelf))


def page(template: str, current: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    body = render_template(
        template,
        station=station,
        desk_current=current,
        waiting=sum(each.waiting for each in shown.get("counts", {}).values()),
        today=clock.today(),
        **shown,
    )
    return body, status, {"Cache-Control": "no-store"}
