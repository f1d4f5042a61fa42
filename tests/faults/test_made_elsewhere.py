"""Fault 16 of docs/faults.md, its last part, and 3 with it: a refund that somebody made on the provider's own pages is
recorded, whoever decided on it; nothing goes back twice, and payouts stay open."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.orders import fulfilment, kept, undelivered
from marketplace.payments import elsewhere, inbox, outcomes, suspense
from marketplace.payments.gateways import RefundRequest, RemoteRefund
from marketplace.payments.models import GatewayEvent, Refund
from marketplace.payments.reconciliation import payouts_are_open, running
from marketplace.payments.sandbox import delivery, storage
from marketplace.payments.states import EventStatus, RefundState
from tests.campaigns.conftest import Fund, fund
from tests.campaigns.test_receiving import differences as faults_of_giving
from tests.faults.test_paying import TOTAL, assert_paid_once, assert_sound, bring, charges, ordered, second_attempt, webhooks
from tests.orders.conftest import JIXIAN, Shop, balances, get, parcels, shop
from tests.orders.refunding import clerk_of

__all__ = ["fund", "shop"]


def send_back_there(shop: Any, reference: str, fen: int) -> str:
    """As an operator does on the provider's pages; the provider's number of it."""
    remote = shop.cashier.refund(RefundRequest("", shop.remote_of(reference), Money(fen)), key=f"by hand {fen}")
    return str(remote.remote_id)


def a_minute_later(shop: Any) -> Any:
    return time_machine.travel(clock.now() + timedelta(minutes=1), tick=False)


def all_arrives(shop: Any) -> None:
    for minutes in (1, 3):
        with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
            shop.cashier.finish_refunds()
            shop.work()


def on_its_way(parcel: str) -> None:
    at_the_desk: tuple[tuple[Any, dict[str, str]], ...] = (
        (fulfilment.accept, {}),
        (fulfilment.collect, {}),
        (fulfilment.pack, {"shelf": "B-03"}),
        (fulfilment.ship, {"carrier": "邮政", "tracking_number": "1234567890"}),
    )
    for verb, more in at_the_desk:
        in_transaction(verb, parcel=parcel, station=JIXIAN, actor="clerk", **more)


def reconcile(shop: Any) -> None:
    running.reconcile(shop.cashier, actor="test", whole=True)
    db.session.rollback()


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
    mine = next(parcel.public_id for parcel in parcels(number) if parcel.station_code == JIXIAN)
    clerk, warning = clerk_of(shop), "发货前先问省里"
    assert warning not in clerk.get(f"/station/parcels/{mine}").text
    send_back_there(shop, number, get(number).total_fen - 100)
    with a_minute_later(shop):
        shop.cashier.finish_refunds()
        shop.work()
        assert set(undelivered.parts_to_cancel(db.session(), get(number)).values()) == {100}
        assert warning in clerk.get(f"/station/parcels/{mine}").text
        on_its_way(mine)
        assert warning not in clerk.get(f"/station/parcels/{mine}").text


@pytest.mark.parametrize("fen", [TOTAL, 1000])
def test_16_of_an_order_and_it_does_not_arrive_once_the_parcel_was_refused(shop: Shop, fen: int) -> None:
    """Nothing waits for a decision while the buyer has the money; once it came back they have neither that nor goods."""
    number = shop.paid_order(shop.browser(), apples=1)
    remote = send_back_there(shop, number, fen)
    all_arrives(shop)
    (parcel,) = parcels(number)
    in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=JIXIAN, actor="clerk", reason="霜")
    all_arrives(shop)
    assert [each.fen for each in kept.page(db.session()).rows] == []
    with pytest.raises(kept.NothingKept):
        in_transaction(kept.give_back, name=parcel.public_id, actor="person:1", why="?")

    shop.cashier.fail_refund(remote)
    all_arrives(shop)
    db.session.rollback()
    assert [(each.name, each.fen) for each in kept.page(db.session()).rows] == [(parcel.public_id, fen)]
    in_transaction(kept.give_back, name=parcel.public_id, actor="person:1", why="?")
    all_arrives(shop)
    assert balances(number) == {} and charges(shop) == 1
    assert_sound(shop)


@pytest.mark.parametrize("fen", [TOTAL, 1000])
def test_16_of_an_order_whose_refund_had_not_arrived_before(shop: Shop, fen: int) -> None:
    """What is held again since it did not arrive lessens the loss; what nobody gave the buyer yet is sent again."""
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=JIXIAN, actor="clerk", reason="霜")
    shop.work()
    (made,) = shop.cashier.refunds_of(shop.remote_of(number))
    shop.cashier.fail_refund(made.remote_id)
    shop.work()
    assert refunds_of() == [("parcel", TOTAL, "failed")] and balances(number)["seller_held"] < 0
    send_back_there(shop, number, fen)
    all_arrives(shop)
    back = [each for each in refunds_of() if each[2] == "succeeded"]
    assert back[0] == ("elsewhere", fen, "succeeded") and sum(each[1] for each in back) == TOTAL and balances(number) == {}
    assert_sound(shop)


@pytest.mark.parametrize("fen", [TOTAL, 1000])
def test_16_of_an_order_that_is_lost_on_the_way_afterwards(shop: Shop, fen: int) -> None:
    """The station pays for it all the same, and its buyer gets what is left."""
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    on_its_way(parcel.public_id)
    send_back_there(shop, number, fen)
    all_arrives(shop)
    in_transaction(undelivered.lose, parcel=parcel.public_id, station=JIXIAN, actor="clerk", reason="车翻了")
    all_arrives(shop)
    assert sum(each[1] for each in refunds_of()) == TOTAL
    assert balances(number) == {"seller_payable": -3662, "station_payable": 3662}
    assert_sound(shop)


def test_16_of_an_order_and_then_it_does_not_arrive(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    before = balances(number)
    remote = send_back_there(shop, number, TOTAL)
    shop.work()
    shop.cashier.fail_refund(remote)
    shop.work()
    assert refunds_of() == [("elsewhere", TOTAL, "failed")] and balances(number) == before
    assert_sound(shop)


def test_3_its_event_comes_before_that_of_the_payment(shop: Shop) -> None:
    number = ordered(shop)
    shop.pay(number)
    send_back_there(shop, number, 1000)
    with a_minute_later(shop):
        shop.cashier.finish_refunds()
        (told,) = (each for each in webhooks(shop) if b"refund.updated" in each)
        assert bring(shop, told) == 200 and inbox.work()
        assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.UNMATCHED]
        assert refunds_of() == [] and balances(number) == {}
        shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=10), tick=False):
        shop.work()
        assert set(db.session.scalars(select(GatewayEvent.status))) == {EventStatus.DONE}
        assert refunds_of() == [("elsewhere", 1000, "succeeded")] and balances(number)["chargeback_loss"] == 1000
        assert_paid_once(shop, number)


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


def test_16_of_money_in_suspense_in_another_currency(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    number = ordered(shop)
    remote, honest = shop.remote_of(number), shop.cashier.fetch_payment
    monkeypatch.setattr(shop.cashier, "fetch_payment", lambda name: replace(honest(name), amount=Money(TOTAL, "USD")))
    shop.pay(number)
    shop.work()
    assert balances(number) == {"gateway_clearing": TOTAL, "suspense": -TOTAL}
    made = RemoteRefund("re_1", "", Money(1000, "USD"), RefundState.SUCCEEDED, "succeeded", "test", remote)
    told: Any = {"payment": shop.cashier.fetch_payment(remote), "gateway": "sandbox", "why": "?"}
    in_transaction(elsewhere.apply, remote=made, **told)
    assert balances(number) == {"gateway_clearing": TOTAL - 1000, "suspense": 1000 - TOTAL}
    rest = replace(made, remote_id="re_2", amount=Money(TOTAL - 1000, "USD"))
    in_transaction(elsewhere.apply, remote=rest, **told)
    assert balances(number) == {}


def test_16_of_a_second_payment_under_one_name_that_was_not_heard_of(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    before = balances(number)
    second = replace(shop.cashier.fetch_payment(shop.remote_of(number)), remote_id="pay_second")
    made = RemoteRefund("re_1", "", Money(TOTAL), RefundState.SUCCEEDED, "succeeded", "test", "pay_second")
    told: Any = {"remote": made, "payment": second, "gateway": "sandbox", "why": "?"}
    with pytest.raises(outcomes.Unmatched):
        in_transaction(elsewhere.apply, **told)
    assert balances(number) == before and refunds_of() == []
    in_transaction(outcomes.apply_payment, remote=second, gateway="sandbox", why="?")
    in_transaction(elsewhere.apply, **told)
    assert balances(number) == before and refunds_of() == [("elsewhere", TOTAL, "succeeded")]


def test_16_of_what_came_twice_and_neither_refund_of_it_arrives(shop: Shop) -> None:
    """Ours is overtaken, theirs fails: the money waits for a person, and is nobody's gain."""
    number = ordered(shop)
    first, second = second_attempt(shop, number)
    shop.cashier.decide(second, "succeeded")
    shop.work()
    shop.cashier.decide(first, "succeeded")
    while delivery.deliver(shop.cashier, shop.send) or inbox.work():
        pass
    remote = shop.cashier.refund(RefundRequest("", first, Money(TOTAL)), key="by hand").remote_id
    reconcile(shop)
    all_arrives(shop)
    assert refunds_of() == [("surplus", TOTAL, "failed"), ("elsewhere", TOTAL, "succeeded")]
    assert balances(number)["gateway_clearing"] == TOTAL and "chargeback_loss" not in balances(number)
    shop.cashier.fail_refund(remote)
    all_arrives(shop)
    found = balances(number)
    assert (found["suspense"], found.get("chargeback_loss", 0)) == (-TOTAL, 0)
    assert_sound(shop)
    in_transaction(suspense.send_back, payment=first, actor="person:1", why="?")
    all_arrives(shop)
    assert balances(number)["gateway_clearing"] == TOTAL and "suspense" not in balances(number)
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
