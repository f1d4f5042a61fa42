"""After-sales cases by their commands: to the fen, from whom it belongs to, and a refusal changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.settings import settings
from marketplace.orders import settlement
from marketplace.orders.cases import appealing, automatic, deciding, opening, paying_back, returning
from marketplace.orders.cases.rules import Condition, Kind, Wish
from marketplace.orders.cases.states import CaseState as C
from marketplace.orders.cases.stopping import CaseIsOpen
from marketplace.orders.models import OrderLine
from marketplace.orders.states import ParcelState as S
from tests.orders.casework import (
    DAMAGED,
    ONE_BACK,
    PAID,
    PICTURE,
    Bought,
    appeal,
    arrive,
    bought,
    case_of,
    delivered,
    do,
    everything,
    later,
    open_case,
    ship,
    small_boxes,
)
from tests.orders.conftest import Shop, balances, differences, parcels
from tests.orders.refunding import ask, box

__all__ = ["delivered", "small_boxes"]


def make_fresh() -> None:
    db.session.execute(update(OrderLine).values(return_policy="fresh_excluded"))
    db.session.commit()


def test_damage_with_pictures_in_time_is_refunded_at_once(shop: Shop, delivered: Bought) -> None:
    case = open_case(delivered, **DAMAGED)

    row = case_of(case)
    assert (row.state, row.is_automatic) == (C.REFUNDED, True)
    assert balances(delivered.number) == ONE_BACK
    arrive(shop)
    assert differences(shop) == []


@pytest.mark.full
def test_whatever_else_waits_for_the_station(shop: Shop) -> None:
    order = bought(shop, 9)
    before = balances(order.number)
    others: list[tuple[dict[str, Any], float]] = [
        ({"wish": Wish.EXCHANGE}, 0),
        ({"kind": Kind.WRONG}, 0),
        ({"quantity": 3}, 0),  # beyond the limit
        ({}, 48.1),
    ]
    for changed, hours in others:
        with later(hours=hours):
            assert case_of(open_case(order, **{**DAMAGED, **changed})).state is C.REQUESTED, changed
    assert balances(order.number) == before


def test_it_is_not_refunded_at_once_again_and_again(shop: Shop, delivered: Bought, monkeypatch: pytest.MonkeyPatch) -> None:
    states = [case_of(open_case(delivered, **DAMAGED)).state for _time in range(3)]
    assert states == [C.REFUNDED, C.REFUNDED, C.REQUESTED]
    other = bought(shop, 1)
    monkeypatch.setattr(automatic, "MOST_OF_A_BUYER", 9)
    assert case_of(open_case(other, **DAMAGED)).state is C.REFUNDED
    monkeypatch.setattr(automatic, "MOST_OF_A_SELLER", 3)
    with later(minutes=1):
        assert case_of(open_case(bought(shop, 1), **DAMAGED)).state is C.REQUESTED
    with later(days=61):
        assert case_of(open_case(bought(shop, 1), **DAMAGED)).state is C.REFUNDED
    arrive(shop)
    assert differences(shop) == []


def test_no_case_is_cut_in_two_to_stay_below_the_limit(delivered: Bought, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three boxes are worth 46.64: what two cases ask for may not be more than one may."""
    small = replace(settings(), after_sales_limit_fen=4500)
    monkeypatch.setattr(automatic, "settings", lambda: small)
    states = [case_of(open_case(delivered, **DAMAGED)).state for _time in range(2)]
    assert states == [C.REFUNDED, C.REQUESTED] and balances(delivered.number) == ONE_BACK


def test_what_a_station_has_turned_down_is_not_refunded_at_once(delivered: Bought) -> None:
    before = balances(delivered.number)
    do(deciding.reject, open_case(delivered, 3, **DAMAGED))
    assert case_of(open_case(delivered, **DAMAGED)).state is C.REQUESTED
    assert balances(delivered.number) == before


def test_a_return_is_agreed_to_witnessed_and_refunded(shop: Shop, delivered: Bought) -> None:
    case = open_case(delivered, 2, Kind.UNWANTED)
    with pytest.raises(deciding.BringItBackFirst):
        do(deciding.refund, case)
    do(deciding.approve, case)
    do(returning.witness, case, quantity=1, condition=Condition.OPENED)
    do(deciding.refund, case)

    row = case_of(case)
    assert (row.state, row.returned_quantity, row.condition) == (C.REFUNDED, 1, Condition.OPENED)
    without_shipping = {**ONE_BACK, "station_held": -2 * 160 - 1000, "refund_in_transit": -1999}
    assert balances(delivered.number) == without_shipping
    arrive(shop)
    assert differences(shop) == []


