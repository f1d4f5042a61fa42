"""/orders: a buyer follows what they bought, confirms it, or changes their mind while no station has begun."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal, TooMany
from marketplace.core.formats import yuan
from marketplace.orders import access, paying, prolonging, queries, refunded, settlement, standing, telling, undelivered
from marketplace.orders.cases import queries as case_queries, telling as case_telling
from marketplace.orders.forms import FindOrderForm
from marketplace.orders.groups import queries as group_queries
from marketplace.orders.institutions import queries as institution_queries
from marketplace.orders.invoices import queries as invoice_queries, requesting
from marketplace.orders.models import Order
from marketplace.orders.promotions import queries as promotion_queries
from marketplace.orders.received import lines as received_lines
from marketplace.orders.receiving import offered
from marketplace.orders.states import GOES_AHEAD, OrderState
from marketplace.orders.views.payment import lead_to_cashier
from marketplace.payments import attempts, refunds
from marketplace.payments.states import OPEN

NO_STORE: Final = {"Cache-Control": "no-store"}
LOOKS: Final = 12  # how often the page of an order looks by itself whether the money has come
SECONDS: Final = 2

bp = Blueprint("orders", __name__)


@bp.get("/orders")
@requires("order.follow")
def list_orders() -> ResponseReturnValue:
    """A person's orders; a stranger is asked for number and phone."""
    if g.person is None:
        return show_finding()
    orders = queries.of_person(db.session(), g.person.id)
    parcels = queries.standings_of(db.session(), [order.id for order in orders])
    told = [(order, standing.sentence(order.state, parcels.get(order.id, []), **how_paid(order))) for order in orders]
    return render_template("orders/list.html", orders=told), 200, NO_STORE


@bp.get("/orders/find")
@requires("order.follow")
def show_finding() -> ResponseReturnValue:
    return render_template("orders/find.html", form=FindOrderForm()), 200, NO_STORE


@bp.post("/orders/find")
@requires("order.follow")
def create_finding() -> ResponseReturnValue:
    """The same answer for a number that does not exist and a phone that does not belong to it."""
    form = FindOrderForm(request.form)
    if not form.validate():
        return render_template("orders/find.html", form=form), 422, NO_STORE
    try:
        hit("order.find", str(form.phone.data), limit=20, seconds=HOUR)
        hit("order.find.from", where_from(), limit=120, seconds=HOUR)
    except TooMany as refusal:
        form.form_errors.append(refusal.message)
        page = render_template("orders/find.html", form=form)
        return page, refusal.status, {**NO_STORE, "Retry-After": str(refusal.retry_after)}
    found = access.find_by_phone(db.session(), str(form.number.data), str(form.phone.data))
    if found is None:
        form.number.errors = [_("This number and this phone do not match. Please check our message to you again.")]
        return render_template("orders/find.html", form=form), 422, NO_STORE
    access.remember(found.number)
    return redirect(url_for(".show_order", number=found.number), 303)


@bp.get("/orders/<number>")
@requires("order.follow")
def show_order(number: str) -> ResponseReturnValue:
    key = request.args.get("key")
    if key is not None:
        if not access.opens(number, key):
            raise NotFound(number)
        access.remember(number)
        return redirect(url_for(".show_order", number=number))
    order = access.get_visible(db.session(), number)
    headers = dict(NO_STORE)
    is_waiting = waits_for_money(order)
    if is_waiting:
        headers["Refresh"] = f"{SECONDS}; url={url_for('.show_order', number=number, returned=looked() + 1)}"
    return order_page(order, is_waiting=is_waiting), 200, headers


def looked() -> int:
    """How often this page has looked since the buyer came back from the cashier; 0 for anything that is no such number."""
    text = request.args.get("returned", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LOOKS)) else 0


def waits_for_money(order: Order) -> bool:
    """The buyer came back from the cashier and the money may arrive any moment."""
    if order.state is not OrderState.PENDING_PAYMENT or not 0 < looked() <= LOOKS:
        return False
    current = attempts.current(db.session(), purpose="order", reference=order.number)
    return current is not None and current.state in OPEN


def how_paid(order: Order) -> dict[str, bool]:
    """Whether money has come in, and whether there is anything to pay."""
    return {"was_paid": order.paid_at is not None, "is_exchange": order.is_exchange}


