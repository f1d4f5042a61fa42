"""The province is asked, says who bears what goes back, and is asked no second time."""

import pytest
from sqlalchemy import update

from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.orders.cases import appealing, deciding, returning
from marketplace.orders.cases.finding import OwnPurchase, Reach
from marketplace.orders.cases.rules import Bearer, Condition
from marketplace.orders.cases.states import AppealState, CaseState as C, Party
from marketplace.orders.models import Order
from tests.factories import make_person, sign_in_as, signed_in
from tests.orders.casework import (
    DAMAGED,
    ONE_BACK,
    PAID,
    Bought,
    appeal,
    appeal_of,
    arrive,
    case_of,
    delivered,
    do,
    everything,
    later,
    open_case,
    small_boxes,
)
from tests.orders.conftest import Shop, balances, differences, parcels
from tests.orders.refunding import bounce

BORNE: dict[Bearer, dict[str, int]] = {
    Bearer.EACH: {},
    Bearer.SELLER: {"seller_payable": 493, "station_payable": -493},
    Bearer.STATION: {"station_payable": 1839, "seller_payable": -1839},
    Bearer.PLATFORM: {"operating_grant": 2332, "seller_payable": -1839, "station_payable": -493},
}

__all__ = ["delivered", "small_boxes"]


@pytest.mark.parametrize("bearer", [Bearer.PLATFORM, pytest.param(Bearer.SELLER, marks=pytest.mark.full)])
def test_it_says_who_bears_what_goes_back(shop: Shop, delivered: Bought, bearer: Bearer) -> None:
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


def test_whoever_bought_the_goods_decides_about_them_nowhere(shop: Shop, delivered: Bought) -> None:
    person, office, other = make_person("operator", "station_clerk"), shop.browser(), shop.browser()
    case = open_case(delivered)
    db.session.execute(update(Order).where(Order.number == delivered.number).values(buyer_id=person.id))
    db.session.commit()
    mine = f"person:{person.id}"
    for command in (deciding.approve, deciding.refund, deciding.reject):
        with pytest.raises(OwnPurchase):
            do(command, case, actor=mine)
    do(deciding.reject, case)
    appeal(case)
    with pytest.raises(OwnPurchase):
        in_transaction(appealing.grant, case=case, bearer=Bearer.PLATFORM, why="我有理", actor=mine)
    with pytest.raises(OwnPurchase):
        in_transaction(appealing.leave, case=case, why="我有理", actor=mine)

    sign_in_as(office, person)
    signed_in(other, "operator")
    desk = f"/operator/cases/{case}"
    assert "自己买的货" in office.get(desk).text and f'action="{desk}/judgement"' not in office.get(desk).text
    assert f'action="{desk}/judgement"' in other.get(desk).text
    assert (case_of(case).state, appeal_of(case).state) == (C.REJECTED, AppealState.ASKED)
    assert balances(delivered.number) == PAID


@pytest.mark.full
def test_a_refund_that_bounces_is_borne_by_nobody(shop: Shop, delivered: Bought) -> None:
    case = open_case(delivered)
    do(deciding.reject, case)
    appeal(case)
    in_transaction(appealing.grant, case=case, bearer=Bearer.PLATFORM, why="买家有理", actor="person:9")
    bounce(shop, str(case_of(case).refund_public_id))
    assert balances(delivered.number) == PAID and differences(shop) == []


def test_a_silent_station_hands_its_cases_over(shop: Shop, delivered: Bought) -> None:
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
def test_a_grower_asks_about_a_refund_and_the_province_bears_it(shop: Shop, delivered: Bought) -> None:
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
def test_it_is_asked_once_in_time_and_by_whom_it_went_against(shop: Shop, delivered: Bought) -> None:
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
