"""The JSON face for programs that do something: each route one command, under the rights of whoever's token came along."""

from typing import Final

from flask import Response, g, request
from pydantic import ValidationError

from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.tokens import TokenScope as Scope
from marketplace.api import buying, parcels, paying, selling
from marketplace.api.doors import Unfit, check, created, known_answer, once, read_body, typed, with_token
from marketplace.api.sentences import sentence
from marketplace.api.views import answer
from marketplace.api.writing_schemas import CartQuery, NewCart, NewListing, NewOrder, NewStep
from marketplace.core.db import db
from marketplace.orders.forms import CheckoutForm
from marketplace.orders.placing import Recipient
from marketplace.orders.views.checkout import with_choices

RECIPIENT: Final = {
    "recipient": "#/recipient/name",
    **{name: f"#/recipient/{name}" for name in ("phone", "province", "city", "street")},
    "note": "#/note",
}


@with_token("cart.keep", Scope.ORDERS_WRITE)
def create_cart() -> Response:
    asked = read_body(NewCart)
    given = {"lines": asked.lines, "province": asked.province or "", "pickup": asked.pickup}
    given |= {"coupon": asked.coupon}
    return once(buying.make_cart, body=asked, person=g.person, **given)


@with_token("cart.keep", Scope.READ, Scope.ORDERS_WRITE)
def show_cart(cart: str) -> Response:
    try:
        where = {"province": request.args.get("province", ""), "pickup": request.args.getlist("pickup")}
        asked = CartQuery.model_validate(where | {"coupon": request.args.get("coupon", "")})
    except ValidationError as error:
        raise Unfit(*((f"?{each['loc'][0]}", sentence(each)) for each in error.errors())) from None
    return answer(buying.show_cart(db.session(), person=g.person, cart=cart, **asked.model_dump()))


@with_token("order.place", Scope.ORDERS_WRITE)
def create_order() -> Response:
    asked = read_body(NewOrder)
    recipient = recipient_of(asked)
    hit("order.by", g.person.public_id, limit=300, seconds=HOUR)
    return once(buying.place, body=asked, person=g.person, asked=asked, recipient=recipient)


def recipient_of(asked: NewOrder) -> Recipient:
    """By the rules of the checkout's own form. Raises Unfit, also where both a cart and lines came, or neither."""
    if (asked.cart is None) is (asked.lines is None):
        raise Unfit(buying.one_of_two())
    sent = asked.recipient
    where = {"province": sent.province, "city": sent.city, "street": sent.street}
    form = with_choices(CheckoutForm(typed(recipient=sent.name, phone=sent.phone, note=asked.note, **where)))
    check(form, RECIPIENT)
    return form.entered


@with_token("order.follow", Scope.READ, Scope.ORDERS_WRITE)
def show_order(number: str) -> Response:
    return answer(buying.show_order(db.session(), person=g.person, number=number))


@with_token("order.place", Scope.ORDERS_WRITE)
def create_payment(number: str) -> Response:
    """The gateway is asked between two transactions; asked twice, it goes on with the same attempt."""
    known = known_answer(db.session(), body=None)
    if known is not None:
        return created(known, is_repeated=True)
    url = paying.lead_to_cashier(person=g.person, number=number)
    return once(paying.answer, body=None, person=g.person, number=number, url=url)


@with_token("parcel.handle", Scope.READ, Scope.PARCELS_WRITE)
def show_parcel(number: str) -> Response:
    may_send = Scope.PARCELS_WRITE in g.person.scopes
    return answer(parcels.show(db.session(), number=number, stations=g.stations, with_recipient=may_send))


@with_token("parcel.handle", Scope.PARCELS_WRITE)
def create_step(number: str) -> Response:
    asked = read_body(NewStep)
    parcel = parcels.get(db.session(), number, g.stations).public_id
    fields = parcels.fields_of(asked)
    parcels.limit(parcel, asked)
    who = {"stations": g.stations, "actor": f"person:{g.person.id}"}
    return once(parcels.take_step, body=asked, number=number, step=asked.step, fields=fields, **who)


@with_token("listing.keep", Scope.LISTINGS_WRITE)
def create_listing() -> Response:
    asked = read_body(NewListing)
    given = {"category": asked.category, "entered": selling.details(asked), "submit": asked.submit}
    return once(selling.make, body=asked, person_id=g.person.id, **given)


@with_token("listing.keep", Scope.READ, Scope.LISTINGS_WRITE)
def show_submission(sku: str) -> Response:
    return answer(selling.show(db.session(), code=sku, person_id=g.person.id))


@with_token("listing.keep", Scope.LISTINGS_WRITE)
def create_submission(sku: str) -> Response:
    return once(selling.submit, body=None, code=sku, person_id=g.person.id)
