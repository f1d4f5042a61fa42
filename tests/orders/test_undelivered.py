"""What never reaches its buyer: cancelled while nobody has begun, never fetched, lost. To the fen, and the audit agrees."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.ledger import books
from marketplace.orders.states import OrderState, ParcelState as S
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, balances, differences, get, parcels, post, stock_of

Steps = tuple[tuple[str, dict[str, str]], ...]
PACKED: Steps = (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "A"}))
SENT: Steps = (*PACKED, ("dispatch", {"carrier": "邮政", "tracking_number": "123456"}))
UNCOLLECTED: Steps = (*PACKED, ("shelving", {}), ("no-show", {}))


def clerk_of(shop: Shop, station: str) -> FlaskClient:
    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=station)
    return clerk


def take(clerk: FlaskClient, parcel: Any, *steps: tuple[str, dict[str, str]]) -> None:
    for name, data in steps:
        assert post(clerk, f"/station/parcels/{parcel.public_id}/{name}", data).status_code == 303


def let_refunds_arrive(shop: Shop) -> None:
    shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        shop.cashier.finish_refunds()
        shop.work()


def order_to_fetch(shop: Shop, buyer: FlaskClient) -> str:
    shop.fill(buyer, apples=2)
    number = shop.order(buyer, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    return number


def test_a_paid_order_is_cancelled_while_no_station_has_begun(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=2, millet=1)
    page = buyer.get(f"/orders/{number}").text
    assert f'action="/orders/{number}/withdrawal"' in page and "取消订单，退回 ¥149.60" in page

    for _time in range(2):
        assert post(buyer, f"/orders/{number}/withdrawal", {}).status_code == 303
    let_refunds_arrive(shop)

    assert get(number).state is OrderState.CANCELLED
    assert [parcel.state for parcel in parcels(number)] == [S.CANCELLED, S.CANCELLED]
    assert stock_of(shop.apples) == stock_of(shop.millet) == (100, 0)
    assert balances(number) == {}
    page = buyer.get(f"/orders/{number}").text
    assert "钱会自动退回" in page and "withdrawal" not in page
    assert differences(shop) == []


def test_what_a_station_has_refused_goes_back_once(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=2, millet=1)
    take(clerk_of(shop, QINXIAN), parcels(number)[1], ("refusal", {"reason": "霜打坏了"}))
    assert "取消订单，退回 ¥85.60" in buyer.get(f"/orders/{number}").text

    post(buyer, f"/orders/{number}/withdrawal", {})
    let_refunds_arrive(shop)

    assert get(number).state is OrderState.CANCELLED
    assert balances(number) == {} and differences(shop) == []


def test_an_order_that_a_station_has_begun_is_not_cancelled(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=2, millet=1)
    assert "withdrawal" in buyer.get(f"/orders/{number}").text
    take(clerk_of(shop, JIXIAN), parcels(number)[0], ("acceptance", {}))
    assert "withdrawal" not in buyer.get(f"/orders/{number}").text

    post(buyer, f"/orders/{number}/withdrawal", {})

    assert "站里已经动手备货了" in buyer.get(f"/orders/{number}").text
    assert get(number).state is OrderState.PAID
    assert [parcel.state for parcel in parcels(number)] == [S.ACCEPTED, S.AWAITING_ACCEPTANCE]
    assert balances(number)["gateway_clearing"] == 14960 and stock_of(shop.millet) == (99, 0)


def test_one_parcel_is_cancelled_while_another_station_has_begun(shop: Shop) -> None:
    buyer, jixian = shop.browser(), clerk_of(shop, JIXIAN)
    number = shop.paid_order(buyer, apples=2, millet=1)
    apples, millet = parcels(number)
    take(jixian, apples, ("acceptance", {}))
    page = buyer.get(f"/orders/{number}").text
    assert f"parcels/{millet.public_id}/cancellation" in page and "取消这个包裹，退回 ¥64.00" in page
    assert f"parcels/{apples.public_id}/cancellation" not in page

    for each in (apples, millet, millet):  # what was begun stays; said twice, it is as if it had been said once
        assert post(buyer, f"/orders/{number}/parcels/{each.public_id}/cancellation", {}).status_code == 303
    assert post(shop.browser(), f"/orders/{number}/parcels/{millet.public_id}/cancellation", {}).status_code == 404
    let_refunds_arrive(shop)

    assert get(number).state is OrderState.PAID
    assert [parcel.state for parcel in parcels(number)] == [S.ACCEPTED, S.CANCELLED]
    assert stock_of(shop.millet) == (100, 0) and stock_of(shop.apples) == (98, 0)
    assert balances(number)["gateway_clearing"] == 14960 - 6400 and differences(shop) == []

    (apples, _millet) = parcels(number)
    take(jixian, apples, *SENT[1:], ("delivery", {}))
    assert post(buyer, f"/orders/{number}/parcels/{parcels(number)[0].public_id}/confirmation", {}).status_code == 303
    assert get(number).state is OrderState.COMPLETED and differences(shop) == []


def test_who_cancels_parcel_after_parcel_has_cancelled_the_order(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=2, millet=1)
    for parcel in parcels(number):
        assert post(buyer, f"/orders/{number}/parcels/{parcel.public_id}/cancellation", {}).status_code == 303
    let_refunds_arrive(shop)

    assert get(number).state is OrderState.CANCELLED
    assert [parcel.state for parcel in parcels(number)] == [S.CANCELLED, S.CANCELLED]
    assert stock_of(shop.apples) == stock_of(shop.millet) == (100, 0)
    assert balances(number) == {} and differences(shop) == []


def test_another_ones_paid_order_cannot_be_cancelled(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)

    assert post(shop.browser(), f"/orders/{number}/withdrawal", {}).status_code == 404
    assert get(number).state is OrderState.PAID


def test_a_lost_parcel_is_paid_back_by_its_station_and_the_grower_is_paid(shop: Shop) -> None:
    buyer, clerk = shop.browser(), clerk_of(shop, JIXIAN)
    number = shop.paid_order(buyer, apples=2, millet=1)
    lost = parcels(number)[0]
    take(clerk, lost, *SENT)
    assert "报丢件，退款 ¥85.60" in clerk.get(f"/station/parcels/{lost.public_id}").text
    nothing_said = post(clerk, f"/station/parcels/{lost.public_id}/loss", {"reason": ""})
    assert nothing_said.status_code == 422 and parcels(number)[0].state is S.SHIPPED

    take(clerk, lost, *[("loss", {"reason": "邮政说车翻了"})] * 2)
    let_refunds_arrive(shop)

    assert [parcel.state for parcel in parcels(number)] == [S.SETTLED, S.AWAITING_ACCEPTANCE]
    assert balances(number) == {
        "gateway_clearing": 6400,
        "seller_held": -5336,
        "station_held": -1064,
        "seller_payable": -7324,
        "station_payable": 7324,  # 12.36 earned, 85.60 paid back
    }
    assert books.balance(db.session(), "station_payable", JIXIAN, book="test") == 7324
    page = buyer.get(f"/orders/{number}").text
    assert "路上丢了" in page and "钱会自动退回" in page
    post(buyer, f"/orders/{number}/parcels/{lost.public_id}/confirmation", {})
    assert balances(number)["seller_payable"] == -7324
    assert differences(shop) == []

    take(clerk_of(shop, QINXIAN), parcels(number)[1], ("refusal", {"reason": "霜打坏了"}))
    let_refunds_arrive(shop)
    assert get(number).state is OrderState.COMPLETED
    assert "路上丢了" in buyer.get(f"/orders/{number}").text
    assert balances(number) == {"seller_payable": -7324, "station_payable": 7324}
    assert differences(shop) == []


def test_a_parcel_that_the_buyer_has_confirmed_is_not_lost(shop: Shop) -> None:
    buyer, clerk = shop.browser(), clerk_of(shop, JIXIAN)
    number = shop.paid_order(buyer, apples=2)
    (parcel,) = parcels(number)
    take(clerk, parcel, *SENT)
    post(buyer, f"/orders/{number}/parcels/{parcel.public_id}/confirmation", {})

    take(clerk, parcel, ("loss", {"reason": "找不到"}))

    assert balances(number) == {"gateway_clearing": 8560, "seller_payable": -7324, "station_payable": -1236}
    assert differences(shop) == []


def test_nobody_came_so_it_waits_again_and_is_fetched(shop: Shop) -> None:
    buyer, clerk = shop.browser(), clerk_of(shop, JIXIAN)
    number = order_to_fetch(shop, buyer)
    (parcel,) = parcels(number)
    take(clerk, parcel, *UNCOLLECTED, ("second-shelving", {}))

    take(clerk, parcel, ("pickup", {"code": parcels(number)[0].pickup_code or ""}))

    assert parcels(number)[0].state is S.PICKED_UP


def test_what_nobody_fetches_goes_back_to_the_grower_and_the_money_to_the_buyer(shop: Shop) -> None:
    buyer, clerk = shop.browser(), clerk_of(shop, JIXIAN)
    number = order_to_fetch(shop, buyer)
    (parcel,) = parcels(number)
    take(clerk, parcel, *UNCOLLECTED)
    assert "退还农户，退款 ¥79.60" in clerk.get(f"/station/parcels/{parcel.public_id}").text

    take(clerk, parcel, *[("return", {})] * 2)
    let_refunds_arrive(shop)

    assert parcels(number)[0].state is S.RETURNED_TO_SELLER
    assert get(number).state is OrderState.CANCELLED
    assert balances(number) == {}
    assert stock_of(shop.apples) == (98, 0)  # the grower counts them anew
    assert "钱会自动退回" in buyer.get(f"/orders/{number}").text
    assert differences(shop) == []


@pytest.mark.parametrize(("before", "name"), [(PACKED, "loss"), (SENT, "return"), ((), "loss"), ((), "return")])
def test_no_parcel_is_given_up_out_of_turn(shop: Shop, before: Steps, name: str) -> None:
    clerk = clerk_of(shop, JIXIAN)
    number = shop.paid_order(shop.browser(), apples=2)
    (parcel,) = parcels(number)
    take(clerk, parcel, *before)
    state = parcels(number)[0].state

    take(clerk, parcel, (name, {"reason": "找不到"}))

    assert parcels(number)[0].state is state and len(balances(number)) == 3
