"""A bank takes the money of a paid statement back while goods of it are returned: one end for each case, one loss."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.core.db import db, in_transaction
from marketplace.ledger import books
from marketplace.orders import kept
from marketplace.orders.cases import deciding, opening, returning
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import Condition, Kind, Wish
from marketplace.orders.cases.states import CaseState
from marketplace.orders.promotions import ending
from marketplace.payments.disputes import following
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState
from tests.institutions.conftest import Canteen, differences
from tests.orders.casework import do
from tests.orders.conftest import balances, parcels
from tests.orders.promotions.promoting import promotion
from tests.orders.test_case_by_bank import lost


def brought_back(canteen: Canteen, number: str, quantity: int = 1) -> str:
    line = parcels(number)[0].lines[0].public_id
    said: dict[str, Any] = {"kind": Kind.WRONG, "wish": Wish.REFUND, "words": "发错了", "pictures": [], "actor": "test"}
    case = in_transaction(opening.open_case, number=number, line=line, quantity=quantity, **said)
    do(deciding.approve, case)
    return case


def paid(canteen: Canteen, *orders: tuple[str, int]) -> tuple[str, list[str]]:
    """One statement for them all."""
    numbers = [canteen.order(coupon, apples=packs) for coupon, packs in orders]
    for number in numbers:
        canteen.deliver(number)
        canteen.accept_all(number)
    statement = canteen.bill().public_id
    canteen.pay(statement)
    return statement, numbers


@pytest.mark.parametrize("coupon", ["", "XINQIU"])
def test_goods_that_are_back_lessen_the_loss_and_nobody_pays_twice(canteen: Canteen, coupon: str) -> None:
    promotion(platform_bps=3333)
    statement, (number,) = paid(canteen, (coupon, 2))
    case = brought_back(canteen, number)
    lost(canteen.shop, statement, canteen.statements()[0].total_fen)
    do(returning.witness, case, quantity=1, condition=Condition.BAD)

    do(deciding.refund, case)

    row = db.session.scalars(select(AfterSalesCase)).one()
    assert (row.state, row.is_paid_by_bank, row.refund_public_id) == (CaseState.REFUNDED, True, None)
    assert db.session.scalars(select(Refund)).all() == []
    off, of_province = (500, 166) if coupon else (0, 0)
    moved = balances(number)
    assert moved["chargeback_loss"] == -(3980 + 300 - off) and moved.get("operating_grant", 0) == -of_province
    assert differences(canteen) == []


def test_what_a_bank_took_of_a_statement_is_counted_once_for_all_its_orders(canteen: Canteen) -> None:
    statement, numbers = paid(canteen, ("", 2), ("", 1))
    cases = [brought_back(canteen, number) for number in numbers]
    lost(canteen.shop, statement, canteen.statements()[0].total_fen - 4000)
    for case in cases:
        do(returning.witness, case, quantity=1, condition=Condition.BAD)
        do(deciding.refund, case)
        canteen.shop.work()

    db.session.rollback()
    back = db.session.scalars(select(Refund).order_by(Refund.id)).all()
    assert sum(row.fen for row in back if row.state is not RefundState.FAILED) <= 4000
    assert all(row.fen > 0 for row in back) and differences(canteen) == []


def test_what_was_kept_is_listed_when_the_bank_gives_it_back_and_can_be_refunded(canteen: Canteen) -> None:
    statement, (number,) = paid(canteen, ("", 2))
    case = brought_back(canteen, number)
    remote = lost(canteen.shop, statement, canteen.statements()[0].total_fen)
    do(returning.witness, case, quantity=1, condition=Condition.BAD)
    do(deciding.refund, case)
    assert kept.by_bank(db.session(), number, case).owed_fen == 0

    won = replace(canteen.shop.cashier.fetch_dispute(remote), status=DisputeState.WON, raw_status="won", is_reinstated=True)
    asked = replace(won, status=DisputeState.UNDER_REVIEW, raw_status="appeal_under_review", is_reinstated=False)
    for news in (asked, won):
        in_transaction(following.apply, remote=news, gateway="sandbox", why="appeal")

    db.session.rollback()
    assert kept.by_bank(db.session(), number, case).owed_fen == 4280
    in_transaction(kept.give_back, name=case, actor="person:1", why="上诉赢了")
    canteen.shop.work()
    assert [row.fen for row in db.session.scalars(select(Refund))] == [4280]
    assert books.balance(db.session(), *ending.FUNDING, book="test") == 0 and differences(canteen) == []
