"""At the same moment: the last two payments, a payment and the deadline, the last place, leaving and completing."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders import undelivered
from marketplace.orders.groups import closing, joining
from marketplace.payments import outcomes
from tests.groups.conftest import Market, at, deliver_all, open_attempt, place
from tests.orders.conftest import balances, differences, get, parcels, stock_of

Deed = Callable[[], object]


def at_once(app: Flask, deeds: list[Deed]) -> Counter[str]:
    """What came of each: its answer's kind, or the name of its refusal."""
    start = Barrier(len(deeds))

    def do(deed: Deed) -> str:
        with app.app_context():
            start.wait()
            try:
                deed()
            except Refusal as refusal:
                return type(refusal).__name__
            return "done"

    with ThreadPoolExecutor(len(deeds)) as pool:
        return Counter(pool.map(do, deeds))


def money_for(market: Market, number: str) -> Deed:
    """The cashier has it; the deed is our hearing of it."""
    attempt = in_transaction(open_attempt, number=number)
    remote = market.shop.cashier.find_payment(attempt)
    assert remote is not None
    paid = market.shop.cashier.decide(remote.remote_id, "succeeded")
    return lambda: in_transaction(outcomes.apply_payment, remote=paid, gateway="sandbox", why="webhook")


def test_the_last_two_payments_complete_it_once(real_market: Market, real_app: Flask) -> None:
    group, first = real_market.open(1)
    others = [real_market.join(group, 1, f"1383517210{number}") for number in range(3)]
    deeds = [money_for(real_market, number) for number in (first, *others)]
    assert at_once(real_app, deeds) == {"done": 4}
    assert real_market.group(group).state == "reached"
    assert real_market.members(group) == [("ordered", 1)] * 4
    assert {parcels(number)[0].state for number in (first, *others)} == {"awaiting_acceptance"}
    assert differences(real_market.shop) == []


def test_a_payment_and_the_deadline_agree_on_one_end(real_market: Market, real_app: Flask) -> None:
    group, first = real_market.open(2)
    real_market.pay(first)
    last = real_market.join(group, 1)
    money = money_for(real_market, last)

    closes_at = real_market.group(group).closes_at

    def deadline() -> None:
        with clock.at(closes_at + timedelta(seconds=1)):
            closing.close(group=group)

    assert at_once(real_app, [money, deadline, deadline]) == {"done": 3}
    with at(closes_at + timedelta(seconds=2)):
        deliver_all()
        real_market.settle()
    if real_market.group(group).state == "ordered":
        assert real_market.members(group) == [("ordered", 2), ("ordered", 1)] and stock_of(real_market.shop.apples) == (
            97,
            0,
        )
    else:
        assert real_market.group(group).state == "failed"
        assert real_market.members(group) == [("refunded", 2), ("lapsed", 1)]
        assert stock_of(real_market.shop.apples) == (100, 0) and balances(first) == balances(last) == {}
    assert differences(real_market.shop) == []


def test_the_last_places_go_to_as_many_as_there_are(real_market: Market, real_app: Flask) -> None:
    group, first = real_market.open(3)
    real_market.pay(first)

    def join(number: int) -> Deed:
        return lambda: in_transaction(joining.join, group=group, place=place(1, f"1383517220{number}"))

    assert at_once(real_app, [join(number) for number in range(6)]) == {"done": 3, "GroupIsFull": 3}
    assert [packs for _state, packs in real_market.members(group)] == [3, 1, 1, 1]
    assert stock_of(real_market.shop.apples) == (97, 3)


@pytest.mark.full
def test_who_leaves_while_it_is_completed_is_out_or_ordered(real_market: Market, real_app: Flask) -> None:
    group, first = real_market.open(2)
    real_market.pay(first)
    last = real_market.join(group, 1)

    def leave() -> object:
        return in_transaction(undelivered.cancel_paid, number=first, actor="guest")

    assert at_once(real_app, [money_for(real_market, last), leave]) == {"done": 2}
    real_market.settle()
    assert get(first).state == "cancelled" and parcels(first)[0].state == "cancelled" and balances(first) == {}
    states = (real_market.group(group).state, real_market.members(group)[0][0], parcels(last)[0].state)
    assert states in {("open", "refunded", "awaiting_group"), ("reached", "ordered", "awaiting_acceptance")}
    assert differences(real_market.shop) == []
