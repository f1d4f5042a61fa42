"""Goods come in: all of them, less, spoilt, lighter. To the fen, and the audit agrees."""

from typing import Any

import pytest

from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.receiving import arriving, owed
from marketplace.orders.receiving.models import Rest
from marketplace.orders.receiving.planning import Count
from marketplace.orders.states import OrderState, ParcelState as S
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, balances, differences, get, parcels, stock_of
from tests.receiving.conftest import accepted, bring, delivery, packs

PAID_FOR_2 = {"gateway_clearing": 8560, "seller_held": -7324, "station_held": -1236}


def test_all_came_and_every_parcel_can_be_packed(shop: Shop) -> None:
    first, second = accepted(shop, apples=2), accepted(shop, apples=1)
    found = delivery()
    assert [(pack.wanted, pack.parcels, pack.grams) for pack in found.packs] == [(3, 2, 2500)]

    bring(shop)

    assert packs(first) == [(2, 0, 0)] and packs(second) == [(1, 0, 0)]
    assert {parcels(number)[0].state for number in (first, second)} == {S.COLLECTING}
    assert balances(first) == PAID_FOR_2
    assert owed.of_station(db.session(), JIXIAN) == [] and owed.count_sellers(db.session(), JIXIAN) == 0
    assert differences(shop) == []


@pytest.mark.full
def test_only_what_a_station_has_taken_on_is_owed_and_to_that_station(shop: Shop) -> None:
    shop.paid_order(shop.browser(), apples=1)
    assert owed.of_station(db.session(), JIXIAN) == []
    accepted(shop, apples=2, millet=1)
    assert [pack.wanted for pack in delivery(JIXIAN).packs] == [2]
    assert [pack.wanted for pack in delivery(QINXIAN).packs] == [1]


def test_what_comes_later_is_still_owed_and_who_paid_first_is_served_first(shop: Shop) -> None:
    first, second, third = (accepted(shop, apples=number) for number in (2, 3, 1))

    bring(shop, came=4)

    assert (packs(first), packs(second), packs(third)) == ([(2, 0, 0)], [(2, 0, 0)], [(0, 0, 0)])
    assert [parcels(number)[0].state for number in (first, second, third)] == [S.COLLECTING, S.ACCEPTED, S.ACCEPTED]
    assert [claim.wanted for claim in delivery().claims] == [1, 1]
    bring(shop)
    assert (packs(second), packs(third)) == ([(3, 0, 0)], [(1, 0, 0)])
    assert parcels(third)[0].state is S.COLLECTING
    assert differences(shop) == []


def test_what_never_comes_is_refunded_from_whose_it_would_have_been(shop: Shop) -> None:
    first, second = accepted(shop, apples=2), accepted(shop, apples=2)

    bring(shop, came=3, rest=Rest.REFUND)
    shop.work()

    assert packs(first) == [(2, 0, 0)] and packs(second) == [(1, 1, 1)]
    assert balances(first) == PAID_FOR_2
    # one pack of 39.80 and half of the 6.00 for shipping; 36.62 of it were the grower's
    assert balances(second) == {
        "gateway_clearing": 8560,
        "refund_in_transit": -4280,
        "seller_held": -3662,
        "station_held": -618,
    }
    assert parcels(second)[0].state is S.COLLECTING
    assert stock_of(shop.apples) == (96, 0)
    assert differences(shop) == []


@pytest.mark.full
def test_a_parcel_of_which_nothing_comes_is_refused_and_nothing_that_is_not_there_is_for_sale(shop: Shop) -> None:
    first, second = accepted(shop, apples=2), accepted(shop, apples=2)

    bring(shop, came=3, damaged=1, rest=Rest.REFUND)
    shop.work()

    assert packs(first) == [(2, 0, 0)] and packs(second) == [(0, 2, 2)]
    assert parcels(second)[0].state is S.REFUSED and get(second).state is OrderState.CANCELLED
    assert balances(second) == {"gateway_clearing": 8560, "refund_in_transit": -8560}
    assert stock_of(shop.apples) == (96, 0)
    assert differences(shop) == []


def test_lighter_goods_cost_less_and_each_bears_their_part(shop: Shop) -> None:
    first, second = accepted(shop, apples=2), accepted(shop, apples=1)

    bring(shop, came=3, grams=7000)  # 7 of 7.5 kilograms
    shop.work()

    # of 79.60 stay 74.29 (74.293), of the fee in it, 3.18 a pack, 5.93 (5.936)
    assert balances(first) == {
        "gateway_clearing": 8560,
        "refund_in_transit": -531,
        "seller_held": -(7324 - (531 - 43)),
        "station_held": -(1236 - 43),
    }
    assert balances(second)["refund_in_transit"] == -(3980 - 3980 * 7000 // 7500)
    assert packs(first) == [(2, 0, 0)]
    assert differences(shop) == []


@pytest.mark.full
def test_the_refund_of_lighter_goods_leaves_the_rest_to_be_given_back(shop: Shop) -> None:
    number = accepted(shop, apples=3)
    bring(shop, came=2, grams=4000, rest=Rest.REFUND)  # 4 of 5 kilograms, one pack missing
    (parcel,) = parcels(number)

    in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=JIXIAN, actor="clerk", reason="压坏了")
    shop.work()

    assert balances(number) == {"gateway_clearing": 11940, "refund_in_transit": -11940}
    assert stock_of(shop.apples) == (99, 0)
    assert differences(shop) == []


@pytest.mark.full
def test_heavier_goods_and_more_of_them_cost_nobody_anything(shop: Shop) -> None:
    number = accepted(shop, apples=2)

    bring(shop, came=5, damaged=1, grams=11000)

    assert packs(number) == [(2, 0, 0)] and balances(number) == PAID_FOR_2
    assert differences(shop) == []


def test_a_decision_on_an_old_page_changes_nothing(shop: Shop) -> None:
    number = accepted(shop, apples=2)
    found = delivery()
    told: dict[str, Any] = {"station": JIXIAN, "seller": found.seller, "actor": "clerk"}
    accepted(shop, apples=1)

    with pytest.raises(arriving.OwedOtherwise):
        in_transaction(arriving.receive, seen=found.mark, counts=None, **told)
    nothing = {found.packs[0].code: Count(0)}
    with pytest.raises(arriving.NothingCame):
        in_transaction(arriving.receive, seen=delivery().mark, counts=nothing, **told)

    assert packs(number) == [(0, 0, 0)] and balances(number) == PAID_FOR_2
