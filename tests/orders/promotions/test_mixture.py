"""Tiers, promotions, groups, several stations, partial refunds and an account, in any order: no fen is lost."""

from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders import fulfilment, paying, refunding, remaining, settlement, undelivered
from marketplace.orders.institutions import billing, checking
from marketplace.orders.institutions.models import GoodsCheck
from marketplace.orders.institutions.states import CheckState
from marketplace.orders.models import Order, Parcel
from marketplace.orders.promotions import ending
from marketplace.orders.promotions.models import Promotion
from marketplace.orders.promotions.states import Kind
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.payments import attempts
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState
from tests.groups.conftest import Market, open_attempt
from tests.institutions.conftest import Canteen, build_canteen, differences, next_month, send
from tests.orders.conftest import build_shop
from tests.orders.promotions.conftest import Counter
from tests.orders.promotions.promoting import line_of, promotion
from tests.orders.refunding import bounce, refund_again

DESK: dict[str, Any] = {"station": None, "actor": "clerk"}
SENT = (RefundState.PENDING, RefundState.SUCCEEDED)
CODES = ("", "SHARED", "FREESHIP", "NINETY")


class Day:
    """What people do, drawn from a seed; whatever is refused changes nothing."""

    def __init__(self, canteen: Canteen, chance: Random) -> None:
        self.canteen, self.chance = canteen, chance
        self.counter = Counter(canteen.shop.apples, canteen.shop.millet)
        self.orders: list[str] = []
        self.made: list[str] = []
        self.groups: list[str] = []
        self.begin_promotions()
        seller = db.session.scalars(select(Person.id).where(Person.public_id == self.seller)).one()
        self.market = Market(canteen.shop, seller)
        self.market.offering(most_per_member=3)

    def begin_promotions(self) -> None:
        seller = self.seller = line_of(self.counter.order(apples=1)).seller_public_id
        own: dict[str, Any] = {"kind": Kind.PERCENT, "amount_fen": 0, "percent": self.chance.choice((3, 33, 90))}
        self.made.append(promotion(seller=seller, code="", **own, uses_each=None))
        self.made.append(promotion(code="SHARED", platform_bps=3333, amount_fen=777, uses_each=None))
        ninety: dict[str, Any] = {"kind": Kind.PERCENT, "amount_fen": 0, "percent": 90, "most_fen": None}
        self.made.append(promotion(code="NINETY", platform_bps=1, budget_fen=60_000, uses_each=None, **ninety))
        self.made.append(promotion(code="FREESHIP", kind=Kind.FREE_SHIPPING, amount_fen=0, uses_each=None))

    def order(self) -> None:
        goods = {name: self.chance.choice((1, 2, 3, 7, 9, 10, 11)) for name in ("apples", "millet")}
        kept: dict[str, Any] = {name: packs for name, packs in goods.items() if self.chance.random() < 0.7} or {"apples": 1}
        self.orders.append(self.counter.order(code=self.chance.choice(CODES), **kept))
        self.pay()

    def on_account(self) -> None:
        goods = {"apples": self.chance.choice((1, 10)), "millet": self.chance.choice((1, 3))}
        self.orders.append(self.canteen.order(self.chance.choice(CODES), **goods))

    def pay(self) -> None:
        number = self.chance.choice(self.orders)
        order = db.session.scalars(select(Order).where(Order.number == number)).one()
        if order.state is not OrderState.PENDING_PAYMENT:
            return
        if self.chance.random() < 0.2:
            with clock.at(order.pay_by):
                paying.expire(number=number)
            return
        attempts.submit(in_transaction(open_attempt, number=number), return_url="http://shop.test/", description=number)
        self.canteen.shop.pay(number)
        self.canteen.shop.work()

    def parcel(self) -> Parcel:
        db.session.rollback()
        mine = select(Parcel).join(Order).where(Order.number == self.chance.choice(self.orders)).order_by(Parcel.id)
        return self.chance.choice(db.session.scalars(mine).all())

    def refund(self) -> None:
        parcel = self.parcel()
        line = self.chance.choice(remaining.of(db.session(), parcel))
        given: dict[str, Any] = {"parcel": parcel.public_id, "units": {line.public_id: self.chance.randint(0, line.units)}}
        with_shipping = self.chance.random() < 0.5
        in_transaction(refunding.refund_units, **given, **DESK, with_shipping=with_shipping, reason="坏了")

    def refund_rest(self) -> None:
        in_transaction(refunding.refund_rest, parcel=self.parcel().public_id, **DESK, reason="坏了")

    def deliver(self) -> None:
        parcel = self.parcel()
        if parcel.state is S.AWAITING_ACCEPTANCE:
            send(parcel.public_id)
            if self.chance.random() < 0.2:
                in_transaction(undelivered.lose, parcel=parcel.public_id, **DESK, reason="车翻了")
                return
        given: dict[str, Any] = {"parcel": parcel.public_id, "station": None, "actor": "test"}

        in_transaction(fulfilment.deliver, **given)

    def refuse(self) -> None:
        in_transaction(fulfilment.refuse, parcel=self.parcel().public_id, **DESK, reason="没有了")

    def settle(self) -> None:
        parcel = self.parcel()
        in_transaction(settlement.confirm, number=parcel.order.number, parcel=parcel.public_id, actor="buyer")

    def check(self) -> None:
        parcel = self.parcel()
        line = self.chance.choice(remaining.of(db.session(), parcel))
        claim = checking.Claim(self.chance.randint(0, line.units), self.chance.choice((None, 1, 2400, 4999)), "damaged")
        self.canteen.check(parcel.public_id, {line.public_id: claim} if self.chance.random() < 0.6 else None)

    def answer(self) -> None:
        claimed = db.session.scalars(select(GoodsCheck.public_id).where(GoodsCheck.state == CheckState.CLAIMED)).all()
        for check in claimed:
            agrees = self.chance.random() < 0.7
            in_transaction(checking.answer, check=check, station=None, agrees=agrees, why="看过了", actor="clerk")

    def bill(self) -> None:
        with clock.at(next_month()):
            in_transaction(billing.bill_due)

    def pay_bill(self) -> None:
        for statement in self.canteen.statements():
            self.canteen.pay(statement.public_id)

    def bounce(self) -> None:
        """A refund that did not arrive: owed again, to whom it was taken from."""
        sent = db.session.scalars(select(Refund.public_id).where(Refund.state.in_(SENT)).order_by(Refund.id)).all()
        bounce(self.canteen.shop, self.chance.choice(sent))

    def join(self) -> None:
        """A group: nothing comes off, and nothing is packed before it is complete."""
        goods: dict[str, Any] = {"packs": self.chance.choice((1, 2, 3)), "phone": f"1383517200{self.chance.randint(1, 9)}"}
        if self.chance.random() < 0.3:
            group, number = self.market.open(**goods)
            self.groups.append(group)
        else:
            number = self.market.join(self.chance.choice(self.groups), **goods)
        self.orders.append(number)
        if self.chance.random() < 0.8:
            self.market.pay(number)

    def withdraw(self) -> None:
        in_transaction(undelivered.cancel_paid, number=self.chance.choice(self.orders), actor="buyer")

    def end(self) -> None:
        made = self.chance.choice(self.made)
        row = db.session.scalars(select(Promotion).where(Promotion.public_id == made)).one()
        given: dict[str, Any] = {"promotion": made, "person_id": row.made_by, "seller": row.seller_public_id or None}
        in_transaction(ending.stop, **given)

    def work(self) -> None:
        self.canteen.shop.work()
        in_transaction(billing.conclude_credited)
        with clock.at(clock.now() + timedelta(minutes=5)):
            self.canteen.shop.cashier.finish_refunds()
            self.canteen.shop.work()


MANY = ("order", "order", "order", "on_account", "refund", "refund", "refund", "deliver", "deliver", "check")
ONCE = ("pay", "join", "join", "bounce", "withdraw", "refund_rest", "refuse", "settle", "answer", "bill", "pay_bill")
NOW_AND_THEN = ("work", "end")


@pytest.mark.full
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_the_books_are_right(app: Flask, seed: int) -> None:
    chance = Random(seed)
    day = Day(build_canteen(build_shop(app), limit_fen=100_000_000), chance)
    for _step in range(60):
        with suppress(Refusal, IndexError):
            getattr(day, chance.choice(MANY + ONCE + NOW_AND_THEN))()
    refund_again()
    day.work()
    assert differences(day.canteen) == []
    day.canteen.shop.cashier.storage.dispose()