def test_what_is_refused_changes_nothing(shop: Shop, delivered: Bought) -> None:
    asked: list[tuple[dict[str, Any], type[Refusal]]] = [
        ({"quantity": 4}, opening.TooManyUnits),
        ({"quantity": 0}, opening.TooManyUnits),
        ({"kind": Kind.DAMAGED}, opening.PictureNeeded),
        ({**DAMAGED, "pictures": [{**PICTURE, "digest": str(n)} for n in range(7)]}, opening.TooManyPictures),
        ({"kind": Kind.MISSING, "wish": Wish.EXCHANGE}, opening.NothingToExchange),
        ({"line": "nothing"}, NotFound),
        ({"number": "SX-22222222"}, NotFound),
    ]
    for changed, refusal in asked:
        with pytest.raises(refusal):
            open_case(delivered, **changed)
    with later(days=7, minutes=1), pytest.raises(opening.TooLate):
        open_case(delivered)
    make_fresh()
    with pytest.raises(opening.TooLate):
        open_case(delivered, kind=Kind.UNWANTED)
    with later(hours=48.1), pytest.raises(opening.TooLate):
        open_case(delivered, **DAMAGED)
    other = box(shop.paid_order(shop.browser(), apples=1))
    with pytest.raises(opening.NotThereYet):
        open_case(Bought(other, parcels(other.order)[0].lines[0].public_id, delivered.client))

    assert everything() == (0, 0) and balances(delivered.number) == PAID


def test_no_unit_is_asked_for_or_refunded_twice(shop: Shop, delivered: Bought) -> None:
    case = open_case(delivered, 2)
    with pytest.raises(opening.TooManyUnits):
        open_case(delivered, 2)
    ask(delivered.parcel, 2)  # at the desk
    before = balances(delivered.number)
    with pytest.raises(paying_back.RefundedMeanwhile):
        do(deciding.refund, case)
    assert balances(delivered.number) == before and case_of(case).state is C.REQUESTED
    assert everything() == (1, 1)


@pytest.mark.full
def test_whoever_reports_a_parcel_on_the_road_has_it(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    parcel = ship(number)
    open_case(Bought(parcel, parcels(number)[0].lines[0].public_id, shop.browser()))
    assert parcels(number)[0].state is S.DELIVERED and differences(shop) == []


def test_an_open_case_stops_settling_and_its_end_lets_it_go_on(shop: Shop, delivered: Bought) -> None:
    case = open_case(delivered)
    with pytest.raises(CaseIsOpen):
        in_transaction(settlement.confirm, number=delivered.number, parcel=delivered.parcel.public_id, actor="guest")
    with later(days=8):
        assert settlement.settle_one_due() is False
        do(deciding.reject, case)
        appeal(case)
        assert settlement.settle_one_due() is False
        in_transaction(appealing.leave, case=case, why="照片看不清", actor="person:9")
        assert settlement.settle_one_due() is True
    assert parcels(delivered.number)[0].state is S.SETTLED
    assert differences(shop) == []


@pytest.mark.full
def test_after_settling_the_grower_owes_it(shop: Shop, delivered: Bought) -> None:
    in_transaction(settlement.confirm, number=delivered.number, parcel=delivered.parcel.public_id, actor="guest")
    case = open_case(delivered)
    do(deciding.refund, case)
    assert balances(delivered.number) == {
        "gateway_clearing": 6997,
        "seller_payable": -2 * 1839,
        "station_payable": -2 * 160 - 667,
        "refund_in_transit": -2332,
    }
    arrive(shop)
    assert differences(shop) == []


@pytest.mark.full
def test_goods_that_are_not_brought_close_the_case(shop: Shop, delivered: Bought) -> None:
    case = open_case(delivered)
    do(deciding.approve, case)
    with later(days=13.9):
        assert in_transaction(returning.call_off_overdue) is False
    with later(days=14.1):
        assert in_transaction(returning.call_off_overdue) is True
        assert in_transaction(returning.call_off_overdue) is False
    assert case_of(case).state is C.CANCELLED and balances(delivered.number) == PAID
    assert differences(shop) == []


@pytest.mark.full
def test_a_desk_and_a_case_at_once_never_give_back_more_than_was_paid(shop: Shop, delivered: Bought) -> None:
    case, start = open_case(delivered, 2), Barrier(2)

    def press(number: int) -> str:
        with shop.app.app_context():
            start.wait()
            try:
                if number:
                    ask(delivered.parcel, 2)
                else:
                    do(deciding.refund, case)
            except Refusal:
                return "refused"
            return "taken"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == ["refused", "taken"]
    arrive(shop)
    assert balances(delivered.number)["gateway_clearing"] == 6997 - 4664 and differences(shop) == []


@pytest.mark.full
def test_two_reports_at_once_are_counted_one_after_the_other(shop: Shop, delivered: Bought) -> None:
    other, start = bought(shop, 1), Barrier(2)
    open_case(delivered, **DAMAGED)

    def press(of: Bought) -> C:
        with shop.app.app_context():
            start.wait()
            return case_of(open_case(of, **DAMAGED)).state

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(press, (delivered, other))) == {C.REFUNDED, C.REQUESTED}
