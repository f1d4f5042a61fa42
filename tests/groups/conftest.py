"""Apples that are offered to groups: three packs make it, at ¥30.00 instead of ¥39.80."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from listings.models import Listing, Variant
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.orders.carts import CartOwner
from marketplace.orders.groups import joining, offering
from marketplace.orders.groups.joining import Place
from marketplace.orders.groups.models import GroupBuy, GroupMember
from marketplace.orders.groups.offering import Keeper, Terms
from marketplace.orders.models import Order
from marketplace.orders.placing import Recipient
from marketplace.payments import attempts, sweeping
from tests.orders.conftest import Shop, build_shop

TERMS = {"price_fen": 3000, "threshold_packs": 3, "most_packs": 6, "most_per_member": 3}
TERMS |= {"days": 2, "tolerance_percent": 0, "prolong_days": 0}
SHIPPING = 600
OURS = outbox.OutboxRow.topic.like("group.%") | outbox.OutboxRow.topic.like("order.%")


@dataclass
class Market:
    shop: Shop
    seller: int
    offer: str = ""

    def offering(self, **terms: Any) -> str:
        given = Terms(**TERMS | terms)
        keeper = Keeper(self.seller)
        self.offer = in_transaction(offering.offer, variant=self.shop.apples, terms=given, keeper=keeper)
        return self.offer

    def open(self, packs: int = 1, phone: str = "13835172001") -> tuple[str, str]:
        """A new group and its first order."""
        number = in_transaction(joining.open_group, offer=self.offer, place=place(packs, phone))
        return self.group_of(number), self.sent(number)

    def join(self, group: str, packs: int = 1, phone: str = "13835172002", total: int | None = None) -> str:
        return self.sent(in_transaction(joining.join, group=group, place=place(packs, phone, total)))

    def sent(self, number: str) -> str:
        """To the cashier, as the page does it."""
        attempt = in_transaction(open_attempt, number=number)
        attempts.submit(attempt, return_url="http://shop.test/", description=number)
        return number

    def pay(self, *numbers: str) -> None:
        for number in numbers:
            self.shop.pay(number)
            self.shop.work()

    def settle(self) -> None:
        """What goes back arrives."""
        deliver_all()
        self.shop.work()
        with at(clock.now() + timedelta(minutes=5)):
            self.shop.cashier.finish_refunds()
            self.shop.work()

    def group_of(self, number: str) -> str:
        wanted = select(GroupBuy.public_id).join(GroupMember, GroupMember.group_id == GroupBuy.id)
        return db.session.scalars(wanted.join(Order).where(Order.number == number)).one()

    def group(self, group: str) -> GroupBuy:
        db.session.rollback()
        return db.session.scalars(select(GroupBuy).where(GroupBuy.public_id == group)).one()

    def members(self, group: str) -> list[tuple[str, int]]:
        db.session.rollback()
        wanted = select(GroupMember.state, GroupMember.packs).join(GroupBuy, GroupBuy.id == GroupMember.group_id)
        found = db.session.execute(wanted.where(GroupBuy.public_id == group).order_by(GroupMember.id))
        return [(state.value, packs) for state, packs in found]


def open_attempt(session: Any, *, number: str) -> str:
    found = attempts.open_one(session, purpose="order", reference=number)
    assert found is not None
    return found


def place(packs: int, phone: str, total: int | None = None, price: int = 3000, **changes: Any) -> Place:
    recipient = Recipient(name="郭晓芸", phone=phone, province="140000", city="太原 小店区", street="平阳路 128 号")
    shipping = SHIPPING if packs <= 2 else 1000
    if packs * price >= 9900:
        shipping = 0
    shown = packs * price + shipping if total is None else total
    owner = CartOwner(person_id=None, token="guest")
    given: dict[str, Any] = {"is_pickup": False, "shown_total_fen": shown, "owner": owner, "language": "zh_CN"}
    return Place(packs=packs, recipient=recipient, **given | changes)


def deliver_all() -> bool:
    """What waits in the outbox and is due; True if something did."""
    has_worked = False
    while outbox.deliver_some(outbox.of_topics(OURS), 50) or sweeping.send_refund():
        has_worked = True
    return has_worked


def at(moment: datetime) -> Any:
    return time_machine.travel(moment, tick=False)


def after_the_deadline(market: Market, group: str) -> None:
    """Everything that happens by itself then, the outbox's and the cashier's."""
    with at(market.group(group).closes_at + timedelta(seconds=1)):
        deliver_all()
        market.settle()


def build_market(app: Flask) -> Market:
    shop = build_shop(app)
    wanted = select(Listing.seller_id).join(Variant, Variant.listing_id == Listing.id).where(Variant.code == shop.apples)
    return Market(shop, db.session.scalars(wanted).one())


@pytest.fixture
def market(app: Flask) -> Iterator[Market]:
    built = build_market(app)
    built.offering()
    yield built
    built.shop.cashier.storage.dispose()


@pytest.fixture
def real_market(real_app: Flask) -> Iterator[Market]:
    built = build_market(real_app)
    built.offering()
    yield built
    built.shop.cashier.storage.dispose()


def wrong(market: Market) -> list[str]:
    """What the audit finds, in the transaction of the test."""
    db.session.rollback()
    with market.shop.cashier.storage.connect() as cashier:
        found = audit.findings(db.session.connection(), cashier)
        return [f"{each.check}: {each.words}" for each in found if isinstance(each, Difference)]


def in_shanghai(moment: datetime) -> str:
    return clock.local(moment).strftime("%Y-%m-%d %H:%M")
