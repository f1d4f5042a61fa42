"""What comes off an order is in its books from the moment it is paid: to the fen, by whoever bears it, and back again."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.ledger import books
from marketplace.orders import refunding, settlement, undelivered
from marketplace.orders.models import Order, RefundLine
from marketplace.orders.promotions import ending
from marketplace.orders.promotions.ending import FUNDING, GRANT
from marketplace.orders.promotions.models import PromotionUse
from marketplace.orders.promotions.states import Kind, PromotionState, Scope, UseState
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.payments import refunds
from marketplace.payments.models import Refund
from tests import factories
from tests.orders.conftest import QINXIAN, balances, get
from tests.orders.promotions.conftest import Counter
from tests.orders.promotions.promoting import give_up, line_of, move, pay, promotion, row_of
from tests.tiers import in_full

DESK: dict[str, Any] = {"station": None, "reason": "坏了", "actor": "clerk"}


def balance(account: books.Account) -> int:
    db.session.rollback()
    return books.balance(db.session(), *account, book="test")


def use_of(number: str) -> PromotionUse:
    db.session.rollback()
    return db.session.scalars(select(PromotionUse).where(PromotionUse.order_number == number)).one()


def refund(number: str, units: int, *, with_shipping: bool = True) -> int:
    """Fen that the buyer has back for so many units of the first line."""
    line = line_of(number)
    given: dict[str, Any] = {
        "parcel": line.parcel.public_id,
        "units": {line.public_id: units},
        "with_shipping": with_shipping,
    }
    public_id = in_transaction(refunding.refund_units, **given, **DESK)
    return db.session.scalars(select(Refund.fen).where(Refund.public_id == public_id)).one()


def test_the_province_puts_its_part_to_what_the_buyer_pays(counter: Counter) -> None:
    made = promotion()
    assert (balance(FUNDING), balance(GRANT)) == (-100_000, 100_000)

    number = counter.order(code=" xinqiu ", apples=3)
    pay(number)

    order, line = get(number), line_of(number)
    assert (order.goods_fen, order.shipping_fen, order.discount_fen, order.total_fen) == (5997, 1000, 1000, 5997)
    assert (line.seller_discount_fen, line.platform_discount_fen, line.shipping_discount_fen) == (0, 1000, 0)
    assert balances(number) == {
        "gateway_clearing": 5997,
        "promotion_funding": 1000,
        "seller_held": -3 * 1839,
        "station_held": -3 * 160 - 1000,
    }
    assert (use_of(number).state, row_of(made).used_fen, row_of(made).spent_fen) == (UseState.SPENT, 1000, 1000)


def test_a_sellers_own_lowers_what_they_get_and_nobody_elses(counter: Counter) -> None:
    seller = line_of(counter.order(apples=1)).seller_public_id
    promotion(seller=seller, kind=Kind.PERCENT, amount_fen=0, percent=10, code="")

    number = counter.order(apples=3, millet=1)
    pay(number)

    assert (get(number).discount_fen, line_of(number).seller_discount_fen) == (599, 599)
    assert balances(number) == {
        "gateway_clearing": 5997 + 5800 + 1000 + 600 - 599,
        "seller_held": -3 * 1839 + 599 - (5800 - 464),  # the station's fee is on the price before
        "station_held": -3 * 160 - 464 - 1600,
    }
    assert balance(FUNDING) == 0


def parts_to_cancel(number: str) -> list[int]:
    """Fen that go back for the parcels of apples and of millet; 0 for one that cannot be cancelled alone."""
    order = get(number)
    found = undelivered.parts_to_cancel(db.session(), order)
    return [found.get(parcel.public_id, 0) for parcel in sorted(order.parcels, key=lambda each: each.number)]


@pytest.mark.parametrize(
    ("threshold_fen", "allowed"), [(0, "both"), (3998, "both"), (3999, "apples"), (5800, "apples"), (5801, "none")]
)
def test_a_parcel_is_cancelled_alone_where_the_discount_would_have_been_given_without_it(
    counter: Counter, threshold_fen: int, allowed: str
) -> None:
    """Ten per cent off 39.98 of apples and 58.00 of millet."""
    made = promotion(kind=Kind.PERCENT, amount_fen=0, percent=10, threshold_fen=threshold_fen)
    number = counter.order(code="XINQIU", apples=2, millet=1)
    pay(number)
    apples, millet = 3998 - 399 + 600, 5800 - 580 + 600
    assert get(number).total_fen == apples + millet
    open_ = {"both": [apples, millet], "apples": [apples, 0], "none": [0, 0]}[allowed]
    assert parts_to_cancel(number) == open_

    parcel = min(get(number).parcels, key=lambda each: each.number).public_id
    given: dict[str, Any] = {"number": number, "parcel": parcel, "actor": "guest"}
    if allowed == "none":
        with pytest.raises(undelivered.DiscountNeedsIt):
            in_transaction(undelivered.cancel_part, **given)
        assert balances(number)["gateway_clearing"] == apples + millet
        return
    assert in_transaction(undelivered.cancel_part, **given) == apples
    assert (get(number).state, balances(number)["refund_in_transit"]) == (OrderState.PAID, -apples)
    assert row_of(made).used_fen == 979
    assert parts_to_cancel(number) == [0, millet]  # nothing is left that has a discount without it


def test_a_parcel_without_a_discount_is_cancelled_whatever_the_others_have(counter: Counter) -> None:
    seller = line_of(counter.order(apples=1)).seller_public_id
    promotion(seller=seller, kind=Kind.PERCENT, amount_fen=0, percent=10, code="", threshold_fen=5000)
    number = counter.order(apples=3, millet=1)
    pay(number)
    assert parts_to_cancel(number) == [5997 - 599 + 1000, 6400]


def test_one_promotions_threshold_is_not_reached_with_the_goods_of_another(counter: Counter) -> None:
    """Ten per cent off fruit from 70.00 on, by itself, and a code for everything: 39.98 of apples and a sack of millet, and
    40.00 of another station's apples. And a code for apples asks nothing of the millet that has its own."""
    here, there = factories.make_listing(category_code="grain-millet"), factories.make_listing(station_code=QINXIAN)
    counter.sack = factories.make_variant(here, price_fen=6000).code
    counter.others = factories.make_variant(there, price_fen=4000).code
    percent: dict[str, Any] = {"kind": Kind.PERCENT, "amount_fen": 0, "percent": 10, "scope": Scope.CATEGORY, "uses_each": 9}
    fruit = promotion(code="", threshold_fen=7000, scope_values=("fruit-apple",), **percent)
    promotion(kind=Kind.PERCENT, amount_fen=0, percent=5)
    number = counter.order(code="XINQIU", apples=2, sack=1, others=1)
    pay(number)
    assert row_of(fruit).used_fen == 799 and parts_to_cancel(number) == [0, 0]

    promotion(code="PINGGUO", scope_values=("fruit-apple",), **percent)
    promotion(code="", threshold_fen=5000, scope_values=("grain-millet",), **percent)
    number = counter.order(code="PINGGUO", apples=2, millet=1)
    pay(number)
    assert parts_to_cancel(number) == [3998 - 399 + 600, 5800 - 580 + 600]


