"""Refunds by parcel, line and quantity: to the fen, from whom they belong to, and again where the money came back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders import fulfilment, refunding, remaining, settlement, undelivered
from marketplace.orders.models import OrderLine, Parcel
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState
from tests import factories
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, balances, differences, get, parcels, post, stock_of
from tests.orders.refunding import SENT, Box, ask, bounce, box, clerk_of, deliver, lines_of
from tests.tiers import in_full

PAID = {"gateway_clearing": 6997, "seller_held": -3 * 1839, "station_held": -3 * 160 - 1000}


@pytest.fixture(autouse=True)
def small_boxes(shop: Shop) -> None:
    """So cheap that three of them do not go free of shipping."""
    shop.apples = factories.make_variant(factories.make_listing(), price_fen=1999, tiers=((10, 1899),)).code


def arrive(shop: Shop) -> None:
    shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        shop.cashier.finish_refunds()
        shop.work()


def settle(parcel: Box) -> None:
    in_transaction(settlement.confirm, number=parcel.order, parcel=parcel.public_id, actor="buyer")


def pay_out(kind: str, owner: str, fen: int) -> None:
    """As a settlement batch books it."""
    lines: Any = {(kind, owner): Money(fen), ("payout_in_transit", ""): Money(-fen)}
    in_transaction(books.post, key=f"payout:{fen}", book="test", reference="batch", lines=lines)


def units_left(number: str) -> list[tuple[int, int]]:
    db.session.rollback()
    mine = select(OrderLine.quantity, OrderLine.refunded_quantity).join(Parcel).where(Parcel.public_id == number)
    return [(row.quantity, row.refunded_quantity) for row in db.session.execute(mine.order_by(OrderLine.id))]


@pytest.fixture
def delivered(shop: Shop) -> Box:
    """Three boxes of apples for 19.99 each and 10.00 of shipping; they have arrived."""
    return deliver(shop, clerk_of(shop), shop.paid_order(shop.browser(), apples=3))


def test_a_part_comes_from_grower_and_station_and_the_rest_settles(shop: Shop, delivered: Box) -> None:
    number = delivered.order
    assert balances(number) == PAID

    ask(delivered, 1)
    assert balances(number) == {
        "gateway_clearing": 6997,
        "seller_held": -2 * 1839,
        "station_held": -2 * 160 - 667,  # of 10.00 of shipping 3.33 go back with the first of three
        "refund_in_transit": -1999 - 333,
    }
    settle(delivered)
    arrive(shop)

    assert balances(number) == {"gateway_clearing": 4665, "seller_payable": -3678, "station_payable": -987}
    assert get(number).state is OrderState.COMPLETED and stock_of(shop.apples) == (97, 0)
    assert differences(shop) == []


def test_after_the_settlement_it_comes_from_what_is_payable_which_may_go_below_zero(shop: Shop, delivered: Box) -> None:
    settle(delivered)
    (seller,) = db.session.scalars(select(OrderLine.seller_public_id))
    pay_out("seller_payable", seller, 5517)

    ask(delivered, 2, with_shipping=False)
    arrive(shop)

    assert books.balance(db.session(), "seller_payable", seller, book="test") == 2 * 1839
    assert books.balance(db.session(), "station_payable", JIXIAN, book="test") == -160 - 1000
    pay_out("seller_payable", seller, -5517)  # no batch paid that
    assert [each for each in differences(shop) if "payout" not in each] == []


@pytest.mark.parametrize("steps", [(1, 1, 1), *in_full((2, 1), (1, 2), (3,))])
def test_whatever_the_steps_everything_is_what_was_paid(shop: Shop, delivered: Box, steps: tuple[int, ...]) -> None:
    for units in steps:
        ask(delivered, units)
    arrive(shop)

    assert balances(delivered.order) == {}
    with pytest.raises(refunding.AlreadyRefunded):
        ask(delivered, 1)
    settle(delivered)
    assert balances(delivered.order) == {} and differences(shop) == []


def test_without_shipping_the_station_keeps_it_until_everything_goes_back(shop: Shop, delivered: Box) -> None:
    ask(delivered, 2, with_shipping=False)
    assert balances(delivered.order)["station_held"] == -160 - 1000

    given: dict[str, Any] = {"parcel": delivered.public_id, "station": JIXIAN, "reason": "全坏了", "actor": "clerk"}
    in_transaction(refunding.refund_rest, **given)
    arrive(shop)

    assert balances(delivered.order) == {}
    with pytest.raises(refunding.AlreadyRefunded):
        in_transaction(refunding.refund_rest, **given)
    assert differences(shop) == []


def test_what_is_refused_changes_nothing(shop: Shop, delivered: Box) -> None:
    before = balances(delivered.order)
    other = lines_of(deliver(shop, clerk_of(shop), shop.paid_order(shop.browser(), apples=1)))[0]
    (mine,) = lines_of(delivered)
    asked: list[tuple[dict[str, int], type[Refusal]]] = [
        ({}, refunding.NothingToRefund),
        ({mine: 0}, refunding.NothingToRefund),
        ({mine: 4}, refunding.TooManyUnits),
        ({mine: -1}, refunding.TooManyUnits),
        ({other: 1}, NotFound),
    ]
    given: dict[str, Any] = {"with_shipping": True, "reason": "坏了", "actor": "clerk"}
    for units, refusal in asked:
        with pytest.raises(refusal):
            in_transaction(refunding.refund_units, parcel=delivered.public_id, station=JIXIAN, units=units, **given)
    with pytest.raises(NotFound):
        ask(delivered, 1, station=QINXIAN)
    with pytest.raises(refunding.RefundedMeanwhile):
        in_transaction(
            refunding.refund_units, parcel=delivered.public_id, station=None, units={mine: 1}, seen="0-1", **given
        )

    assert balances(delivered.order) == before and units_left(delivered.public_id) == [(3, 0)]
    assert db.session.scalars(select(Refund)).all() == []


def test_what_nobody_paid_is_not_refunded(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=2)
    number = shop.order(buyer)
    for _time in range(2):
        with pytest.raises(fulfilment.NotPaid):
            ask(box(number), 1)
        post(buyer, f"/orders/{number}/cancellation", {})
    assert get(number).state is OrderState.CANCELLED


def test_a_parcel_to_be_sent_is_not_emptied_but_a_part_of_it_may_stay_behind(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=3)
    parcel = box(number)
    with pytest.raises(refunding.NothingLeftToSend):
        ask(parcel, 3)

    ask(parcel, 1)
    in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=JIXIAN, actor="clerk", reason="霜")
    arrive(shop)

    assert balances(number) == {} and stock_of(shop.apples) == (100, 0)
    with pytest.raises(refunding.AlreadyRefunded):
        ask(parcel, 1)
    assert get(number).state is OrderState.CANCELLED and differences(shop) == []


def test_who_cancels_gets_what_was_not_given_back_yet(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=3)
    ask(box(number), 1)
    assert "取消订单，退回 ¥46.65" in buyer.get(f"/orders/{number}").text

    assert in_transaction(undelivered.cancel_paid, number=number, actor="guest") == 6997 - 2332
    arrive(shop)

    assert balances(number) == {} and differences(shop) == []


def test_of_a_lost_parcel_its_station_pays_what_was_left(shop: Shop) -> None:
    clerk, number = clerk_of(shop), shop.paid_order(shop.browser(), apples=3)
    parcel = box(number)
    for step, data in SENT:
        post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data)
    ask(parcel, 1)
    post(clerk, f"/station/parcels/{parcel.public_id}/loss", {"reason": "车翻了"})
    lost = db.session.scalars(select(Refund.public_id).where(Refund.reason_key.startswith("lost:"))).one()
    arrive(shop)
    assert balances(number) == {"seller_payable": -3678, "station_payable": 3678}
    assert differences(shop) == []

    bounce(shop, lost)
    assert balances(number) == {"gateway_clearing": 4665, "seller_payable": -3678, "station_payable": -987}
    ask(parcel, 2)
    arrive(shop)

    assert balances(number) == {"seller_payable": -3678, "station_payable": 3678}
    assert differences(shop) == []


@pytest.mark.parametrize("settles", ["before", "between", "never"])
def test_what_did_not_get_through_is_owed_again_and_can_be_refunded_again(shop: Shop, delivered: Box, settles: str) -> None:
    number, ends = delivered.order, "held" if settles == "never" else "payable"
    if settles == "before":
        settle(delivered)
    refund = ask(delivered, 2)
    if settles == "between":
        settle(delivered)

    bounce(shop, refund)

    assert balances(number) == {"gateway_clearing": 6997, f"seller_{ends}": -5517, f"station_{ends}": -1480}
    assert units_left(delivered.public_id) == [(3, 0)] and differences(shop) == []
    ask(delivered, 3)
    arrive(shop)
    assert balances(number) == {} and differences(shop) == []
    states = db.session.scalars(select(Refund.state).order_by(Refund.id)).all()
    assert states == [RefundState.FAILED, RefundState.SUCCEEDED]


def test_shipping_that_went_back_alone_and_did_not_get_through_can_be_sent_again(shop: Shop, delivered: Box) -> None:
    """Meanwhile the units were refunded once more, with shipping that seemed to be on its way."""
    rest: dict[str, Any] = {"parcel": delivered.public_id, "station": JIXIAN, "reason": "全坏了", "actor": "clerk"}
    units = ask(delivered, 3, with_shipping=False)
    shipping = in_transaction(refunding.refund_rest, **rest)
    bounce(shop, units)
    ask(delivered, 3)
    bounce(shop, shipping)
    assert refunds_of(delivered) == [("failed", 5997), ("failed", 1000), ("pending", 5997)]
    assert differences(shop) == []

    in_transaction(refunding.refund_rest, **rest)
    arrive(shop)
    assert refunds_of(delivered)[2:] == [("succeeded", 5997), ("succeeded", 1000)]
    assert balances(delivered.order) == {} and differences(shop) == []


def refunds_of(parcel: Box) -> list[tuple[str, int]]:
    db.session.rollback()
    of_parcel = select(Refund.state, Refund.fen).where(Refund.reason_key.contains(parcel.public_id)).order_by(Refund.id)
    return [(str(row.state), row.fen) for row in db.session.execute(of_parcel)]


def test_growers_in_one_parcel_each_give_back_their_own(shop: Shop) -> None:
    honey = factories.make_variant(factories.make_listing(title_zh="蜂蜜"), price_fen=5001, net_weight_grams=333)
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    post(buyer, "/cart/items", {"variant": honey.code, "quantity": 1, "action": "add"})
    parcel = deliver(shop, clerk_of(shop), number := shop.order_and_pay(buyer))
    first, second = db.session.scalars(select(OrderLine).order_by(OrderLine.id)).all()
    assert (first.shipping_fen, second.shipping_fen) == (529, 71)
    sellers = first.seller_public_id, second.seller_public_id

    ask(parcel, 0, 1)

    held = [books.balance(db.session(), "seller_held", seller, book="test") for seller in sellers]
    assert held == [-1839, 0]
    assert balances(number)["refund_in_transit"] == -5072 and differences(shop) == []


def test_two_refunds_of_sixty_per_cent_at_once_are_one(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=10)
    parcel = deliver(shop, clerk_of(shop), number)
    (line,) = lines_of(parcel)
    whole, start = balances(number)["gateway_clearing"], Barrier(2)

    def press(_number: int) -> str:
        with shop.app.app_context():
            start.wait()
            try:
                units: Any = {"units": {line: 6}, "with_shipping": True}
                in_transaction(
                    refunding.refund_units, parcel=parcel.public_id, station=JIXIAN, reason="坏了", actor="clerk", **units
                )
            except refunding.TooManyUnits:
                return "refused"
            return "taken"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == ["refused", "taken"]
    arrive(shop)

    assert units_left(parcel.public_id) == [(10, 6)]
    assert balances(number)["gateway_clearing"] == whole - 6 * 1899
    assert parcels(number)[0].state is S.DELIVERED and differences(shop) == []


def test_without_our_look_the_guarded_statement_refuses(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    parcel = deliver(shop, clerk_of(shop), shop.paid_order(shop.browser(), apples=3))
    lines = lines_of(parcel)
    stale = in_transaction(
        lambda session: remaining.of(session, fulfilment.get_parcel(session, parcel.public_id, station=None))
    )
    ask(parcel, 2)
    before = balances(parcel.order)
    monkeypatch.setattr(remaining, "of", lambda *_given: stale)

    with pytest.raises(Refusal):
        ask(parcel, 2)

    assert lines == [line.public_id for line in stale]
    assert units_left(parcel.public_id) == [(3, 2)] and balances(parcel.order) == before
