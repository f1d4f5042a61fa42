"""Faults 4 to 8, 11 to 18, 20, 21, 23 and 26 of docs/faults.md, each on a whole order or gift.

After each: charged once, one effect, the trial balance zero, the audit silent, reconciliation clean. Faults 9 and 10 (kill
-9) are in test_kill.py, the simulation kills at every commit; 1 to 3, 24 and 25 in test_reconciling.py; 27, settings that
refuse to start, in test_mixed_up.py and tests/core/test_settings.py. What of 16 was refunded elsewhere is in
test_made_elsewhere.py, 19 in test_taking_back.py; 22, and 21 with a matching fund, in test_matching.py."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from crowdfund.campaigns import lifecycle
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.core.outbox import OutboxRow
from marketplace.ledger.models import Line
from marketplace.orders import paying, refunding
from marketplace.orders.states import OrderState
from marketplace.payments import attempts, inbox, refunds, signatures, sweeping
from marketplace.payments.gateways import OutcomeUnknown, RateLimited
from marketplace.payments.models import Attempt, GatewayEvent, Refund
from marketplace.payments.reconciliation import running
from marketplace.payments.sandbox import storage
from marketplace.payments.states import AttemptState, EventStatus, RefundState
from tests.campaigns.conftest import Fund, fund
from tests.campaigns.test_receiving import differences as faults_of_giving
from tests.orders.conftest import JIXIAN, Shop, balances, differences, get, parcels, post, shop

__all__ = ["fund", "shop"]

TOTAL = 3980 + 600


def ordered(shop: Shop) -> str:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    return shop.order(buyer)


def attempt_of(number: str) -> Attempt:
    db.session.rollback()
    return db.session.scalars(select(Attempt).where(Attempt.reference == number).order_by(Attempt.id)).first()  # type: ignore[return-value]


def charges(shop: Shop) -> int:
    with shop.cashier.storage.connect() as connection:
        made = select(func.count()).select_from(storage.payment).where(storage.payment.c.status == "succeeded")
        return int(connection.scalar(made) or 0)


def effects(number: str) -> int:
    """How often the order was told to have been paid."""
    db.session.rollback()
    rows = db.session.scalars(select(OutboxRow.payload).where(OutboxRow.topic == "order.paid")).all()
    return sum(payload["number"] == number for payload in rows)


def assert_sound(shop: Shop) -> None:
    standing = running.reconcile(shop.cashier, actor="test", whole=True)
    db.session.rollback()
    assert not db.session.scalar(select(func.sum(Line.amount)))
    assert not standing.is_red
    assert differences(shop) == []


def assert_paid_once(shop: Shop, number: str, charged: int = 1) -> None:
    assert get(number).state is OrderState.PAID
    assert (charges(shop), effects(number)) == (charged, 1)
    assert_sound(shop)


def webhooks(shop: Shop) -> list[bytes]:
    with shop.cashier.storage.connect() as connection:
        return [body.encode() for body in connection.scalars(select(storage.webhook.c.body))]


def bring(shop: Shop, body: bytes, secret: str = "", at: timedelta = timedelta()) -> int:
    signed = signatures.sign(body, secret or shop.cashier.secret, at=clock.now() + at)
    return shop.send("", body, signed)


def kept() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(GatewayEvent)) or 0


def test_4_an_event_before_our_commit_is_kept_and_applied(shop: Shop) -> None:
    number = ordered(shop)
    shop.pay(number)
    ours = attempt_of(number).public_id
    db.session.execute(update(Attempt).values(public_id="not-committed-yet"))
    db.session.commit()
    shop.work()
    assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.UNMATCHED]
    db.session.execute(update(Attempt).values(public_id=ours))
    db.session.commit()
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        while inbox.work():
            pass
        assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.DONE]
        assert_paid_once(shop, number)


def test_5_forged_events_are_refused_and_not_kept(shop: Shop) -> None:
    number = ordered(shop)
    shop.pay(number)
    (body,) = webhooks(shop)
    right = signatures.sign(body, shop.cashier.secret, at=clock.now())
    assert bring(shop, body, secret="whsec_of_somebody_else") == 400
    assert shop.send("", body[:-1] + b" ", right) == 400
    assert shop.send("", body, "") == 400
    assert shop.send("", body, right.replace("v1=", "v0=")) == 400
    assert shop.send("", json.dumps(json.loads(body), indent=1).encode(), right) == 400
    assert (kept(), get(number).state) == (0, OrderState.PENDING_PAYMENT)
    shop.work()
    assert_paid_once(shop, number)


def test_6_old_and_future_ones_are_refused_and_a_copy_changes_nothing(shop: Shop) -> None:
    number = ordered(shop)
    shop.pay(number)
    (body,) = webhooks(shop)
    assert bring(shop, body, at=-timedelta(seconds=301)) == 400
    assert bring(shop, body, at=timedelta(hours=1)) == 400
    assert kept() == 0
    assert bring(shop, body) == 200
    with time_machine.travel(clock.now() + timedelta(seconds=10), tick=False):
        assert bring(shop, body) == 200
    shop.work()
    assert kept() == 1
    assert_paid_once(shop, number)


def test_7_a_secret_that_is_being_replaced_counts_as_long_as_it_is_known(shop: Shop) -> None:
    number = ordered(shop)
    shop.pay(number)
    (body,) = webhooks(shop)
    both = signatures.sign(body, "whsec_new", at=clock.now()) + signatures.sign(
        body, shop.cashier.secret, at=clock.now()
    ).replace("t=", ",x=", 1)
    assert shop.send("", body, both) == 200
    assert bring(shop, body, secret="whsec_new") == 400
    shop.work()
    assert_paid_once(shop, number)


def test_8_an_answer_that_was_lost_charges_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    really = shop.cashier.start_payment

    def swallow(*asked: Any, **key: Any) -> None:
        really(*asked, **key)
        raise TimeoutError

    monkeypatch.setattr(shop.cashier, "start_payment", swallow)
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    number = shop.order(buyer)
    assert attempt_of(number).state is AttemptState.UNKNOWN
    monkeypatch.undo()
    assert post(buyer, f"/orders/{number}/payment", {}).status_code == 303
    shop.pay(number)
    shop.work()
    assert_paid_once(shop, number)


def test_11_an_attempt_of_which_nobody_answered_is_looked_for_after_a_day(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = shop.cashier.start_payment

    def swallow(*asked: Any, **key: Any) -> None:
        really(*asked, **key)
        raise TimeoutError

    monkeypatch.setattr(shop.cashier, "start_payment", swallow)
    number = ordered(shop)
    monkeypatch.setattr(shop.cashier, "start_payment", lambda *_asked, **_key: pytest.fail("asked again with an old key"))
    with time_machine.travel(clock.now() + timedelta(hours=25), tick=False):
        while sweeping.ask_after_attempt():
            pass
        assert attempt_of(number).remote_id is not None  # found by our own name
        assert charges(shop) == 0
        assert_sound(shop)


def test_12_two_tabs_pay_one_order(shop: Shop) -> None:
    number = ordered(shop)

    def press(_tab: int) -> int:
        with shop.app.app_context():
            return shop.pay(number).status_code

    with ThreadPoolExecutor(4) as tabs:
        assert list(tabs.map(press, range(4))) == [303] * 4
    shop.work()
    assert len(db.session.scalars(select(Attempt.id)).all()) == 1
    assert_paid_once(shop, number)


def second_attempt(shop: Shop, number: str) -> tuple[str, str]:
    """The payments of an attempt that was declined, and of the one after it; both can still be pressed."""
    shop.pay(number, "decline")
    shop.work()
    first = shop.remote_of(number)
    attempt = in_transaction(paying.pay_again, number=number)
    attempts.submit(attempt, return_url=f"/orders/{number}", description=number)
    return first, shop.remote_of(number)


def test_13_the_second_of_two_payments_goes_back_by_itself(shop: Shop) -> None:
    number = ordered(shop)
    first, second = second_attempt(shop, number)
    for remote in (second, first):
        shop.cashier.decide(remote, "succeeded")
        shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
        assert balances(number)["gateway_clearing"] == TOTAL
        assert db.session.scalars(select(Refund.state)).all() == [RefundState.SUCCEEDED]
        assert_paid_once(shop, number, charged=2)


def test_14_a_late_failure_of_the_first_changes_nothing_of_the_second(shop: Shop) -> None:
    number = ordered(shop)
    first, second = second_attempt(shop, number)
    shop.cashier.decide(second, "succeeded")
    shop.work()
    shop.cashier.decide(first, "failed")
    shop.work()
    assert_paid_once(shop, number)


def test_15_expiry_asks_the_gateway_first_and_money_wins(shop: Shop) -> None:
    number = ordered(shop)
    shop.pay(number)  # its webhook is on its way when the time is over
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        paying.expire(number=number)
        assert get(number).state is OrderState.PAID
        shop.work()
        assert_paid_once(shop, number)


def test_16_two_refunds_of_the_same_at_once_give_it_back_once(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=3)
    (parcel,) = parcels(number)
    told: dict[str, Any] = {"units": {parcel.lines[0].public_id: 2}, "with_shipping": False, "reason": "?", "actor": "c"}

    def ask(_who: int) -> bool:
        with shop.app.app_context(), suppress(Refusal):
            in_transaction(refunding.refund_units, parcel=parcel.public_id, station=JIXIAN, **told)
            return True
        return False

    with ThreadPoolExecutor(2) as clerks:
        assert sorted(clerks.map(ask, range(2))) == [False, True]
    shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
        assert db.session.scalars(select(Refund.fen)).all() == [2 * 3980]
        assert_paid_once(shop, number)


def test_17_a_refund_that_comes_back_is_owed_again_and_left_to_people(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=2)
    (parcel,) = parcels(number)
    before = balances(number)
    told: dict[str, Any] = {"units": {parcel.lines[0].public_id: 1}, "with_shipping": False, "reason": "?", "actor": "c"}
    in_transaction(refunding.refund_units, parcel=parcel.public_id, station=JIXIAN, **told)
    shop.work()
    shop.cashier.fail_refund(str(db.session.scalars(select(Refund.remote_id)).one()))
    shop.work()
    assert balances(number) == before
    assert db.session.scalars(select(Refund.state)).all() == [RefundState.FAILED]
    assert_paid_once(shop, number)


@pytest.mark.parametrize("wrong", [{"amount": TOTAL + 1}, {"amount": TOTAL * 100}, {"currency": "USD"}])
def test_18_money_that_is_not_what_we_asked_for_waits_in_suspense(shop: Shop, wrong: dict[str, Any]) -> None:
    number = ordered(shop)
    remote = shop.remote_of(number)
    with shop.cashier.writing() as connection:
        connection.execute(storage.payment.update().where(storage.payment.c.id == remote).values(**wrong))
    shop.pay(number)
    shop.work()
    assert (get(number).state, effects(number)) == (OrderState.PENDING_PAYMENT, 0)
    assert attempt_of(number).state is AttemptState.QUARANTINE
    came = wrong.get("amount", TOTAL)
    assert balances(number) == {"gateway_clearing": came, "suspense": -came}
    assert_sound(shop)


def test_20_a_dispute_is_booked_by_what_moved(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    asked = shop.cashier.open_dispute(shop.remote_of(number), is_inquiry=True)
    shop.cashier.decide_dispute(asked, is_won=True)
    shop.work()
    assert balances(number)["gateway_clearing"] == TOTAL
    taken = shop.cashier.open_dispute(shop.remote_of(number))
    shop.work()
    shop.cashier.decide_dispute(taken, is_won=False)
    shop.work()
    assert balances(number)["chargeback_loss"] == TOTAL
    assert_paid_once(shop, number)


def test_21_a_gift_whose_campaign_is_called_off_meanwhile_goes_back(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.begin(campaign, 660)
    fund.pay(gift)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="frost")
    fund.work()
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        fund.cashier.finish_refunds()
        fund.work()
        assert fund.balance(campaign) == 0
        assert db.session.scalars(select(Refund.state)).all() == [RefundState.SUCCEEDED]
        assert not running.reconcile(fund.cashier, actor="test", whole=True).is_red
        db.session.rollback()
        assert faults_of_giving(fund) == [] and not db.session.scalar(select(func.sum(Line.amount)))


@pytest.mark.parametrize("storm", [RateLimited("slow down"), OutcomeUnknown("500"), ConnectionError("down")])
def test_23_while_the_gateway_is_down_the_shop_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, storm: Exception
) -> None:
    def fail(*_asked: Any, **_key: Any) -> None:
        raise storm

    for name in ("start_payment", "fetch_payment", "find_payment", "cancel_payment"):
        monkeypatch.setattr(shop.cashier, name, fail)
    buyer = shop.browser()
    assert buyer.get("/").status_code == 200
    shop.fill(buyer, apples=1)
    assert buyer.get("/cart").status_code == 200
    number = shop.order(buyer)
    assert buyer.get(f"/orders/{number}").status_code == 200
    assert attempt_of(number).state in {AttemptState.UNKNOWN, AttemptState.SUBMITTING, AttemptState.CREATED}
    monkeypatch.undo()
    post(buyer, f"/orders/{number}/payment", {})
    shop.pay(number)
    shop.work()
    assert_paid_once(shop, number)


@pytest.mark.parametrize("skew", [timedelta(minutes=10), -timedelta(minutes=10)])
def test_26_a_worker_whose_clock_is_wrong(shop: Shop, skew: timedelta) -> None:
    number = ordered(shop)
    shop.pay(number)
    with time_machine.travel(clock.now() + skew, tick=False):
        while inbox.work() or sweeping.ask_after_attempt():
            pass
    shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        shop.work()
        assert_paid_once(shop, number)


def test_26_what_cannot_be_kept_is_asked_for_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    number = ordered(shop)
    shop.pay(number)
    (body,) = webhooks(shop)

    def full(*_given: Any, **_more: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("disk is full"))

    monkeypatch.setattr(inbox, "store", full)
    assert bring(shop, body) == 503
    monkeypatch.undo()
    shop.work()
    assert_paid_once(shop, number)


def test_more_than_was_paid_never_goes_back_whatever_was_asked(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    seller = ("seller_held", parcel.lines[0].seller_public_id)
    given: dict[str, Any] = {"purpose": "order", "reference": number, "reason": "?"}
    given |= {"reason_key": "x", "amount": Money(TOTAL + 1), "shares": {seller: Money(TOTAL + 1)}}
    with pytest.raises(refunds.RefundTooLarge):
        in_transaction(refunds.request, **given)
    assert_paid_once(shop, number)
