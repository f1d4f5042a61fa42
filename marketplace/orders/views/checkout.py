"""/checkout: one page, no account needed; what it says is what is charged, or it says the new sum first."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext as _
from sqlalchemy.orm import Session

from listings import offers
from listings.stock import OutOfStock
from marketplace.accounts import addresses
from marketplace.accounts.models import Address
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import TooMany
from marketplace.core.formats import language
from marketplace.core.forms import SelectChoice
from marketplace.orders import access, backlog, carts, placing, shipping, trouble
from marketplace.orders.estimates import destinations
from marketplace.orders.forms import CheckoutForm, RecipientForm, digits_of
from marketplace.orders.institutions import ordering, queries as institution_queries
from marketplace.orders.invoices import requesting
from marketplace.orders.invoices.requesting import Wanted
from marketplace.orders.placing import NothingToOrder, OtherTotal, SomethingChanged
from marketplace.orders.promotions import choosing
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.quoting import Quote, quote
from marketplace.orders.shipping import TooHeavy
from marketplace.orders.views.cart import owner
from marketplace.orders.views.payment import lead_to_cashier
from marketplace.payments.gateways import PaymentsClosed, current_book, gateways

AnyRecipient = TypeVar("AnyRecipient", bound=RecipientForm)
HOME_PROVINCE: Final = "140000"
ON_ACCOUNT: Final = (ordering.NotOpen, ordering.OwesTooLong, ordering.BeyondLimit)
NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("checkout", __name__)


@bp.get("/checkout")
@requires("order.place")
def show_checkout() -> ResponseReturnValue:
    form = prefilled()
    quoted = current_quote(form)
    if not quoted.parcels or quoted.has_trouble:
        return back_to_cart(quoted)
    return checkout_page(form, quoted), 200, NO_STORE


@bp.post("/checkout")
@requires("order.place")
def create_order() -> ResponseReturnValue:
    form = with_choices(CheckoutForm(request.form))
    action = "address" if choose_address(form) else request.form.get("action")
    if action == "fit" and not in_transaction(carts.fit, owner=owner()):
        return redirect(url_for("cart.show_cart"), 303)
    try:
        if form.coupon.data:  # codes are not to be found out by trying
            hit("coupon.from", where_from(), limit=200, seconds=HOUR)
    except TooMany as refusal:
        form.coupon.data = ""
        form.form_errors.append(refusal.message)
        page = checkout_page(form, current_quote(form))
        return page, refusal.status, {**NO_STORE, "Retry-After": str(refusal.retry_after)}
    if action in {"quote", "fit", "coupon", "address"}:  # buttons that only reckon anew, for whatever was changed
        page = checkout_page(form, current_quote(form))
        return page, 422 if form.coupon.errors else 200, NO_STORE
    form.needs_adult = carts.is_age_restricted(db.session(), owner())
    if not form.validate():  # what is right is not reckoned here: `placing.place` does, in its transaction
        return checkout_page(form, current_quote(form)), 422, NO_STORE
    try:
        hit("order.from", where_from(), limit=300, seconds=HOUR)
        number = place(form)
    except TooMany as refusal:
        form.form_errors.append(refusal.message)
        page = checkout_page(form, current_quote(form))
        return page, refusal.status, {**NO_STORE, "Retry-After": str(refusal.retry_after)}
    except choosing.CouponRefused as refusal:
        quoted = current_quote(form)
        if form.coupon.data:
            form.coupon.errors = form.coupon.errors or [refusal.message]
        else:  # what comes by itself was used up a moment ago: no code is to blame
            form.form_errors.append(OtherTotal.message)
        return checkout_page(form, quoted), refusal.status, NO_STORE
    except (OtherTotal, TooHeavy, SomethingChanged, OutOfStock, PaymentsClosed, *ON_ACCOUNT) as refusal:
        form.form_errors.append(refusal.message)
        return checkout_page(form, current_quote(form)), refusal.status, NO_STORE
    except NothingToOrder as refusal:
        flash(refusal.message, "failed")
        return redirect(url_for("cart.show_cart"), 303)
    except idempotency.KeyReused as refusal:
        return lead_to_known(refusal)
    access.remember(number, is_placed_here=True)
    return lead_to_cashier(number)


def back_to_cart(quoted: Quote) -> ResponseReturnValue:
    """To where something can be done about it, and why."""
    flash(trouble.first_of(quoted) if quoted.has_trouble else str(NothingToOrder.message), "failed")
    return redirect(url_for("cart.show_cart"), 303)


def lead_to_known(reused: idempotency.KeyReused) -> ResponseReturnValue:
    """Back after ordering, something corrected, and sent again: the order is there already, as it was sent first."""
    if not reused.answer:
        raise reused
    access.remember(reused.answer, is_placed_here=True)
    flash(_("You have already placed this order. Your later changes are not in it."), "note")
    return redirect(url_for("orders.show_order", number=reused.answer), 303)


def place(form: CheckoutForm) -> str:
    """The number of the order; the same for the same form sent again."""
    whose = owner()
    return in_transaction(
        idempotency.once,
        place_and_ask,
        idempotency=form.idempotency(whose.scope),
        owner=whose,
        recipient=form.entered,
        pickup=set(form.pickup.data or ()),
        shown_total_fen=form.shown_total_fen,
        institution=str(form.account.data or "") or None,
        language=str(get_locale()),
        coupon=str(form.coupon.data or ""),
        present=form.present,
        invoice=form.wanted,
    )


def place_and_ask(session: Session, *, invoice: Wanted | None, **given: Any) -> str:
    """The order, and the request for its invoices where one came with it."""
    number = placing.place(session, **given)
    if invoice is not None:
        requesting.request(session, number=number, wanted=invoice, actor=placing.actor_of(given["owner"]))
    return number


def prefilled() -> CheckoutForm:
    """Empty for a guest; with the address they used last for a person."""
    form = with_choices(CheckoutForm(data={"province": destinations.current(db.session()).code}))
    for last in known_addresses()[:1]:
        fill_in(form, last)
    return form


def known_addresses() -> Sequence[Address]:
    return addresses.of_person(db.session(), g.person.id) if g.person else ()


def choose_address(form: RecipientForm) -> bool:
    """Whether the button of one of their addresses was pressed: it is filled in, whatever else they typed stays."""
    chosen = next((row for row in known_addresses() if row.public_id == request.form.get("address")), None)
    if chosen is not None:
        fill_in(form, chosen)
    return chosen is not None


def fill_in(form: RecipientForm, known: Address) -> None:
    for name in ("recipient", "phone", "province", "city", "street"):
        form[name].data = getattr(known, name)


def with_choices(form: AnyRecipient) -> AnyRecipient:
    """The provinces that parcels go to, in the reader's language."""
    index = 2 if language() == "en" else 1
    form.province.choices = [SelectChoice(row[0], row[index]) for row in shipping.provinces(db.session())]
    return form


