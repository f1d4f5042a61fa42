"""Placing an order: all is read anew, the goods are held, what was promised is frozen, an attempt to pay is opened."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from listings import offers, stock
from marketplace.accounts import addresses
from marketplace.core import clock, ids, outbox
from marketplace.core.db import add_row, add_rows
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace
from marketplace.orders import backlog, carts, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.institutions import ordering
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.promotions import choosing, using
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.quoting import Cut, Quote, QuotedLine, QuotedParcel, quote
from marketplace.orders.states import OrderState, ParcelState
from marketplace.payments import attempts
from marketplace.payments.gateways import current_book

TIME_TO_PAY: Final = timedelta(minutes=15)


class NothingToOrder(Refusal):
    message = _l("The cart is empty.")


class SomethingChanged(Refusal):
    """Something in the cart cannot be ordered as it stands; the cart page says what."""

    message = _l("Something in your cart has changed. Please check it again. You were not charged.")


class OtherTotal(Refusal):
    """What the page showed is no longer what it costs."""

    message = _l("The total has changed since you saw it. Please check it again. You were not charged.")


@record
class Recipient:
    """To whom and where, as they typed it."""

    name: str
    phone: str
    province: str
    city: str
    street: str
    note: str = ""


@record
class Present:
    """Packed without prices, with a card that says these words."""

    message: str = ""


def place(
    session: Session,
    *,
    owner: CartOwner,
    recipient: Recipient,
    pickup: Collection[str],
    shown_total_fen: int,
    language: str,
    coupon: str = "",
    present: Present | None = None,
    institution: str | None = None,
) -> str:
    """Order what is in the cart; returns the order's number. The payer is sent on by `attempts.submit`, after the commit.

    `shown_total_fen` is what the person agreed to pay; `institution`: on whose account, else it is paid at once. Raises
    what `ordering.place_on_account` raises, NothingToOrder, SomethingChanged, OtherTotal, OutOfStock, TooHeavy,
    PaymentsClosed, CouponRefused."""
    contents = carts.contents(session, owner)
    found = offers.find(session, [variant for variant, _quantity, _seen in contents])
    tariff = shipping.tariff(session, recipient.province, clock.today())
    delays = backlog.delays(session, {offer.station_code for offer in found.values()})
    quoted = quote(contents, found, tariff=tariff, pickup=pickup, delays=delays)
    if not quoted.parcels:
        raise NothingToOrder
    if quoted.has_trouble or len(found) != len(contents):
        raise SomethingChanged
    buyer = Buyer(owner.person_id, recipient.phone, institution or "")
    quoted = choosing.reduced(session, quoted, code=coupon, buyer=buyer)
    if quoted.total_fen != shown_total_fen:
        raise OtherTotal(str(quoted.total_fen))
    wanted = {line.offer.variant: line.quantity for line in quoted.lines}
    number = ids.order_number()
    stock.reserve(session, wanted, reference=number)
    birth = OrderState.PLACED_ON_ACCOUNT if institution else OrderState.PENDING_PAYMENT
    pay_by = freeze(session, number, quoted, recipient, owner, language, present, birth=birth)
    if institution:
        whose: dict[str, Any] = {"institution": institution, "person_id": owner.person_id}
        ordering.place_on_account(session, number=number, total_fen=quoted.total_fen, goods=wanted, **whose)
    using.reserve(session, order=number, reductions=quoted.reductions, buyer=buyer)
    if not institution:
        attempts.start(session, purpose="order", reference=number, amount=Money(quoted.total_fen), pay_by=pay_by)
        outbox.put(session, "order.expires", after=TIME_TO_PAY, number=number)
    if not carts.take_out(session, owner=owner, variants=list(wanted)):  # a second tab was faster
        raise NothingToOrder
    if owner.person_id is not None and not owner.is_apart:  # a program's recipients are not its person's addresses
        remember(session, owner.person_id, recipient)
    return number


def remember(session: Session, person_id: int, recipient: Recipient) -> None:
    given = {"recipient": recipient.name, "phone": recipient.phone, "province": recipient.province}
    addresses.remember(session, person_id=person_id, city=recipient.city, street=recipient.street, **given)


def freeze(
    session: Session,
    number: str,
    quoted: Quote,
    recipient: Recipient,
    owner: CartOwner,
    language: str,
    present: Present | None = None,
    *,
    birth: OrderState = OrderState.PENDING_PAYMENT,
) -> datetime:
    """The rows of an order; nothing of it is computed again later. Until when it may be paid."""
    now = clock.now()
    order = {
        "number": number,
        "state": birth,
        "buyer_id": owner.person_id,
        "recipient": recipient.name,
        "phone": recipient.phone,
        "phone_fingerprint": fingerprint(recipient.phone, "order.phone"),
        "province_code": recipient.province,
        "city": recipient.city,
        "street": recipient.street,
        "note": recipient.note,
        "is_gift": present is not None,
        "gift_message": present.message or None if present else None,
        "goods_fen": quoted.goods_fen,
        "shipping_fen": quoted.shipping_fen,
        "discount_fen": quoted.discount_fen,
        "total_fen": quoted.total_fen,
        "book": current_book(),
        "language": language,
        "placed_at": now,
        "pay_by": now + TIME_TO_PAY,
    }
    order_id = add_row(session, Order, order)
    mine = Order(number=number)
    leave_trace(session, mine, None, birth, actor=actor_of(owner), why="placed")
    for position, parcel in enumerate(quoted.parcels, start=1):
        freeze_parcel(session, order_id, position, parcel, quoted)
    return now + TIME_TO_PAY


def freeze_parcel(session: Session, order_id: int, position: int, parcel: QuotedParcel, quoted: Quote) -> None:
    state = ParcelState.AWAITING_GROUP if parcel.waits_for_group else ParcelState.AWAITING_ACCEPTANCE
    row = {
        "public_id": ids.public_id(),
        "order_id": order_id,
        "state": state,
        "number": position,
        "station_code": parcel.station_code,
        "delivery": parcel.delivery,
        "goods_fen": parcel.goods_fen,
        "service_fee_fen": parcel.service_fee_fen,
        "shipping_fen": parcel.shipping_fen,
        "discount_fen": sum(quoted.cut_of(line.offer.variant).fen for line in parcel.lines),
        "net_weight_grams": parcel.net_weight_grams,
        "promised_by": parcel.promised_by(clock.today()),
        "leave_by": parcel.leave_by(clock.today()),
    }
    parcel_id = add_row(session, Parcel, row)
    mine, where = Parcel(public_id=row["public_id"]), None if parcel.waits_for_group else parcel.station_code
    leave_trace(session, mine, None, state, actor="system", why="placed", station=where)
    parts = zip(parcel.lines, parcel.shipping_parts, strict=True)
    cuts = {line.offer.variant: quoted.cut_of(line.offer.variant) for line in parcel.lines}
    lines = (line_values(parcel_id, line, fen, cuts[line.offer.variant]) for line, fen in parts)
    add_rows(session, OrderLine, *lines)


def line_values(parcel_id: int, line: QuotedLine, shipping_fen: int, cut: Cut) -> Mapping[str, object]:
    offer = line.offer
    return {
        "public_id": ids.public_id(),
        "parcel_id": parcel_id,
        "listing_code": offer.listing,
        "variant_code": offer.variant,
        "seller_public_id": offer.seller,
        "seller_name": offer.seller_name,
        "title_zh": offer.title_zh,
        "title_en": offer.title_en,
        "unit_zh": offer.unit_zh,
        "unit_en": offer.unit_en,
        "unit_price_fen": line.unit_price_fen,
        "unit_service_fee_fen": line.unit_service_fee_fen,
        "quantity": line.quantity,
        "shipping_fen": shipping_fen,
        "seller_discount_fen": cut.seller_fen,
        "platform_discount_fen": cut.platform_fen,
        "shipping_discount_fen": cut.shipping_fen,
        "net_weight_grams": offer.net_weight_grams,
        "return_policy": offer.return_policy,
        "drawing": offer.drawing,
        "media_public_id": offer.media,
    }


def actor_of(owner: CartOwner) -> str:
    return f"person:{owner.person_id}" if owner.person_id is not None else "guest"
