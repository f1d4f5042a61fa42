"""Goods that came back are replaced for nothing, and where that fails the money goes back."""

import pytest

from listings import stock
from marketplace.core import outbox
from marketplace.core.db import in_transaction
from marketplace.orders import fulfilment, refunding, settlement, undelivered
from marketplace.orders.cases import appealing, deciding, exchanging, opening, paying_back, returning
from marketplace.orders.cases.rules import Bearer, Condition, Wish
from marketplace.orders.cases.states import CaseState as C
from marketplace.orders.states import OrderState, ParcelState as S
from tests.orders.access_to import order_page
from tests.orders.casework import (
    Bought,
    appeal,
    arrive,
    case_of,
    deliver,
    delivered,
    do,
    later,
    open_case,
    ship,
    small_boxes,
)
from tests.orders.conftest import Shop, balances, differences, get, parcels, stock_of
from tests.orders.refunding import ask, box, clerk_of

__all__ = ["delivered", "small_boxes"]


@pytest.fixture
def returned(delivered: Bought) -> str:
    case = open_case(delivered, 2, wish=Wish.EXCHANGE)
    do(deciding.approve, case)
    do(returning.witness, case, quantity=2, condition=Condition.BAD)
    return case


def test_the_same_goods_are_sent_once_more_for_nothing(shop: Shop, delivered: Bought, returned: str) -> None:
    number = do(exchanging.exchange, returned)

    order, row = get(number), case_of(returned)
    assert (order.state, order.total_fen, order.is_exchange) == (OrderState.PAID, 0, True)
    assert (row.state, row.exchange_number, row.refund_public_id) == (C.EXCHANGED, number, None)
    line = order.parcels[0].lines[0]
    assert (line.variant_code, line.quantity, line.unit_price_fen) == (shop.apples, 2, 0)
    assert order.phone == get(delivered.number).phone and stock_of(shop.apples) == (95, 0)
    assert balances(number) == {} and differences(shop) == []
    desk = clerk_of(shop).get(f"/station/cases/{returned}").text
    assert f'<a class="link" href="/station/parcels/{parcels(number)[0].public_id}">看补发的包裹</a>' in desk
    parcel = deliver(number)
    with pytest.raises(opening.OfAnExchange):
        open_case(Bought(parcel, parcels(number)[0].lines[0].public_id, delivered.client))
    in_transaction(settlement.confirm, number=number, parcel=parcel.public_id, actor="guest")
    assert get(number).state is OrderState.COMPLETED

    page_of_it = order_page(shop, number)
    with later(days=6.9):
        assert "要是还有问题，到这里请省里来定" in page_of_it.get(f"/orders/{number}").text
        appeal(returned)
        in_transaction(appealing.grant, case=returned, bearer=Bearer.EACH, why="两次都坏", actor="person:9")
        assert "省里来定" not in page_of_it.get(f"/orders/{number}").text  # it has
        page = delivered.client.get(f"/orders/{delivered.number}/cases/{returned}").text
        assert "退回你付款的地方" in page and "换的货没送到" not in page  # it came, and was bad again
        assert f"<dd>{number}</dd>" in page
        arrive(shop)
    assert case_of(returned).state is C.EXCHANGED and balances(delivered.number)["gateway_clearing"] == 6997 - 4664
    assert differences(shop) == []


@pytest.mark.full
def test_what_is_sold_out_is_refunded_instead(shop: Shop, delivered: Bought, returned: str) -> None:
    in_transaction(stock.count, shop.apples, difference=-96, reference="test")
    with pytest.raises(exchanging.NothingLikeIt):
        do(exchanging.exchange, returned)
    other = open_case(delivered)
    do(deciding.approve, other)
    do(returning.witness, other, quantity=1, condition=Condition.AS_SOLD)
    with pytest.raises(exchanging.RefundWished):
        do(exchanging.exchange, other)
    assert case_of(returned).state is C.GOODS_RETURNED and stock_of(shop.apples) == (1, 0)
    do(deciding.refund, returned)
    assert case_of(returned).state is C.REFUNDED and differences(shop) == []


@pytest.mark.full
@pytest.mark.parametrize("end", ["refused", "lost"])
def test_a_replacement_that_does_not_come_gives_the_money_back(
    shop: Shop, delivered: Bought, returned: str, end: str
) -> None:
    number = do(exchanging.exchange, returned)
    parcel = box(number)
    if end == "refused":
        in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=None, actor="clerk", reason="没有了")
    else:
        ship(number)
        in_transaction(undelivered.lose, parcel=parcel.public_id, station=None, actor="clerk", reason="车翻了")
    while outbox.deliver():
        pass
    in_transaction(exchanging.give_money_instead, parcel=parcel.public_id, state=S(end))  # heard twice
    arrive(shop)

    assert case_of(returned).state is C.EXCHANGED and case_of(returned).refund_public_id is not None
    left = {"gateway_clearing": 6997 - 4664, "seller_held": -1839, "station_held": -160 - 334}
    borne = {"seller_payable": -2 * 1839, "station_payable": 2 * 1839} if end == "lost" else {}
    assert balances(delivered.number) == left | borne
    assert differences(shop) == []


@pytest.mark.full
def test_what_the_province_has_given_back_does_not_go_back_twice(shop: Shop, delivered: Bought, returned: str) -> None:
    parcel = box(do(exchanging.exchange, returned))
    ask(delivered.parcel, 3, station=None)
    before = balances(delivered.number)
    in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=None, actor="clerk", reason="没有了")
    while outbox.deliver():
        pass
    assert balances(delivered.number) == before and case_of(returned).refund_public_id is None
    assert differences(shop) == []


def test_what_was_replaced_meanwhile_is_not_paid_back_as_well(shop: Shop, delivered: Bought) -> None:
    """Refused, a buyer asks the province, then the station again, which replaces them. Then the province grants."""
    first = open_case(delivered, 3)
    do(deciding.reject, first)
    appeal(first)
    second = open_case(delivered, 2, wish=Wish.EXCHANGE)
    do(deciding.approve, second)
    do(returning.witness, second, quantity=2, condition=Condition.BAD)
    do(exchanging.exchange, second)
    before = balances(delivered.number)
    desk = clerk_of(shop).get(f"/station/parcels/{delivered.parcel.public_id}/refunds").text
    assert f"里有 2 件已经换过货，补发订单 {case_of(second).exchange_number}。" in desk

    with pytest.raises(paying_back.RefundedMeanwhile):
        in_transaction(appealing.grant, case=first, bearer=Bearer.EACH, why="退吧", actor="person:9")

    assert balances(delivered.number) == before and case_of(first).refund_public_id is None
    in_transaction(appealing.leave, case=first, why="已经换过", actor="person:9")
    assert case_of(first).state is C.REJECTED and differences(shop) == []


def test_what_lies_at_the_station_for_a_later_case_is_paid_back_by_that_one(shop: Shop, delivered: Bought) -> None:
    """Else the later case could never end: its units would be paid for, and its goods there."""
    first = open_case(delivered, 3)
    do(deciding.reject, first)
    appeal(first)
    second = open_case(delivered, 2)
    do(deciding.approve, second)
    do(returning.witness, second, quantity=2, condition=Condition.BAD)
    before = balances(delivered.number)

    with pytest.raises(refunding.GoodsAreBack):
        in_transaction(appealing.grant, case=first, bearer=Bearer.EACH, why="退吧", actor="person:9")

    assert balances(delivered.number) == before
    do(deciding.refund, second)
    assert case_of(second).state is C.REFUNDED and differences(shop) == []
