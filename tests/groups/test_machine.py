"""Joining, paying, leaving, giving up, time: in any order money and stock stay exact, and nobody is sent to too early.

Each life is a group of its own; the cashier's part is played by telling what it would say."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select

from listings import stock
from marketplace.auditing import cashier
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders import paying, undelivered
from marketplace.orders.groups import closing, giving_back, joining
from marketplace.orders.groups.models import GroupBuy, GroupMember
from marketplace.orders.groups.states import GroupState
from marketplace.orders.states import OrderState, ParcelState
from marketplace.payments import attempts, outcomes
from marketplace.payments.gateways import RemotePayment
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState
from tests.examples import enough
from tests.groups.conftest import Market, build_market, place, wrong
from tests.orders.conftest import get, stock_of

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(1, 3)),
        st.tuples(st.just("pay"), st.integers(0, 7)),
        st.tuples(st.just("leave"), st.integers(0, 7)),
        st.tuples(st.just("expire"), st.integers(0, 7)),
        st.tuples(st.just("hours"), st.sampled_from([1, 20, 30])),
        st.tuples(st.just("work"), st.just(0)),
    ),
    min_size=4,
    max_size=14,
)
"""What happens, and to which member, or how many."""


class Life:
    def __init__(self, market: Market) -> None:
        self.market, self.now = market, clock.now()
        self.before = stock_of(market.shop.apples)
        with clock.at(self.now):
            number = in_transaction(joining.open_group, offer=market.offer, place=place(1, "13835172000"))
        self.group, self.orders = market.group_of(number), [number]

    def do(self, act: str, what: int) -> None:
        if act == "hours":
            self.now += timedelta(hours=what)
            return
        with clock.at(self.now):
            if act == "join":
                self.join(what)
            elif act == "work":
                self.work()
            elif what < len(self.orders):
                getattr(self, act)(self.orders[what])

    def join(self, packs: int) -> None:
        phone = f"138351720{len(self.orders):02}"
        with suppress(Refusal):
            self.orders.append(in_transaction(joining.join, group=self.group, place=place(packs, phone)))

    def pay(self, number: str) -> None:
        """The money comes, however late."""
        attempt = db.session.query(Attempt).filter_by(reference=number).order_by(Attempt.id.desc()).first()
        assert attempt is not None
        in_transaction(attempts.begin_submission, attempt=attempt.public_id)
        remote = RemotePayment(
            remote_id=f"pi_{attempt.public_id}",
            attempt=attempt.public_id,
            status=AttemptState.SUCCEEDED,
            raw_status="succeeded",
            amount=attempt.amount,
            book="test",
        )
        in_transaction(outcomes.apply_payment, remote=remote, gateway="sandbox", why="test")

    def leave(self, number: str) -> None:
        with suppress(Refusal):
            in_transaction(undelivered.cancel_paid, number=number, actor="guest")

    def expire(self, number: str) -> None:
        attempt = in_transaction(paying.open_attempt, number=number)
        if attempt is not None and get(number).pay_by <= self.now:
            in_transaction(attempts.withdraw, attempt=attempt)
            in_transaction(paying.give_up, number=number, to=OrderState.EXPIRED, actor="system", why="not paid in time")

    def work(self) -> None:
        while in_transaction(closing.close_one_due):
            pass
        if self.market.group(self.group).state is GroupState.FAILED:
            for member in [each.public_id for each in self.members()]:
                giving_back.give_back(member=member)

    def members(self) -> list[GroupMember]:
        wanted = select(GroupMember).join(GroupBuy, GroupBuy.id == GroupMember.group_id)
        return list(db.session.scalars(wanted.where(GroupBuy.public_id == self.group)))

    def check(self) -> None:
        group = self.market.group(self.group)
        members = self.members()
        orders = {each.order_id: each.order for each in members}
        sold = sum(each.packs for each in members if orders[each.order_id].state is OrderState.PAID)
        held = sum(each.packs for each in members if orders[each.order_id].state is OrderState.PENDING_PAYMENT)
        on_hand, reserved = self.before
        assert stock_of(self.market.shop.apples) == (on_hand - sold, reserved + held)
        is_complete = group.state in {GroupState.REACHED, GroupState.ORDERED}
        for order in orders.values():
            allowed = {ParcelState.AWAITING_GROUP, ParcelState.CANCELLED}
            if is_complete and order.paid_at:
                allowed = {ParcelState.AWAITING_ACCEPTANCE, ParcelState.CANCELLED}
            assert {parcel.state for parcel in order.parcels} <= allowed
        assert [each for each in wrong(self.market) if not each.startswith(cashier.CHECK)] == []  # it was never asked


@pytest.mark.parametrize("prolongs", [0, 1])
def test_in_any_order_money_and_stock_stay_exact(app: Flask, prolongs: int, pytestconfig: pytest.Config) -> None:
    market = build_market(app)
    in_transaction(stock.count, market.shop.apples, difference=900, reference="test")
    market.offering(prolong_days=prolongs, tolerance_percent=34 * prolongs)
    examples = 4 if pytestconfig.getoption("--tier") == "quick" else enough(25, pytestconfig)

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(acts=ACTS)
    def lives(acts: list[tuple[str, Any]]) -> None:
        life = Life(market)
        for act, what in acts:
            life.do(act, what)
        life.check()

    lives()
    market.shop.cashier.storage.dispose()
