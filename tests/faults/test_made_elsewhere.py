"""Fault 16 of docs/faults.md, its last part: a refund that somebody made on the provider's own
pages is recorded, whoever decided on it; nothing goes back twice, and payouts stay open."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.orders import fulfilment, undelivered
from marketplace.payments import suspense
from marketplace.payments.gateways import RefundRequest
from marketplace.payments.models import Refund
from marketplace.payments.reconciliation import payouts_are_open
from marketplace.payments.sandbox import storage
from tests.campaigns.conftest import Fund, fund
from tests.campaigns.test_receiving import differences as faults_of_giving
from tests.faults.test_paying import TOTAL, assert_sound, charges, ordered
from tests.orders.conftest import JIXIAN, Shop, balances, get, parcels, shop

__all__ = ["fund", "shop"]


def send_back_there(shop: Any, reference: str, fen: int) -> str:
    """As an operator does on the provider's pages; the provider's number of it."""
    remote = shop.cashier.refund(RefundRequest("", shop.remote_of(reference), Money(fen)), key=f"by hand {fen}")
    return str(remote.remote_id)


def a_minute_later(shop: Any) -> Any:
    return time_machine.travel(clock.now() + timedelta(minutes=1), tick=False)


def refunds_of() -> list[tuple[str, int, str]]:
    db.session.rollback()
    rows = db.session.scalars(select(Refund).order_by(Refund.id))
    return [(row.reason_key.partition(":")[0], row.fen, row.state.value) for row in rows]


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "found when the books are compared"])
@pytest.mark.parametrize("fen", [TOTAL, 1000])
def test_16_of_an_order_whose_parcel_is_refused_afterwards(shop: Shop, fen: int, is_told: bool) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    remote = send_back_there(shop, number, fen)
    if not is_told:
        with shop.cashier.writing() as connection:
            connection.execute(storage.webhook.update().values(is_delivered=True))
    with a_minute_later(shop):
        shop.cashier.finish_refunds()
        assert_sound(shop)
        shop.work()
        assert refunds_of() == [("elsewhere", fen, "succeeded")]
        assert balances(number)["chargeback_loss"] == fen and balances(number).get("gateway_clearing", 0) == TOTAL - fen
        kept = select(AuditRecord.why).where(AuditRecord.action == "refund.made_elsewhere")
        assert db.session.scalars(kept).all() == [remote]
        assert payouts_are_open(db.session()) and charges(shop) == 1

        assert undelivered.sum_if_cancelled(db.session(), get(number)) == TOTAL - fen
        (parcel,) = parcels(number)
        in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=JIXIAN, actor="clerk", reason="霜")
        shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=3), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
        assert sum(each[1] for each in refunds_of()) == TOTAL and balances(number) == {}
        assert_sound(shop)


def test_16_of_an_order_of_two_stations_of_which_neither_promises_more_than_is_left(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1, millet=1)
    before = undelivered.parts_to_cancel(db.session(), get(number))
    assert len(before) == 2 and sum(before.values()) == get(number).total_fen
    send_back_there(shop, number, get(number).total_fen - 100)
    with a_minute_later(shop):
        shop.cashier.finish_refunds()
        shop.work()
        assert set(undelivered.parts_to_cancel(db.session(), get(number)).values()) == {100}


def test_16_of_an_order_and_then_it_does_not_arrive(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    before = balances(number)
    remote = send_back_there(shop, number, TOTAL)
    shop.work()
    shop.cashier.fail_refund(remote)
    shop.work()
    assert refunds_of() == [("elsewhere", TOTAL, "failed")] and balances(number) == before
    assert_sound(shop)


def test_16_of_money_in_suspense(shop: Shop) -> None:
    number = ordered(shop)
    remote = shop.remote_of(number)
    with shop.cashier.writing() as connection:
        connection.execute(storage.payment.update().where(storage.payment.c.id == remote).values(amount=TOTAL + 1))
    shop.pay(number)
    shop.work()
    send_back_there(shop, number, TOTAL + 1)
    with a_minute_later(shop):
        shop.cashier.finish_refunds()
        shop.work()
        assert refunds_of() == [("elsewhere", TOTAL + 1, "succeeded")] and balances(number) == {}
        with pytest.raises(suspense.AlreadyGoingBack):
            in_transaction(suspense.send_back, payment=remote, actor="person:1", why="?")
        assert_sound(shop)


def test_16_of_a_gift(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 660)
    remote = fund.cashier.refund(RefundRequest("", fund.remote_of(gift), Money(660)), key="by hand")
    fund.work()
    with a_minute_later(fund):
        fund.cashier.finish_refunds()
        fund.work()
        assert refunds_of() == [("elsewhere", 660, "succeeded")] and remote.refund == ""
        assert faults_of_giving(fund) == []
