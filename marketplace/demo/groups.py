"""Two offers to groups of the demonstration, one group at two packs of three, one that is complete, an hour ago."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.demo.cashier import pay_at_cashier
from marketplace.demo.people import ids_of, person_id
from marketplace.orders import paying
from marketplace.orders.carts import CartOwner
from marketplace.orders.groups import joining, offering
from marketplace.orders.groups.joining import Place
from marketplace.orders.groups.models import GroupBuy, GroupMember, GroupOffer
from marketplace.orders.groups.offering import Keeper, Terms
from marketplace.orders.models import Order
from marketplace.orders.placing import Recipient
from marketplace.payments.sandbox.gateway import SandboxCashier

Deed = tuple[datetime, Callable[[], None]]
AGO: Final = timedelta(minutes=58)
LEAST_IN_STOCK: Final = 30
BUYERS: Final[tuple[tuple[str, Recipient], ...]] = (
    ("buyer2", Recipient("贺秀珍", "13900006601", "140000", "太原 迎泽区", "柳巷 21 号")),
    ("", Recipient("武建平", "13900006602", "140000", "大同 平城区", "御河西路 9 号")),
    ("", Recipient("田小芳", "13900006603", "140000", "临汾 尧都区", "鼓楼南街 45 号")),
)
PACKS: Final = ((1, 1), (1, 1, 1))
"""What is bought in each group, by BUYERS in their order: two of three, and all three."""


def deeds(cashier: SandboxCashier) -> list[Deed]:
    """(when, what)."""
    return [(clock.now() - AGO, partial(live, cashier))]


def live(cashier: SandboxCashier) -> None:
    """Offered, opened, joined and paid, some minutes apart."""
    began = clock.now()
    offers = in_transaction(offer_two)
    minute = 0
    for offer, packs in zip(offers, PACKS, strict=False):
        group = ""
        for number, (whose, recipient) in zip(packs, BUYERS, strict=False):
            minute += 5
            with clock.at(began + timedelta(minutes=minute)):
                order = in_transaction(take_place, offer=offer, group=group, packs=number, buyer=whose, recipient=recipient)
                attempt = in_transaction(paying.open_attempt, number=order)
                assert attempt is not None
                pay_at_cashier(cashier, attempt, return_url=f"/orders/{order}", description=order)
                group = group or in_transaction(group_of, number=order)


def offer_two(session: Session) -> list[str]:
    """One pack of each of two listings of the seller whom people may sign in as, a seventh below its price."""
    seller = ids_of(session, [person_id("seller")])[person_id("seller")]
    first = (
        select(Variant.id).where(Variant.listing_id == Listing.id, Variant.is_offered).order_by(Variant.position).limit(1)
    )
    wanted = select(Variant).join(Listing, Listing.id == Variant.listing_id)
    wanted = wanted.where(Listing.seller_id == seller, Listing.state == ListingState.PUBLISHED)
    wanted = wanted.where(Variant.id == first.correlate(Listing).scalar_subquery())
    wanted = wanted.where(Variant.on_hand - Variant.reserved >= LEAST_IN_STOCK)
    return [offer_one(session, pack, seller) for pack in session.scalars(wanted.order_by(Listing.id).limit(2)).all()]


def offer_one(session: Session, pack: Variant, seller: int) -> str:
    terms = Terms(
        price_fen=pack.price_fen * 6 // 7 // 10 * 10,
        threshold_packs=3,
        most_packs=12,
        most_per_member=3,
        days=3,
        tolerance_percent=0,
        prolong_days=1,
    )
    return offering.offer(session, variant=pack.code, terms=terms, keeper=Keeper(seller))


def take_place(session: Session, *, offer: str, group: str, packs: int, buyer: str, recipient: Recipient) -> str:
    """Opens the group where there is none yet; the order's number."""
    person = ids_of(session, [person_id(buyer)]).get(person_id(buyer)) if buyer else None
    owner = CartOwner(person, None if person else "demo-group")
    row = session.scalars(select(GroupOffer).where(GroupOffer.public_id == offer)).one()
    quoted = joining.quote(session, row, packs=packs, province=recipient.province, is_pickup=False)
    place = Place(packs, recipient, False, quoted.total_fen, owner, "zh_CN")
    if group:
        return joining.join(session, group=group, place=place)
    return joining.open_group(session, offer=offer, place=place)


def group_of(session: Session, *, number: str) -> str:
    wanted = select(GroupBuy.public_id).join(GroupMember, GroupMember.group_id == GroupBuy.id)
    return session.scalars(wanted.join(Order, Order.id == GroupMember.order_id).where(Order.number == number)).one()
