"""Carts and orders of programs: the same commands as the shop's pages. To be called inside a transaction."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import offers
from marketplace.accounts.visitors import Visitor
from marketplace.api.doors import Unfit
from marketplace.api.writing_schemas import (
    CartAnswer,
    CartLine,
    CartParcel,
    InsteadLine,
    NewOrder,
    OrderAnswer,
    OrderedLine,
    OrderParcel,
    WantedLine,
)
from marketplace.core import clock, ids
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language, language
from marketplace.orders import backlog, carts, placing, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.institutions import queries as institutions
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.placing import OtherTotal, Recipient
from marketplace.orders.promotions import choosing
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.quoting import Quote, QuotedLine, QuotedParcel, quote
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.receiving.states import SubstituteState

LINES: Final = "#/lines"
COUPON: Final = "#/coupon"


class TotalHasChanged(OtherTotal):
    """What is said to be the total is not: `wrong` says what it is now."""

    def __init__(self, total_fen: str) -> None:
        super().__init__(total_fen)
        self.wrong = [("#/total_fen", _("It is %(fen)s fen now.", fen=total_fen))]


def owner_of(person: Visitor, cart: str) -> CartOwner:
    """Whoever else knows a cart's name opens nothing with it: its token is made of the name and of whose it is."""
    return CartOwner(person.id, fingerprint(f"{person.public_id}:{cart}", "api.cart"), is_apart=True)


def make_cart(
    session: Session,
    *,
    person: Visitor,
    lines: Sequence[WantedLine],
    province: str,
    pickup: Collection[str],
    coupon: str = "",
) -> CartAnswer:
    """A new cart with these lines. Raises Unfit, TooHeavy."""
    cart = ids.public_id()
    fill(session, owner_of(person, cart), lines)
    return show_cart(session, person=person, cart=cart, province=province, pickup=pickup, coupon=coupon)


def fill(session: Session, owner: CartOwner, lines: Sequence[WantedLine]) -> None:
    """Each pack once, and not fewer than its minimum. Raises Unfit."""
    for place, line in enumerate(lines):
        if line.sku in {before.sku for before in lines[:place]}:
            raise Unfit((f"{LINES}/{place}/sku", _("This pack stands in another line already.")))
        try:
            put = carts.put(session, owner=owner, variant=line.sku, quantity=line.quantity)
        except NotFound:
            raise Unfit((f"{LINES}/{place}/sku", _("This is no longer for sale."))) from None
        if put != line.quantity:
            raise Unfit((f"{LINES}/{place}/quantity", _("It must be at least %(bound)s.", bound=put)))


def show_cart(
    session: Session, *, person: Visitor, cart: str, province: str, pickup: Collection[str], coupon: str = ""
) -> CartAnswer:
    """What it costs now. Raises NotFound for another's, and once it was ordered; Unfit for no such province or a coupon that
    cannot be used; TooHeavy."""
    contents = carts.contents(session, owner_of(person, cart))
    if not contents:
        raise NotFound(cart)
    tariff = shipping.tariff(session, province, clock.today()) if province else None
    if tariff is not None and not tariff.rates:
        raise Unfit(("#/province", _("Nothing is sent there.")))
    found = offers.find(session, [variant for variant, _quantity, _seen in contents])
    delays = backlog.delays(session, {offer.station_code for offer in found.values()})
    quoted = quote(contents, found, tariff=tariff, pickup=pickup, delays=delays)
    try:
        quoted = choosing.reduced(session, quoted, code=coupon, buyer=Buyer(person.id))
    except choosing.CouponRefused as refusal:
        raise Unfit((COUPON, str(refusal.message))) from None
    return cart_answer(cart, quoted)


def cart_answer(cart: str, quoted: Quote) -> CartAnswer:
    parcels = [cart_parcel(parcel) for parcel in quoted.parcels]
    is_known = bool(parcels) and all(parcel.shipping_fen is not None for parcel in parcels)
    is_sound = is_known and not quoted.has_trouble
    return CartAnswer(
        cart=cart,
        goods_fen=quoted.goods_fen,
        shipping_fen=quoted.shipping_fen if is_known else None,
        discount_fen=quoted.discount_fen,
        total_fen=quoted.total_fen if is_sound else None,
        parcels=parcels,
    )


def cart_parcel(parcel: QuotedParcel) -> CartParcel:
    """What is fetched at the station needs no province."""
    is_known = parcel.tariff is not None or parcel.delivery == "pickup"
    return CartParcel(
        station=parcel.station_code,
        delivery="pickup" if parcel.delivery == "pickup" else "courier",
        goods_fen=parcel.goods_fen,
        shipping_fen=parcel.shipping_fen if is_known else None,
        promised_by=parcel.promised_by(clock.today()) if is_known and parcel.sound_lines else None,
        lines=[cart_line(line) for line in parcel.lines],
    )


def cart_line(line: QuotedLine) -> CartLine:
    return CartLine(
        sku=line.offer.variant,
        title=in_language(line.offer.title_zh, line.offer.title_en),
        unit=in_language(line.offer.unit_zh, line.offer.unit_en),
        quantity=line.quantity,
        unit_price_fen=line.unit_price_fen,
        sum_fen=line.goods_fen,
        trouble=line.trouble.value if line.trouble else None,
    )