def order_page(order: Order, *, is_waiting: bool = False) -> str:
    session = db.session()
    parcels = queries.parcels_of(session, order)
    standings = [parcel.standing for parcel in parcels]
    cases = case_queries.of_order(session, order.number) if order.paid_at else []
    is_unpaid = order.state is OrderState.PENDING_PAYMENT and not is_waiting
    told = refunded.of_order(session, order.number) if order.paid_at else []
    institution = institution_queries.of_order(session, order.id)
    is_owed = institution is not None and order.paid_at is None
    return render_template(
        "orders/order.html",
        order=order,
        province=queries.province_of(session, order.province_code),
        parcels=parcels,
        timelines=[telling.timeline(parcel, is_exchange=order.is_exchange, was_paid=not is_owed) for parcel in parcels],
        late_notes=[telling.late_note(parcel, clock.today()) for parcel in parcels],
        claims=[None if order.is_exchange else telling.claim(parcel) for parcel in parcels],
        sentence=standing.sentence(
            order.state,
            standings,
            is_waiting=is_waiting,
            **how_paid(order),
        ),
        is_waiting=is_waiting,
        can_be_prolonged=prolonging.can_be_prolonged(order),
        has_failed=is_unpaid and attempts.last_failed(session, purpose="order", reference=order.number),
        can_be_cancelled=undelivered.can_be_cancelled(order),
        sum_if_cancelled=undelivered.sum_if_cancelled(session, order),
        parts_to_cancel=undelivered.parts_to_cancel(session, order),
        drawing=telling.money(queries.money_of(session, order)),
        refunds=told if institution or order.backing else refunds.of(session, purpose="order", reference=order.number),
        refunded=told,
        offered=offered.of_order(session, order.number) if order.paid_at or order.state in GOES_AHEAD else [],
        group=group_queries.of_order(session, order.id),
        cases=cases,
        stopped={each.parcel for each in cases if each.is_open},
        askable={line.parcel for line in case_queries.askable(session, order)},
        replaces=case_queries.of_exchange(session, order.number) if order.is_exchange else None,
        case_telling=case_telling,
        reviews=received_lines.reviews_of(session, order) if any(each.row.delivered_at for each in parcels) else {},
        discounts=promotion_queries.of_order(session, order) if order.discount_fen else [],
        **invoice_parts(order),
        institution=institution,
        credits=institution_queries.credits_of_order(session, order.id),
        link=url_for(".show_order", number=order.number, key=access.link_key(order.number)),
    )


def invoice_parts(order: Order) -> dict[str, Any]:
    """Where an invoice is asked for, or where its state is told."""
    has_one = invoice_queries.is_requested(db.session(), order.number)
    is_shown = has_one or requesting.may_be_requested(db.session(), order)
    where = url_for("invoices.show_request", number=order.number) if is_shown else ""
    return {"has_invoice": has_one, "invoice_link": where}


@bp.post("/orders/<number>/payment")
@requires("order.follow")
def create_payment(number: str) -> ResponseReturnValue:
    access.get_visible(db.session(), number)
    return lead_to_cashier(number)


@bp.post("/orders/<number>/prolongation")
@requires("order.follow")
def create_prolongation(number: str) -> ResponseReturnValue:
    """再留一会儿: whoever needs longer than the fifteen minutes says so before they are over."""
    access.get_visible(db.session(), number)
    try:
        in_transaction(prolonging.prolong, number=number)
        flash(_("Done. The goods are kept for you for 15 minutes more."), "done")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_order", number=number), 303)


@bp.post("/orders/<number>/cancellation")
@requires("order.follow")
def create_cancellation(number: str) -> ResponseReturnValue:
    access.get_visible(db.session(), number)
    try:
        paying.cancel(number, actor=access.actor())
        flash(_("The order is cancelled. You were not charged."), "done")
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_order", number=number), 303)


@bp.post("/orders/<number>/withdrawal")
@requires("order.follow")
def create_withdrawal(number: str) -> ResponseReturnValue:
    """The buyer changes their mind about what is paid, while no station has begun."""
    access.get_visible(db.session(), number)
    try:
        was_paid = access.get_visible(db.session(), number).paid_at is not None
        fen = in_transaction(undelivered.cancel_paid, number=number, actor=access.actor())
        done = _("The order is cancelled. %(sum)s is refunded automatically.", sum=yuan(fen))
        flash(done if was_paid else _("The order is cancelled. You were not charged."), "done")
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_order", number=number), 303)


@bp.post("/orders/<number>/parcels/<parcel>/cancellation")
@requires("order.follow")
def create_part_cancellation(number: str, parcel: str) -> ResponseReturnValue:
    """The buyer does without one parcel that its station has not begun with."""
    was_paid = access.get_visible(db.session(), number).paid_at is not None
    try:
        fen = in_transaction(undelivered.cancel_part, number=number, parcel=parcel, actor=access.actor())
        done = _("This parcel is cancelled. %(sum)s is refunded automatically.", sum=yuan(fen))
        flash(done if was_paid else _("This parcel is cancelled and comes onto no statement."), "done")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_order", number=number), 303)


@bp.post("/orders/<number>/parcels/<parcel>/confirmation")
@requires("order.follow")
def create_confirmation(number: str, parcel: str) -> ResponseReturnValue:
    """The buyer has it: said twice, it is as if it had been said once."""
    is_exchange = access.get_visible(db.session(), number).is_exchange
    try:
        in_transaction(settlement.confirm, number=number, parcel=parcel, actor=access.actor())
        paid = _("Thank you. The growers and the station are paid now.")
        flash(_("Thank you. The exchange is complete.") if is_exchange else paid, "done")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_order", number=number), 303)