def test_shared_ones_are_borne_by_both(counter: Counter) -> None:
    promotion(platform_bps=3333)
    number = counter.order(code="XINQIU", apples=3)
    pay(number)
    line = line_of(number)
    assert (line.seller_discount_fen, line.platform_discount_fen) == (667, 333)
    assert balances(number)["promotion_funding"] == 333


def test_free_shipping_is_the_provinces_and_the_station_has_it_all_the_same(counter: Counter) -> None:
    promotion(kind=Kind.FREE_SHIPPING, amount_fen=0)
    number = counter.order(code="XINQIU", apples=3)
    pay(number)
    assert (get(number).shipping_fen, get(number).discount_fen, get(number).total_fen) == (1000, 1000, 5997)
    assert balances(number)["station_held"] == -3 * 160 - 1000
    move(number, S.DELIVERED)

    assert refund(number, 1) == 1999  # nothing was paid for its shipping
    assert balances(number) == {
        "gateway_clearing": 5997,
        "promotion_funding": 1000,
        "operating_grant": -333,
        "seller_held": -2 * 1839,
        "station_held": -2 * 160 - 667,
        "refund_in_transit": -1999,
    }


@pytest.mark.parametrize("steps", [(1, 1, 1), *in_full((2, 1), (3,))])
def test_whatever_the_steps_what_was_paid_goes_back(counter: Counter, steps: tuple[int, ...]) -> None:
    promotion(platform_bps=3333)
    number = counter.order(code="XINQIU", apples=3)
    pay(number)
    move(number, S.DELIVERED)
    backs = [refund(number, units) for units in steps]

    assert sum(backs) == get(number).total_fen
    assert balances(number) == {"gateway_clearing": 5997, "refund_in_transit": -5997} | back_to_the_province(333)
    offs = db.session.execute(select(RefundLine.seller_discount_fen, RefundLine.platform_discount_fen)).all()
    assert (sum(row[0] for row in offs), sum(row[1] for row in offs)) == (667, 333)


