"""/station/parcels/<parcel>/refunds: a station, or the province, gives part of a parcel back. The sum is said first.

Three presses of one form: to look at the sum (`action` check, or everything), to change what was entered, to send it."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.forms import tidy
from marketplace.orders import desk, refunded, refunding, remaining
from marketplace.orders.cases import queries as case_queries
from marketplace.orders.forms import RefundForm, refund_form
from marketplace.orders.models import Order, Parcel
from marketplace.orders.remaining import LineLeft, Part
from marketplace.orders.standing import AT_WORK
from marketplace.orders.states import OrderState, ParcelState
from marketplace.stations.models import Station

bp = Blueprint("refunds", __name__, url_prefix="/station")
EVERYTHING: Final = "everything"


@bp.get("/refunds")
@requires("parcel.refund")
def list_refunds() -> ResponseReturnValue:
    """Those of the last weeks, and whatever failed; a label that is typed leads to its parcel's refunds."""
    typed = request.args.get("code", "")
    found = desk.find_by_label(db.session(), g.station, typed) if typed else None
    if found:
        return redirect(url_for(".show_refunds", parcel=found))
    said = _("There is no parcel with this code.") if typed else ""
    listed = refunded.lately(db.session(), g.station, tidy(request.args.get("before", "")))
    return page("station/refunds.html", 404 if said else 200, listed=listed, typed=typed, said=said)


@bp.get("/parcels/<parcel>/refunds")
@requires("parcel.refund")
def show_refunds(parcel: str) -> ResponseReturnValue:
    row = get_parcel(parcel)
    lines = remaining.of(db.session(), row)
    return form_page(row, lines, refund_form(lines, None, seen=refunding.mark(lines)))


def get_parcel(public_id: str) -> Parcel:
    """A parcel of this station, for the province any. Raises NotFound."""
    found = db.session.scalar(select(Parcel).where(Parcel.public_id == public_id))
    is_hidden = found is not None and found.state is ParcelState.AWAITING_GROUP and g.station is not None
    if found is None or is_hidden or g.station not in {None, found.station_code}:
        raise NotFound(public_id)
    return found


@bp.post("/parcels/<parcel>/refunds")
@requires("parcel.refund")
def create_refund(parcel: str) -> ResponseReturnValue:
    row = get_parcel(parcel)
    lines = remaining.of(db.session(), row)
    form = refund_form(lines, request.form, seen=refunding.mark(lines))
    action = request.form.get("action")
    if action == "change":
        return form_page(row, lines, form)
    if action in {"check", EVERYTHING}:
        form.everything.data = "1" if action == EVERYTHING else ""
    if not form.validate():
        return form_page(row, lines, form, 422)
    try:
        if action == "send":
            return send(row, form)
        return check_page(row, form, parts_of(row, lines, form))
    except idempotency.KeyReused as refusal:
        flash(
            _("This refund was already sent. Your later changes are not in it.") if refusal.answer else refusal.message,
            "note",
        )
        return redirect(url_for(".show_refunds", parcel=parcel), 303)
    except refunding.TooManyUnits as refusal:
        form.units_of(refusal.line).errors = [refusal.message]
        return form_page(row, lines, form, refusal.status)
    except NotFound:
        raise
    except Refusal as refusal:
        return refused_page(parcel, refusal)


def refused_page(parcel: str, refusal: Refusal) -> ResponseReturnValue:
    """What was typed, beside how the parcel stands now."""
    row = get_parcel(parcel)
    lines = remaining.of(db.session(), row)
    form = refund_form(lines, request.form, seen="")
    form.seen.data = refunding.mark(lines)
    form.form_errors.append(refusal.message)
    return form_page(row, lines, form, refusal.status)


def parts_of(parcel: Parcel, lines: list[LineLeft], form: RefundForm) -> list[Part]:
    """What the form means as the parcel stands now; the command looks again."""
    if form.seen.data != refunding.mark(lines):
        raise refunding.RefundedMeanwhile(parcel.public_id)
    if form.everything.data:
        parts = refunding.rest_of(parcel, lines)
    else:
        parts = refunding.parts_of(parcel, lines, form.units, with_shipping=bool(form.with_shipping.data))
    refunding.refuse_returned(db.session(), parts)
    refunding.refuse_replaced(db.session(), parts, station=g.station)
    return parts


def send(parcel: Parcel, form: RefundForm) -> ResponseReturnValue:
    """Ask for it, once: the same form sent again changes nothing and leads to the same page."""
    chosen: dict[str, Any] = {"units": form.units, "with_shipping": bool(form.with_shipping.data)}
    in_transaction(
        idempotency.once,
        refunding.refund_rest if form.everything.data else refunding.refund_units,
        idempotency=form.idempotency(f"refund:{g.person.id}:{parcel.public_id}"),
        parcel=parcel.public_id,
        station=g.station,
        reason=str(form.reason.data),
        actor=f"person:{g.person.id}",
        seen=str(form.seen.data),
        **({} if form.everything.data else chosen),
    )
    on_account = parcel.order.state is OrderState.PLACED_ON_ACCOUNT
    flash(_("Done. It came off the bill.") if on_account else _("Done. The money is on its way to the buyer."), "done")
    return redirect(url_for(".show_refunds", parcel=parcel.public_id), 303)


def form_page(parcel: Parcel, lines: list[LineLeft], form: RefundForm, status: int = 200) -> ResponseReturnValue:
    """What was refunded before, and the form where something is left."""
    order: Order = parcel.order
    return page(
        "station/refund.html",
        status,
        parcel=parcel,
        order=order,
        lines=lines,
        form=form,
        refunds=refunded.of_parcel(db.session(), parcel.public_id),
        left_fen=sum(line.rest.fen for line in lines),
        shipping_left_fen=sum(line.rest.shipping_fen - line.rest.shipping_discount_fen for line in lines),
        is_paid=order.paid_at is not None or order.state is OrderState.PLACED_ON_ACCOUNT,
        is_unsent=parcel.state in AT_WORK,
        replaced=case_queries.replaced(db.session(), parcel.id),
    )


def check_page(parcel: Parcel, form: RefundForm, parts: list[Part]) -> ResponseReturnValue:
    """Once more before it is sent: what, how much, from whom."""
    fen = sum(part.fen for part in parts)
    shipping_fen = sum(part.shipping_fen - part.shipping_discount_fen for part in parts)
    off_fen = sum(part.seller_discount_fen + part.platform_discount_fen for part in parts)
    from_growers = sum(part.goods_fen - part.service_fee_fen - part.seller_discount_fen for part in parts)
    if remaining.is_lost(db.session(), parcel):
        from_growers = 0
    to_province = sum(part.province_fen for part in parts)
    shares: dict[str, Any] = {"from_growers": from_growers, "from_station": fen + to_province - from_growers}
    shares["to_province"] = to_province
    shown: dict[str, Any] = {"going_back": parts, "fen": fen, "shipping_fen": shipping_fen, "off_fen": off_fen}
    return page("station/refund_check.html", parcel=parcel, order=parcel.order, form=form, **shown, **shares)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    """Within the station's desk; for the province, which has none of them, within its own."""
    station = db.session.get_one(Station, g.station) if g.station is not None else None
    common = {"station": station, "desk_current": "refunds", "waiting": 0, "today": clock.today()}
    return render_template(template, **common, **shown), status, {"Cache-Control": "no-store"}
