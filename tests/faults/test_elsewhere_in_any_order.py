"""Refunds made on the provider's own pages among all else that may become of an order, in any order: no fen is lost, none
goes back twice, and who has neither goods nor money is not forgotten."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.orders import fulfilment, kept, refunding, remaining, settlement, undelivered
from marketplace.orders.models import Parcel
from marketplace.orders.states import ParcelState as S
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import OPEN
from marketplace.payments.gateways import Invalid, RefundRequest
from marketplace.payments.models import Attempt
from marketplace.payments.sandbox import storage
from tests import factories
from tests.examples import enough
from tests.faults.test_paying import assert_sound
from tests.orders.conftest import QINXIAN, Shop, balances, get, parcels, shop

__all__ = ["shop"]

REFUSED = (Refusal, StaleState, IllegalTransition, NotFound, Invalid)
DESK: dict[S, tuple[Callable[..., None], dict[str, str]]] = {
    S.AWAITING_ACCEPTANCE: (fulfilment.accept, {}),
    S.ACCEPTED: (fulfilment.collect, {}),
    S.COLLECTING: (fulfilment.pack, {"shelf": "B-03"}),
    S.PACKED: (fulfilment.ship, {"carrier": "邮政", "tracking_number": "1234567890"}),
    S.SHIPPED: (fulfilment.deliver, {}),
}
NOBODYS = frozenset({S.REFUSED, S.CANCELLED, S.RETURNED_TO_SELLER})
CLERK: dict[str, Any] = {"station": None, "actor": "clerk"}


@dataclass
class Life:
    """One order of two parcels, and the hour."""

    shop: Shop
    number: str
    now: datetime
    tries: int = 0

    def do(self, action: str, which: int, share: int) -> None:
        self.now += timedelta(seconds=40)
        with time_machine.travel(self.now, tick=False), suppress(*REFUSED):
            getattr(self, action)(parcels(self.number)[which], share)

    def refuse(self, parcel: Parcel, _share: int) -> None:
        in_transaction(fulfilment.refuse, parcel=parcel.public_id, reason="霜", **CLERK)

    def cancel_one(self, parcel: Parcel, _share: int) -> None:
        in_transaction(undelivered.cancel_part, number=self.number, parcel=parcel.public_id, actor="guest")

    def cancel_all(self, _parcel: Parcel, _share: int) -> None:
        in_transaction(undelivered.cancel_paid, number=self.number, actor="guest")

    def handle(self, parcel: Parcel, share: int) -> None:
        """So many steps at its desk."""
        name = parcel.public_id
        for _step in range(share % 5 + 1):
            state = next(each.state for each in parcels(self.number) if each.public_id == name)
            if state in DESK:
                verb, more = DESK[state]
                in_transaction(verb, parcel=name, **CLERK, **more)

    def lose(self, parcel: Parcel, _share: int) -> None:
        in_transaction(undelivered.lose, parcel=parcel.public_id, reason="车翻了", **CLERK)

    def confirm(self, parcel: Parcel, _share: int) -> None:
        in_transaction(settlement.confirm, number=self.number, parcel=parcel.public_id, actor="guest")

    def refund_one(self, parcel: Parcel, share: int) -> None:
        units = {parcel.lines[0].public_id: 1}
        told: dict[str, Any] = {"units": units, "with_shipping": share % 2 == 0, "reason": "坏了"}
        in_transaction(refunding.refund_units, parcel=parcel.public_id, **CLERK, **told)

    def refund_rest(self, parcel: Parcel, _share: int) -> None:
        in_transaction(refunding.refund_rest, parcel=parcel.public_id, reason="坏了", **CLERK)

    def send_back_there(self, _parcel: Parcel, share: int) -> None:
        """No provider lets a payment be refunded that a bank has, or asks for."""
        if self.is_with_a_bank():
            return
        self.tries += 1
        fen = max(1, get(self.number).total_fen * share // 100)
        asked = RefundRequest("", self.shop.remote_of(self.number), Money(fen))
        self.shop.cashier.refund(asked, key=f"{self.number}:{self.tries}")

    def fail(self, _parcel: Parcel, share: int) -> None:
        made = self.shop.cashier.refunds_of(self.shop.remote_of(self.number))
        if made and not self.is_with_a_bank():
            self.shop.cashier.fail_refund(made[share % len(made)].remote_id)

    def dispute(self, _parcel: Parcel, _share: int) -> None:
        self.shop.cashier.open_dispute(self.shop.remote_of(self.number))

    def decide(self, _parcel: Parcel, share: int) -> None:
        for each in self.disputes():
            self.shop.cashier.decide_dispute(each.remote_id, is_won=share % 2 == 0)

    def look_at_what_was_kept(self, _parcel: Parcel, _share: int) -> None:
        for name in dict(self.kept()):
            in_transaction(kept.give_back, name=name, actor="person:1", why="电话里说不要货了")

    def work(self, _parcel: Parcel, _share: int) -> None:
        self.shop.cashier.finish_refunds()
        self.shop.work()

    def disputes(self) -> list[Dispute]:
        db.session.rollback()
        mine = select(Dispute).join(Attempt).where(Attempt.reference == self.number)
        return list(db.session.scalars(mine.where(Dispute.state.in_(sorted(OPEN)))))

    def is_with_a_bank(self) -> bool:
        remote = self.shop.remote_of(self.number)
        with self.shop.cashier.storage.connect() as connection:
            mine = select(func.count()).select_from(storage.dispute).where(storage.dispute.c.payment_id == remote)
            return bool(connection.scalar(mine.where(storage.dispute.c.status != "won")))

    def kept(self) -> list[tuple[str, int]]:
        db.session.rollback()
        return [(each.name, each.fen) for each in kept.page(db.session()).rows if each.number == self.number]

    def settle_down(self) -> None:
        """The banks decide, everything that is under way arrives, and people see to what did not."""
        self.wait(1)
        with time_machine.travel(self.now, tick=False):
            self.decide(parcels(self.number)[0], 1)
        for minutes in (2, 3, 5):
            self.wait(minutes)
        with time_machine.travel(self.now, tick=False):
            for parcel in parcels(self.number):
                if never_came(parcel):
                    with suppress(*REFUSED):
                        self.refund_rest(parcel, 0)
            self.look_at_what_was_kept(parcels(self.number)[0], 0)
        for minutes in (2, 3, 5):
            self.wait(minutes)

    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        with time_machine.travel(self.now, tick=False):
            self.work(parcels(self.number)[0], 0)

    def check(self) -> None:
        with time_machine.travel(self.now, tick=False):
            assert_sound(self.shop)
        there = balances(self.number)
        assert self.kept() == [] and there.get("chargeback_loss", 0) >= 0
        assert {"refund_in_transit", "dispute_receivable", "suspense", "buyer_clearing"}.isdisjoint(there)
        due = sum(each.goods_fen + each.shipping_fen for each in parcels(self.number) if never_came(each))
        assert 0 <= there.get("gateway_clearing", 0) + there.get("dispute_fee", 0) <= get(self.number).total_fen - due


def never_came(parcel: Parcel) -> bool:
    return parcel.state in NOBODYS or remaining.is_lost(db.session(), parcel)


ACTIONS = (
    *("refuse", "cancel_one", "cancel_all", "handle", "handle", "lose", "confirm", "refund_one", "refund_rest"),
    *("send_back_there", "send_back_there", "send_back_there", "fail", "dispute", "decide", "look_at_what_was_kept"),
    *("work", "work", "work"),
)
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 1), st.integers(1, 100)), min_size=2, max_size=10)


def live(shop: Shop, steps: list[tuple[str, int, int]]) -> None:
    life = Life(shop, shop.paid_order(shop.browser(), apples=2, millet=1), clock.now())
    for step in steps:
        life.do(*step)
    life.settle_down()
    life.check()


def test_whatever_becomes_of_it_no_fen_is_lost_and_nobody_is_forgotten(shop: Shop, pytestconfig: pytest.Config) -> None:
    apples = factories.make_variant(factories.make_listing(), price_fen=3980, stock_on_hand=100_000)
    sack = factories.make_listing(title_zh="沁州黄小米", station_code=QINXIAN, category_code="grain-millet")
    millet = factories.make_variant(sack, price_fen=5800, net_weight_grams=2500, stock_on_hand=100_000)
    shop.apples, shop.millet = apples.code, millet.code

    @hypothesis_settings(
        max_examples=enough(4, pytestconfig), deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(STEPS)
    def lives(steps: list[tuple[str, int, int]]) -> None:
        live(shop, steps)

    lives()