def place(session: Session, *, person: Visitor, asked: NewOrder, recipient: Recipient) -> OrderAnswer:
    """Order what is in the cart, or these lines. Raises Unfit, TotalHasChanged, and what `placing.place` raises."""
    owner = owner_of(person, asked.cart or ids.public_id())
    if asked.lines is not None:
        fill(session, owner, asked.lines)
    contents = carts.contents(session, owner)
    if not contents:
        raise Unfit(("#/cart", _("There is no such cart, or it was ordered already.")))
    refuse_minors(session, [variant for variant, _quantity, _seen in contents], is_adult=asked.is_adult)
    agreed: dict[str, Any] = {"pickup": set(asked.pickup), "shown_total_fen": asked.total_fen, "coupon": asked.coupon}
    agreed["institution"] = institution_of(session, person) if asked.on_account else None
    try:
        number = placing.place(session, owner=owner, recipient=recipient, language=chosen_language(), **agreed)
    except OtherTotal as refusal:
        raise TotalHasChanged(str(refusal)) from None
    except choosing.CouponRefused as refusal:
        raise Unfit((COUPON, str(refusal.message))) from None
    return show_order(session, person=person, number=number)


def institution_of(session: Session, person: Visitor) -> str:
    """The one on whose account this person may order. Raises Unfit."""
    found = institutions.open_to(session, person.id)
    if len(found) != 1:
        raise Unfit(
            ("#/on_account", _("This key's person does not act for exactly one institution that may order on account."))
        )
    return found[0].public_id


def one_of_two() -> tuple[str, str]:
    return "#/cart", _("Either a cart or lines, and not both.")


def refuse_minors(session: Session, packs: Sequence[str], *, is_adult: bool) -> None:
    if not is_adult and any(offer.is_age_restricted for offer in offers.find(session, packs).values()):
        raise Unfit(("#/is_adult", _("There is alcohol in this order. Please confirm that you are 18 or older.")))


def chosen_language() -> str:
    """In which the buyer is written to."""
    return "en" if language() == "en" else "zh_CN"


def show_order(session: Session, *, person: Visitor, number: str) -> OrderAnswer:
    """Four statements. Raises NotFound for another's."""
    order = get_own(session, person, number)
    parts = session.scalars(select(Parcel).where(Parcel.order_id == order.id).order_by(Parcel.number)).all()
    lines, instead = lines_of(session, parts), instead_of(session, parts)
    names = (
        "number",
        "goods_fen",
        "shipping_fen",
        "discount_fen",
        "total_fen",
        "currency",
        "placed_at",
        "pay_by",
        "paid_at",
    )
    return OrderAnswer(
        **{name: getattr(order, name) for name in names},
        state=order.state.value,
        is_test=order.book == "test",
        parcels=[OrderParcel(**parcel_values(order.number, part, lines[part.id], instead[part.id])) for part in parts],
        url=f"/orders/{order.number}",
    )


def get_own(session: Session, person: Visitor, number: str) -> Order:
    """What this person bought. Raises NotFound."""
    order = session.scalar(select(Order).where(Order.number == number, Order.buyer_id == person.id))
    if order is None:
        raise NotFound(number)
    return order


def lines_of(session: Session, parcels: Sequence[Parcel]) -> dict[int, list[OrderedLine]]:
    """By the parcel's id: one statement."""
    wanted = select(OrderLine).where(OrderLine.parcel_id.in_([parcel.id for parcel in parcels])).order_by(OrderLine.id)
    found: dict[int, list[OrderedLine]] = {parcel.id: [] for parcel in parcels}
    for line in session.scalars(wanted):
        shown = OrderedLine(
            sku=line.variant_code,
            listing=line.listing_code,
            title=in_language(line.title_zh, line.title_en),
            quantity=line.quantity,
            refunded_quantity=line.refunded_quantity,
            replaced_quantity=line.replaced_quantity,
            unit_price_fen=line.unit_price_fen,
        )
        found[line.parcel_id].append(shown)
    return found


def instead_of(session: Session, parcels: Sequence[Parcel]) -> dict[int, list[InsteadLine]]:
    """What buyers have accepted for what did not come, by the parcel's id: one statement."""
    wanted = select(OrderLine.parcel_id, OrderLine.variant_code, Substitute)
    wanted = wanted.join(OrderLine, OrderLine.id == Substitute.order_line_id).order_by(Substitute.id)
    wanted = wanted.where(OrderLine.parcel_id.in_([parcel.id for parcel in parcels]))
    found: dict[int, list[InsteadLine]] = {parcel.id: [] for parcel in parcels}
    for parcel, ordered, other in session.execute(wanted.where(Substitute.state == SubstituteState.ACCEPTED)):
        shown = InsteadLine(
            sku=other.variant_code,
            ordered_sku=ordered,
            title=in_language(other.title_zh, other.title_en),
            unit=in_language(other.unit_zh, other.unit_en),
            quantity=other.packs,
            unit_price_fen=other.unit_price_fen,
        )
        found[parcel].append(shown)
    return found


def parcel_values(order: str, parcel: Parcel, lines: list[OrderedLine], instead: list[InsteadLine]) -> dict[str, Any]:
    names = ("delivery", "goods_fen", "shipping_fen", "discount_fen", "promised_by", "carrier", "tracking_number")
    plain: dict[str, Any] = {name: getattr(parcel, name) for name in names}
    known_by = {"number": f"{order}-{parcel.number}", "station": parcel.station_code, "state": parcel.state.value}
    return plain | known_by | {"lines": lines, "instead": instead}
