"""Opening a group and joining one: an order is placed at the group's price, held and paid like any other."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from flask_babel import lazy_gettext as _l, ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import offers, stock
from listings.offers import Offer
from marketplace.core import clock, ids, outbox
from marketplace.core.db import add_row, add_rows
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace
from marketplace.orders import backlog, placing, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.groups import membership, reaching
from marketplace.orders.groups.models import GroupBuy, GroupMember, GroupOffer
from marketplace.orders.groups.states import JOINABLE, TAKING_ROOM, GroupState, MemberState
from marketplace.orders.models import Order
from marketplace.orders.placing import OtherTotal, Recipient
from marketplace.orders.quoting import COURIER, PICKUP, Quote, QuotedLine, QuotedParcel
from marketplace.payments import attempts

CLOSES: Final = "group.closes"  # the outbox's topic: its deadline
SHORTEST: Final = timedelta(minutes=5)  # less is no time to pay in
TERMS: Final = ("price_fen", "threshold_packs", "most_packs", "most_per_member", "tolerance_percent", "prolong_days")


class NotOffered(Refusal):
    message = _l("This is not offered to groups any more.")


class GroupIsOver(Refusal):
    message = _l("This group is over. Open a new one, or join another.")


class GroupIsFull(Refusal):
    """Of the group's packs only `left` are not taken."""

    status = 422
    message = _l("No place is left in this group. Open a new one, or join another.")

    def __init__(self, group: str, left: int) -> None:
        super().__init__(group)
        self.left = left
        if left > 0:
            self.message = ngettext(
                "Only %(num)s place is left in this group.", "Only %(num)s places are left in this group.", left
            )


class TooManyForOne(Refusal):
    """One member, by their mobile number, takes at most `most` in a group."""

    status = 422
    message = _l("That is more than one person may order in this group.")

    def __init__(self, group: str, most: int) -> None:
        super().__init__(group)
        self.most = most


@dataclass(frozen=True)
class Place:
    """What somebody wants in a group, and what they were shown that it costs."""

    packs: int
    recipient: Recipient
    is_pickup: bool
    shown_total_fen: int
    owner: CartOwner
    language: str


def open_group(session: Session, *, offer: str, place: Place) -> str:
    """A new group with this place as its first; returns the order's number.

    Raises NotFound, NotOffered, and what `join` raises."""
    found = session.scalar(select(GroupOffer).where(GroupOffer.public_id == offer).with_for_update())
    if found is None:
        raise NotFound(offer)
    if found.ended_at is not None:
        raise NotOffered(offer)
    terms = {name: getattr(found, name) for name in TERMS}
    group, until = ids.public_id(), closes_at(found)
    about = {"listing_code": found.listing_code, "variant_code": found.variant_code, "offer_id": found.id}
    add_row(session, GroupBuy, {**terms, **about, "public_id": group, "opened_at": clock.now(), "closes_at": until})
    leave_trace(session, GroupBuy(public_id=group), None, GroupState.OPEN, actor=placing.actor_of(place.owner), why="opened")
    outbox.put(session, CLOSES, after=until - clock.now(), group=group)
    return join(session, group=group, place=place)


def closes_at(offer: GroupOffer) -> datetime:
    """When a group that is opened now has to be complete: so many full days and the rest of this one."""
    return end_of(clock.today() + timedelta(days=offer.days))


def end_of(day: date) -> datetime:
    """The midnight in Shanxi that ends a day."""
    return clock.start_of(day + timedelta(days=1))


def join(session: Session, *, group: str, place: Place) -> str:
    """Order in a group, at its price; returns the order's number. The payer is sent on by `attempts.submit`.

    Raises NotFound, GroupIsOver, GroupIsFull, TooManyForOne, NotOffered, OtherTotal, OutOfStock, TooHeavy,
    PaymentsClosed."""
    row = get_locked(session, group)
    refuse_full(session, row, place)
    quoted = quote(session, row, packs=place.packs, province=place.recipient.province, is_pickup=place.is_pickup)
    if quoted.has_trouble:
        raise stock.OutOfStock(row.variant_code) if quoted.lines[0].offer.is_published else NotOffered(group)
    if quoted.total_fen != place.shown_total_fen:
        raise OtherTotal(str(quoted.total_fen))
    number = ids.order_number()
    stock.reserve(session, {row.variant_code: place.packs}, reference=number)
    pay_by = placing.freeze(session, number, quoted, place.recipient, place.owner, place.language)
    order = session.scalars(select(Order).where(Order.number == number)).one()
    order.pay_by = pay_by = min(pay_by, row.closes_at)
    session.flush()
    attempts.start(session, purpose="order", reference=number, amount=Money(quoted.total_fen), pay_by=pay_by)
    outbox.put(session, "order.expires", after=pay_by - clock.now(), number=number)
    take_place(session, row, order, quoted, place)
    if place.owner.person_id is not None and not place.owner.is_apart:
        placing.remember(session, place.owner.person_id, place.recipient)
    reaching.announce(session, row)
    return number


def get_locked(session: Session, group: str) -> GroupBuy:
    """A group that can still be joined. Raises NotFound, GroupIsOver."""
    known = session.scalar(select(GroupBuy.id).where(GroupBuy.public_id == group))
    if known is None:
        raise NotFound(group)
    row = membership.lock(session, known)
    if row.state not in JOINABLE or row.closes_at - SHORTEST <= clock.now():
        raise GroupIsOver(group)
    return row


def refuse_full(session: Session, group: GroupBuy, place: Place) -> None:
    """Raises GroupIsFull, TooManyForOne."""
    left = group.most_packs - membership.packs_in(session, group, TAKING_ROOM)
    if place.packs > left:
        raise GroupIsFull(group.public_id, left)
    theirs = membership.packs_of(session, group, fingerprint(place.recipient.phone, "order.phone"))
    if theirs + place.packs > group.most_per_member:
        raise TooManyForOne(group.public_id, group.most_per_member)


def quote(session: Session, terms: GroupBuy | GroupOffer, *, packs: int, province: str, is_pickup: bool) -> Quote:
    """What these packs cost at the group's price, sent there or fetched. Raises NotFound."""
    found = offers.find(session, [terms.variant_code]).get(terms.variant_code)
    if found is None:
        raise NotFound(terms.variant_code)
    offer = at_price(found, terms.price_fen)
    delays = backlog.delays(session, {offer.station_code})
    tariff = shipping.tariff(session, province, clock.today())
    line = QuotedLine(offer, packs, terms.price_fen)
    delay = delays.get(offer.station_code, 0)
    parcel = QuotedParcel((line,), PICKUP if is_pickup else COURIER, tariff, delay, waits_for_group=True)
    return Quote((parcel,))


def at_price(offer: Offer, fen: int) -> Offer:
    """The pack at the group's price, one or many; a group has no least quantity of its own."""
    return replace(offer, price_fen=fen, tiers=(), minimum_quantity=1)


def take_place(session: Session, group: GroupBuy, order: Order, quoted: Quote, place: Place) -> None:
    member = ids.public_id()
    days = (quoted.parcels[0].promised_by(clock.today()) - clock.today()).days
    whose = {"public_id": member, "group_id": group.id, "order_id": order.id}
    add_rows(session, GroupMember, {**whose, "packs": place.packs, "days_to_arrive": days})
    actor = placing.actor_of(place.owner)
    leave_trace(session, GroupMember(public_id=member), None, MemberState.HELD, actor=actor, why="joined")