def current_quote(form: CheckoutForm) -> Quote:
    session = db.session()
    contents = carts.contents(session, owner())
    found = offers.find(session, [variant for variant, _quantity, _seen in contents])
    tariff = shipping.tariff(session, str(form.province.data or HOME_PROVINCE), clock.today())
    if not tariff.rates:
        tariff = shipping.tariff(session, HOME_PROVINCE, clock.today())
    delays = backlog.delays(session, {offer.station_code for offer in found.values()})
    plain = quote(contents, found, tariff=tariff, pickup=set(form.pickup.data or ()), delays=delays)
    return reduced(form, plain)


def reduced(form: CheckoutForm, plain: Quote) -> Quote:
    """With what comes off it; a code that cannot be used is said at its field, and the rest is reckoned without it."""
    session = db.session()
    buyer = Buyer(g.person.id if g.person else None, digits_of(form.phone.data), str(form.account.data or ""))
    try:
        return choosing.reduced(session, plain, code=str(form.coupon.data or ""), buyer=buyer)
    except choosing.CouponRefused as refusal:
        form.coupon.errors = [refusal.message]
        return choosing.reduced(session, plain, code="", buyer=buyer)


def checkout_page(form: CheckoutForm, quoted: Quote) -> str:
    """With the sum as it is now, which is what the next press agrees to."""
    try:
        total = quoted.total_fen
    except TooHeavy as refusal:
        if refusal.message not in form.form_errors:
            form.form_errors.append(refusal.message)
        total = None
    form.shown_total.data = "" if total is None else str(total)
    shown = {"form": form, "quote": quoted, "total": total, "addresses": known_addresses(), "today": clock.today()}
    institutions = institution_queries.open_to(db.session(), g.person.id if g.person else None)
    paid = {"cashier": gateways().chosen, "book": current_book(), "institutions": institutions}
    return render_template("orders/checkout.html", **shown, **paid, explain=trouble.explain)
