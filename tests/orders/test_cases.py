"""After-sales cases by their commands: to the fen, from whom it belongs to, and a refusal changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from listings import stock
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.orders import fulfilment, settlement, undelivered
from marketplace.orders.cases import appealing, automatic, deciding, exchanging, opening, paying_back, returning
from marketplace.orders.cases.finding import Reach
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import Bearer, Condition, Kind, Wish
from marketplace.orders.cases.states import AppealState, CaseState as C, Party
from marketplace.orders.cases.stopping import CaseIsOpen
from marketplace.orders.models import OrderLine
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.payments.models import Refund
from tests import factories
from tests.orders.casework import PICTURE, Bought, appeal, appeal_of, bought, case_of, deliver, do, open_case, ship
from tests.orders.conftest import Shop, balances, differences, get, parcels, stock_of
from tests.orders.refunding import ask, bounce, box

PAID = {"gateway_clearing": 6997, "seller_held": -3 * 1839, "station_held": -3 * 160 - 1000}
ONE_BACK = {"gateway_clearing": 6997, "seller_held": -2 * 1839, "station_held": -2 * 160 - 667, "refund_in_transit": -2332}
DAMAGED: dict[str, Any] = {"kind": Kind.DAMAGED, "pictures": [PICTURE]}


@pytest.fixture(autouse=True)
def small_boxes(shop: Shop) -> None:
    """Three of them cost 59.97 and 10.00 of shipping; they may be returned within seven days."""
    listing = factories.make_listing(return_policy="7d_no_reason")
    shop.apples = factories.make_variant(listing, price_fen=1999).code


@pytest.fixture
def delivered(shop: Shop) -> Bought:
    return bought(shop)


def later(**delta: float) -> Any:
    return time_machine.travel(clock.now() + timedelta(**delta), tick=False)


def make_fresh() -> None:
    db.session.execute(update(OrderLine).values(return_policy="fresh_excluded"))
    db.session.commit()


def arrive(shop: Shop) -> None:
    shop.work()
    with later(minutes=5):
        shop.cashier.finish_refunds()
        shop.work()


def everything() -> tuple[int, int]:
    db.session.rollback()
    return (
        db.session.scalar(select(func.count()).select_from(AfterSalesCase)) or 0,
        db.session.scalar(select(func.count()).select_from(Refund)) or 0,
    )


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


class TestExchange:
    @pytest.fixture
    def returned(self, delivered: Bought) -> str:
        case = open_case(delivered, 2, wish=Wish.EXCHANGE)
        do(deciding.approve, case)
        do(returning.witness, case, quantity=2, condition=Condition.BAD)
        return case

    def test_the_same_goods_are_sent_once_more_for_nothing(self, shop: Shop, delivered: Bought, returned: str) -> None:
        number = do(exchanging.exchange, returned)

        order, row = get(number), case_of(returned)
        assert (order.state, order.total_fen, order.is_exchange) == (OrderState.PAID, 0, True)
        assert (row.state, row.exchange_number, row.refund_public_id) == (C.EXCHANGED, number, None)
        line = order.parcels[0].lines[0]
        assert (line.variant_code, line.quantity, line.unit_price_fen) == (shop.apples, 2, 0)
        assert order.phone == get(delivered.number).phone and stock_of(shop.apples) == (95, 0)
        assert balances(number) == {} and differences(shop) == []
        parcel = deliver(number)
        with pytest.raises(opening.OfAnExchange):
            open_case(Bought(parcel, parcels(number)[0].lines[0].public_id, delivered.client))
        in_transaction(settlement.confirm, number=number, parcel=parcel.public_id, actor="guest")
        assert get(number).state is OrderState.COMPLETED

        with later(days=6.9):
            appeal(returned)
            in_transaction(appealing.grant, case=returned, bearer=Bearer.EACH, why="两次都坏", actor="person:9")
            arrive(shop)
        assert case_of(returned).state is C.EXCHANGED and balances(delivered.number)["gateway_clearing"] == 6997 - 4664
        assert differences(shop) == []

    @pytest.mark.full
    def test_what_is_sold_out_is_refunded_instead(self, shop: Shop, delivered: Bought, returned: str) -> None:
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
        self, shop: Shop, delivered: Bought, returned: str, end: str
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


BORNE: dict[Bearer, dict[str, int]] = {
    Bearer.EACH: {},
    Bearer.SELLER: {"seller_payable": 493, "station_payable": -493},
    Bearer.STATION: {"station_payable": 1839, "seller_payable": -1839},
    Bearer.PLATFORM: {"operating_grant": 2332, "seller_payable": -1839, "station_payable": -493},
}


class TestProvince:
    @pytest.mark.parametrize("bearer", [Bearer.PLATFORM, pytest.param(Bearer.SELLER, marks=pytest.mark.full)])
    def test_it_says_who_bears_what_goes_back(self, shop: Shop, delivered: Bought, bearer: Bearer) -> None:
        case = open_case(delivered)
        do(deciding.reject, case)
        appeal(case)
        in_transaction(appealing.grant, case=case, bearer=bearer, why="买家有理", actor="person:9")

        assert (case_of(case).state, appeal_of(case).state, appeal_of(case).bearer) == (
            C.REJECTED,
            AppealState.GRANTED,
            bearer,
        )
        assert balances(delivered.number) == ONE_BACK | BORNE[bearer]
        arrive(shop)
        assert differences(shop) == []
        with pytest.raises(StaleState):
            in_transaction(appealing.grant, case=case, bearer=bearer, why="再来", actor="person:9")

    @pytest.mark.full
    def test_a_refund_that_bounces_is_borne_by_nobody(self, shop: Shop, delivered: Bought) -> None:
        case = open_case(delivered)
        do(deciding.reject, case)
        appeal(case)
        in_transaction(appealing.grant, case=case, bearer=Bearer.PLATFORM, why="买家有理", actor="person:9")
        bounce(shop, str(case_of(case).refund_public_id))
        assert balances(delivered.number) == PAID and differences(shop) == []

    def test_a_silent_station_hands_its_cases_over(self, shop: Shop, delivered: Bought) -> None:
        granted, left, back = (open_case(delivered) for _time in range(3))
        do(deciding.approve, back)
        do(returning.witness, back, quantity=1, condition=Condition.AS_SOLD)
        with later(hours=47.9):
            assert in_transaction(appealing.ask_when_overdue) is False
        with later(hours=48.1):
            assert [in_transaction(appealing.ask_when_overdue) for _time in range(4)] == [True, True, True, False]
            with pytest.raises(deciding.WithTheProvince):
                do(deciding.refund, granted)
            in_transaction(appealing.grant, case=granted, bearer=Bearer.STATION, why="站里没回话", actor="person:9")
            assert balances(delivered.number) == ONE_BACK | BORNE[Bearer.STATION]
            in_transaction(appealing.leave, case=left, why="不像是坏的", actor="person:9")
            with pytest.raises(appealing.GoodsAreBack):
                in_transaction(appealing.leave, case=back, why="不退", actor="person:9")
            in_transaction(appealing.grant, case=back, bearer=Bearer.EACH, why="货到了", actor="person:9")
            arrive(shop)
        assert [case_of(case).state for case in (granted, left, back)] == [C.REFUNDED, C.REJECTED, C.REFUNDED]
        assert {appeal_of(case).asked_by for case in (granted, left, back)} == {Party.DEADLINE}
        assert differences(shop) == []

    @pytest.mark.full
    def test_a_grower_asks_about_a_refund_and_the_province_bears_it(self, shop: Shop, delivered: Bought) -> None:
        case = open_case(delivered, **DAMAGED)
        seller = parcels(delivered.number)[0].lines[0].seller_public_id
        with pytest.raises(NotFound):
            appeal(case, Party.SELLER, Reach(seller="somebody else"))
        appeal(case, Party.SELLER, Reach(seller=seller))
        in_transaction(appealing.grant, case=case, bearer=Bearer.PLATFORM, why="运输的事", actor="person:9")
        assert balances(delivered.number) == ONE_BACK | BORNE[Bearer.PLATFORM]
        assert everything() == (1, 1)
        arrive(shop)
        assert differences(shop) == []

    @pytest.mark.full
    def test_it_is_asked_once_in_time_and_by_whom_it_went_against(self, shop: Shop, delivered: Bought) -> None:
        case = open_case(delivered)
        for party in (Party.BUYER, Party.SELLER, Party.STATION):
            with pytest.raises(appealing.NotAppealable):
                appeal(case, party)
        do(deciding.refund, case)
        with pytest.raises(appealing.NotAppealable):
            appeal(case, Party.STATION)
        with later(days=7.1), pytest.raises(appealing.TooLateToAppeal):
            appeal(case, Party.SELLER)
        appeal(case, Party.SELLER)
        with pytest.raises(appealing.AskedBefore):
            appeal(case, Party.SELLER)


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