def test_after_the_settlement_it_comes_from_what_is_payable(counter: Counter) -> None:
    promotion()
    number = counter.order(code="XINQIU", apples=3)
    pay(number)
    parcel = move(number, S.DELIVERED)
    in_transaction(settlement.confirm, number=number, parcel=parcel, actor="buyer")

    assert refund(number, 3) == 5997
    assert balances(number) == {"gateway_clearing": 5997, "refund_in_transit": -5997} | back_to_the_province(1000)


def test_a_lost_parcel_gives_the_province_its_part_back_too(counter: Counter) -> None:
    promotion(platform_bps=3333)
    number = counter.order(code="XINQIU", apples=3)
    pay(number)
    parcel = move(number, S.SHIPPED)

    in_transaction(undelivered.lose, parcel=parcel, station=None, actor="clerk", reason="车翻了")

    assert balances(number) == {
        "gateway_clearing": 5997,
        "refund_in_transit": -5997,
        "seller_payable": -3 * 1839 + 667,
        "station_payable": 3 * 1839 - 667,  # it pays the growers
    } | back_to_the_province(333)


def back_to_the_province(fen: int) -> dict[str, int]:
    """What it had put to the order, from the account of promotions, and has back itself."""
    return {"promotion_funding": fen, "operating_grant": -fen}


@pytest.mark.parametrize("is_over", [False, True])
def test_what_a_refund_gives_back_is_no_promotions_money_any_more(counter: Counter, is_over: bool) -> None:
    made = promotion(platform_bps=3333)
    number = counter.order(code="XINQIU", apples=3)
    pay(number)
    move(number, S.DELIVERED)
    if is_over:
        in_transaction(ending.stop, promotion=made, seller=None, person_id=row_of(made).made_by)
    left = 0 if is_over else 33_330 - 333
    assert (balance(FUNDING), balance(GRANT)) == (-left, left + 333)

    refund(number, 1)
    refund(number, 2)
    assert (balance(FUNDING), balance(GRANT)) == (-left, left)

    for row in db.session.scalars(select(Refund)).all():
        in_transaction(fail, refund=row.id)
    assert (balance(FUNDING), balance(GRANT)) == (-left, left + 333)
    assert balances(number)["promotion_funding"] == 333 and "operating_grant" not in balances(number)


def fail(session: Session, *, refund: int) -> None:
    """The cashier refused it for good."""
    refunds.begin_submission(session, refund=refund)
    refunds.fail(session, refund=refund, why="test")


def test_an_order_that_nobody_paid_gives_back_what_it_held(counter: Counter) -> None:
    made = promotion(uses_most=1)
    number = counter.order(code="XINQIU", apples=3)
    assert (row_of(made).used_fen, row_of(made).uses, use_of(number).state) == (1000, 1, UseState.RESERVED)

    give_up(number)

    assert (row_of(made).used_fen, row_of(made).uses, use_of(number).state) == (0, 0, UseState.RETURNED)
    assert counter.order(code="XINQIU", apples=3)


def test_late_money_counts_if_the_discount_can_be_had_again(counter: Counter) -> None:
    made = promotion(uses_most=1)
    number = counter.order(code="XINQIU", apples=3)
    give_up(number)

    pay(number)

    assert get(number).state is OrderState.PAID and use_of(number).state is UseState.SPENT
    assert row_of(made).state is PromotionState.ENDED  # nobody may use it any more
    assert (balance(FUNDING), balance(GRANT)) == (0, 1000)


def test_late_money_for_a_discount_that_is_gone_goes_back(counter: Counter) -> None:
    made = promotion(uses_most=1)
    number = counter.order(code="XINQIU", apples=3)
    give_up(number)
    counter.order(code="XINQIU", apples=3, phone="13935172046")

    pay(number)

    assert get(number).state is OrderState.EXPIRED and use_of(number).state is UseState.RETURNED
    assert (row_of(made).used_fen, row_of(made).uses) == (1000, 1)


def test_what_ends_gives_back_what_no_order_took_and_what_waits_later(counter: Counter) -> None:
    made = promotion()
    paid, waiting = counter.order(code="XINQIU", apples=3), counter.order(code="XINQIU", apples=3, phone="13935172046")
    pay(paid)

    with time_machine.travel(clock.now() + timedelta(days=7), tick=False):
        assert in_transaction(ending.end_due) and not in_transaction(ending.end_due)
        assert (row_of(made).state, balance(FUNDING)) == (PromotionState.ENDED, -1000)
        give_up(waiting)

    assert (balance(FUNDING), balance(GRANT)) == (0, 1000)
    assert db.session.scalars(select(Order.discount_fen)).all() == [1000, 1000]
