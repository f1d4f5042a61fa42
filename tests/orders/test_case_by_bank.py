"""Goods are back for a case, and the buyer's bank has given the money back already: one end, one loss."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.ledger import books
from marketplace.notifications.models import Message
from marketplace.orders import kept, refunding, settlement
from marketplace.orders.cases import appealing, deciding, exchanging, opening, quality, returning
from marketplace.orders.cases.rules import Bearer, Condition, Kind, Wish
from marketplace.orders.cases.states import CaseState as C, Party
from marketplace.orders.models import OrderLine
from marketplace.payments.disputes import following
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.models import Refund
from marketplace.payments.sandbox import storage
from tests.orders.casework import DAMAGED, Bought, appeal, bought, case_of, do, everything, later, open_case, small_boxes
from tests.orders.conftest import Shop, build_shop
from tests.orders.refunding import ask

__all__ = ["small_boxes"]

SELLER, STATION = 2 * 1839, 2 * 160 + 666  # of two of three boxes: price less fee; fee, and two thirds of the shipping
TOTAL = SELLER + STATION
FEE = 1500


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    yield (built := build_shop(app))
    built.cashier.storage.dispose()


def lost(shop: Shop, number: str, fen: int = 6997) -> str:
    """The payer's bank takes so much of the money for good; the cashier's name of the dispute."""
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    with shop.cashier.writing() as connection:
        connection.execute(storage.dispute.update().values(amount=fen))
        connection.execute(storage.movement.update().where(storage.movement.c.type == "dispute").values(gross=-fen - FEE))
    shop.work()
    shop.cashier.decide_dispute(remote, is_won=False)
    shop.work()
    return remote


def brought_back(shop: Shop, wish: Wish = Wish.REFUND) -> tuple[Bought, str]:
    """Two of three boxes are at the station again."""
    order = bought(shop)
    case = open_case(order, 2, wish=wish)
    do(deciding.approve, case)
    do(returning.witness, case, quantity=2, condition=Condition.BAD)
    return order, case


def balance(kind: str, owner: str = "") -> int:
    db.session.rollback()
    return books.balance(db.session(), kind, owner, book="test")


def payable(order: Bought) -> tuple[int, int]:
    """What seller and station are owed."""
    db.session.rollback()
    line = db.session.scalars(select(OrderLine).where(OrderLine.public_id == order.line)).one()
    station = line.parcel.station_code
    return -balance("seller_payable", line.seller_public_id), -balance("station_payable", station)


def refunds() -> list[Refund]:
    db.session.rollback()
    return list(db.session.scalars(select(Refund).order_by(Refund.id)))


def letters() -> list[str]:
    while outbox.deliver():
        pass
    db.session.rollback()
    return [row.text for row in db.session.scalars(select(Message).order_by(Message.id))]


def differences(shop: Shop) -> list[str]:
    """What the audit finds wrong, in the one transaction of this test."""
    db.session.rollback()
    connection = db.session.connection()
    with shop.cashier.storage.connect() as cashier:
        found = [each for each in audit.findings(connection, cashier) if isinstance(each, Difference)]
    return [f"{each.check}: {each.words}" for each in found]


def test_it_ends_as_refunded_by_the_bank_and_money_is_lost_once(shop: Shop) -> None:
    order, case = brought_back(shop)
    lost(shop, order.number)

    do(deciding.refund, case)

    row = case_of(case)
    assert (row.state, row.is_paid_by_bank, row.refund_public_id) == (C.REFUNDED, True, None)
    assert refunds() == [] and balance("chargeback_loss") == 6997 - TOTAL
    assert payable(order) == (-SELLER, -STATION)
    parcel = {"number": order.number, "parcel": order.parcel.public_id}
    in_transaction(settlement.confirm, **parcel, actor="guest")  # nothing stops it any more
    assert payable(order) == (1839, 160 + 334)
    assert balance("seller_held") == balance("station_held") == 0
    assert sum(payable(order)) + TOTAL == 6997 and differences(shop) == []
    told = "\n".join(letters())
    assert "你的银行已经把钱退给你了" in told and "你那份货款也要退回" in told and "退款给买家了" not in told
    page = order.client.get(f"/orders/{order.number}/cases/{case}").text
    assert "你的银行已经把钱退给你了" in page and "已退回" in page


def test_whatever_comes_after_finds_the_units_gone(shop: Shop) -> None:
    order, case = brought_back(shop)
    remote = lost(shop, order.number)
    do(deciding.refund, case)
    for who in (Party.SELLER, Party.STATION):
        with pytest.raises(appealing.NotAppealable):
            appeal(case, who)
    with pytest.raises(opening.PaidByTheBank):
        open_case(order)
    won(shop, remote)
    with pytest.raises(opening.TooManyUnits):
        open_case(order, 2)
    with pytest.raises(refunding.GoodsAreBack):
        ask(order.parcel, 2)
    ask(order.parcel, 1)
    assert [(each.name, each.fen) for each in kept.page(db.session()).rows] == [(case, TOTAL)]
    refund = in_transaction(kept.give_back, name=case, actor="person:1", why="电话里说好的")
    assert [(each.public_id, each.fen) for each in refunds()][-1] == (refund, TOTAL)
    assert kept.page(db.session()).rows == [] and balance("chargeback_loss") == 0
    assert sum(each.fen for each in refunds()) == 6997 - 1  # no part of a third of the shipping is rounded up
    assert differences(shop) == []


def test_whoever_reads_the_case_learns_that_the_bank_took_it_back(shop: Shop) -> None:
    order, case = brought_back(shop)
    page = f"/orders/{order.number}/cases/{case}"
    remote = lost(shop, order.number)
    do(deciding.refund, case)
    won(shop, remote)

    told, listed = order.client.get(page).text, order.client.get(f"/orders/{order.number}").text
    assert "你的银行把钱收回去了，由省里退给你 ¥46.64，你不用做什么。" in told
    assert "省里在看" in told and "你的银行已经把钱退给你了" not in told
    assert "省里在看" in listed

    in_transaction(kept.give_back, name=case, actor="person:1", why="电话里说好的")
    told = order.client.get(page).text
    assert "¥46.64 退回你付款的地方。" in told and "省里在看" not in told and "你的银行" not in told


def won(shop: Shop, remote: str) -> None:
    """On appeal, after all."""
    told = replace(shop.cashier.fetch_dispute(remote), status=DisputeState.WON, raw_status="won", is_reinstated=True)
    asked = replace(told, status=DisputeState.UNDER_REVIEW, raw_status="appeal_under_review", is_reinstated=False)
    in_transaction(following.apply, remote=asked, gateway="sandbox", why="appeal")
    in_transaction(following.apply, remote=told, gateway="sandbox", why="won")


def test_nothing_is_exchanged_that_the_bank_has_paid_for(shop: Shop) -> None:
    order, case = brought_back(shop, Wish.EXCHANGE)
    lost(shop, order.number)
    with pytest.raises(opening.PaidByTheBank):
        do(exchanging.exchange, case)
    assert case_of(case).state is C.GOODS_RETURNED
    do(deciding.refund, case)
    assert case_of(case).is_paid_by_bank and differences(shop) == []


@pytest.mark.full
@pytest.mark.parametrize(
    ("bearer", "shares"),
    [
        (Bearer.EACH, (-SELLER, -STATION, 0)),
        (Bearer.SELLER, (-TOTAL, 0, 0)),
        (Bearer.STATION, (0, -TOTAL, 0)),
        (Bearer.PLATFORM, (0, 0, TOTAL)),
    ],
)
def test_where_the_station_is_silent_the_province_says_who_bears_it(
    shop: Shop, bearer: Bearer, shares: tuple[int, int, int]
) -> None:
    order, case = brought_back(shop)
    lost(shop, order.number)
    with later(days=3):
        assert in_transaction(appealing.ask_when_overdue)
        with pytest.raises(appealing.GoodsAreBack):
            in_transaction(appealing.leave, case=case, why="不管", actor="person:9")
        in_transaction(appealing.grant, case=case, bearer=bearer, why="站里没答复", actor="person:9")
        told = "\n".join(letters())
    assert case_of(case).is_paid_by_bank and refunds() == []
    assert (*payable(order), balance("operating_grant", "province")) == shares
    assert "省里定了" in told and "你那份货款也要退回" not in told
    assert balance("chargeback_loss") == 6997 - TOTAL and differences(shop) == []


def test_without_goods_the_station_cannot_refund_what_the_bank_has_paid(shop: Shop) -> None:
    order = bought(shop)
    case = open_case(order, 2)
    lost(shop, order.number)
    with pytest.raises(opening.PaidByTheBank):
        do(deciding.refund, case)
    assert case_of(case).state is C.REQUESTED and balance("chargeback_loss") == 6997
    do(deciding.reject, case)
    assert differences(shop) == []


def test_what_the_bank_gave_less_goes_to_the_buyer_out_of_the_loss(shop: Shop) -> None:
    """It took back 30.00; the goods are worth more, and less than that is left of the payment."""
    order, case = brought_back(shop)
    lost(shop, order.number, fen=3000)
    do(deciding.refund, case)
    assert case_of(case).is_paid_by_bank
    (refund,) = refunds()
    assert refund.fen == TOTAL - 3000 and refund.reason_key == f"loss:{case}"
    assert balance("chargeback_loss") == 0 and payable(order) == (-SELLER, -STATION)
    assert differences(shop) == []


@pytest.mark.full
def test_what_is_left_of_the_payment_pays_as_ever(shop: Shop) -> None:
    order, case = brought_back(shop)
    lost(shop, order.number, fen=1000)
    do(deciding.refund, case)
    assert not case_of(case).is_paid_by_bank and [each.fen for each in refunds()] == [TOTAL]
    assert differences(shop) == []


def test_a_part_that_was_taken_back_does_not_end_what_a_buyer_may_ask(shop: Shop) -> None:
    """30.00 of 69.97; a box that came spoilt is refunded, a second that is said to be missing is more than is left."""
    order = bought(shop)
    lost(shop, order.number, fen=3000)
    case = open_case(order, **DAMAGED)
    assert (case_of(case).state, case_of(case).is_automatic) == (C.REFUNDED, True)
    assert [each.fen for each in refunds()] == [1999 + 333]
    for said in ({"kind": Kind.MISSING}, DAMAGED | {"spoiled_grams": 2400}):
        with pytest.raises(opening.PaidByTheBank):
            open_case(order, **said)
    assert everything() == (1, 1) and differences(shop) == []


def test_of_what_is_more_than_is_left_the_station_is_asked(shop: Shop) -> None:
    """4.97 are left. A box that came spoilt is not refunded at once, as it would be: it may be brought back for the rest."""
    order = bought(shop)
    lost(shop, order.number, fen=6500)
    case = open_case(order, **DAMAGED)
    assert (case_of(case).state, case_of(case).is_automatic, everything()) == (C.REQUESTED, False, (1, 0))
    do(deciding.approve, case)
    do(returning.witness, case, quantity=1, condition=Condition.BAD)
    do(deciding.refund, case)
    assert case_of(case).is_paid_by_bank and differences(shop) == []


def test_the_sellers_quality_counts_it(shop: Shop) -> None:
    order, case = brought_back(shop)
    lost(shop, order.number)
    seller = db.session.scalars(select(OrderLine.seller_public_id).where(OrderLine.public_id == order.line)).one()
    assert quality.counted(db.session())["seller", seller][:4] == (3, 0, 3, 0)
    do(deciding.refund, case)
    db.session.rollback()
    found = quality.counted(db.session())
    assert found["seller", seller] == found["station", "141028"] == (3, 2, 3, 2, 2, *[0] * 7)
