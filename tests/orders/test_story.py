"""From an empty cart to settled parcels, through the pages, to the fen."""

from datetime import timedelta

import pytest
import time_machine

from marketplace.core import clock
from marketplace.orders import settlement
from marketplace.orders.offline.pickup_keys import in_groups
from marketplace.orders.states import OrderState, ParcelState as S
from tests import factories
from tests.factories import signed_in
from tests.orders.casework import deliver
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, balances, get, parcels, post, put, stock_of


def test_two_counties_one_payment_two_parcels_books_that_agree(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=2, millet=1)

    order = get(number)
    assert (order.state, order.goods_fen, order.shipping_fen, order.total_fen) == (OrderState.PAID, 13760, 1200, 14960)
    jixian, qinxian = parcels(number)
    assert (jixian.station_code, jixian.goods_fen, jixian.service_fee_fen, jixian.shipping_fen) == (JIXIAN, 7960, 636, 600)
    assert (qinxian.station_code, qinxian.goods_fen, qinxian.service_fee_fen) == (QINXIAN, 5800, 464)
    assert stock_of(shop.apples) == (98, 0)
    assert balances(number) == {"gateway_clearing": 14960, "seller_held": -12660, "station_held": -2300}

    clerk = shop.browser()
    signed_in(clerk, "station_clerk", station=JIXIAN)
    for step, data in (
        ("acceptance", {}),
        ("collection", {}),
        ("packing", {"shelf": "B-03"}),
        ("dispatch", {"carrier": "中国邮政", "tracking_number": "1234567890"}),
    ):
        assert post(clerk, f"/station/parcels/{jixian.public_id}/{step}", data).status_code == 303
    page = buyer.get(f"/orders/{number}").text
    assert '<p class="timeline__text">中国邮政 1234567890，' in page and "1 个在路上，1 个等站里接单" in page

    assert post(buyer, f"/orders/{number}/parcels/{jixian.public_id}/confirmation", {}).status_code == 303
    assert [parcel.state for parcel in parcels(number)] == [S.SETTLED, S.AWAITING_ACCEPTANCE]
    assert balances(number) == {
        "gateway_clearing": 14960,
        "seller_held": -5336,
        "seller_payable": -7324,
        "station_held": -1064,
        "station_payable": -1236,
    }
    assert get(number).state is OrderState.PAID


def test_a_parcel_fetched_at_the_station_settles_after_seven_days(shop: Shop) -> None:
    buyer, clerk = shop.browser(), shop.browser()
    signed_in(clerk, "station_manager", station=JIXIAN)
    shop.fill(buyer, apples=1)
    number = shop.order(buyer, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    (parcel,) = parcels(number)
    assert (parcel.delivery, parcel.shipping_fen, get(number).total_fen) == ("pickup", 0, 3980)
    for step in ("acceptance", "collection"):
        post(clerk, f"/station/parcels/{parcel.public_id}/{step}", {})
    post(clerk, f"/station/parcels/{parcel.public_id}/packing", {"shelf": "A-1"})
    post(clerk, f"/station/parcels/{parcel.public_id}/shelving", {})
    code = parcels(number)[0].pickup_code or ""
    assert in_groups(code) in buyer.get(f"/orders/{number}").text

    wrong = "000000" if code != "000000" else "111111"
    refused = post(clerk, f"/station/parcels/{parcel.public_id}/pickup", {"code": wrong})
    assert refused.status_code == 422 and "取货码不对" in refused.text and f'value="{wrong}"' in refused.text
    assert post(clerk, f"/station/parcels/{parcel.public_id}/pickup", {"code": code}).status_code == 303
    assert parcels(number)[0].state is S.PICKED_UP

    assert not settlement.settle_one_due()
    with time_machine.travel(clock.now() + settlement.SETTLES_AFTER + timedelta(seconds=1), tick=False):
        assert settlement.settle_one_due()
        assert not settlement.settle_one_due()
    assert get(number).state is OrderState.COMPLETED
    assert balances(number) == {"gateway_clearing": 3980, "seller_payable": -3662, "station_payable": -318}


def test_what_is_due_at_once_is_settled_together(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "IN_ONE_STEP", 2)
    numbers = [shop.paid_order(shop.browser(), apples=1) for _buyer in range(3)]
    for number in numbers:
        deliver(number)
    with time_machine.travel(clock.now() + settlement.SETTLES_AFTER + timedelta(seconds=1), tick=False):
        settled = [settlement.settle_some_due() for _step in range(3)]
    assert settled == [True, True, False]
    assert {get(number).state for number in numbers} == {OrderState.COMPLETED}


def test_a_refused_parcel_goes_back_by_itself_and_all_refused_cancels(shop: Shop) -> None:
    buyer = shop.browser()
    number = shop.paid_order(buyer, apples=2, millet=1)
    for parcel, station in zip(parcels(number), (JIXIAN, QINXIAN), strict=True):
        clerk = shop.browser()
        signed_in(clerk, "station_clerk", station=station)
        post(clerk, f"/station/parcels/{parcel.public_id}/acceptance", {})
        assert get(number).state is OrderState.PAID
        assert post(clerk, f"/station/parcels/{parcel.public_id}/refusal", {"reason": "霜打坏了"}).status_code == 303
        assert post(clerk, f"/station/parcels/{parcel.public_id}/refusal", {"reason": "again"}).status_code == 303
    shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        shop.cashier.finish_refunds()
        shop.work()

    assert get(number).state is OrderState.CANCELLED
    assert balances(number) == {}
    assert stock_of(shop.apples) == stock_of(shop.millet) == (100, 0)
    assert "钱会自动退回" in buyer.get(f"/orders/{number}").text


def test_tiers_and_free_shipping_are_reckoned_by_the_pack_and_the_station(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=10)
    number = shop.order(buyer)

    order = get(number)
    assert (order.goods_fen, order.shipping_fen) == (36800, 0)


@pytest.mark.parametrize(("weight", "shipping"), [(2, 600), (3, 1000)])
def test_shipping_goes_by_weight(shop: Shop, weight: int, shipping: int) -> None:
    buyer = shop.browser()
    put(buyer, shop.millet, 1)
    put(buyer, shop.apples, 1)
    heavy = factories.make_variant(factories.make_listing(), price_fen=100, net_weight_grams=2500)
    put(buyer, heavy.code, weight - 1)
    number = shop.order(buyer)

    assert parcels(number)[1].shipping_fen == shipping
