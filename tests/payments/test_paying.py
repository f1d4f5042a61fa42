from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.core.outbox import OutboxRow
from marketplace.payments import attempts, inbox, outcomes, sweeping
from marketplace.payments.gateways import OutcomeUnknown, RemotePayment
from marketplace.payments.models import Attempt, GatewayEvent
from marketplace.payments.sandbox import delivery
from marketplace.payments.states import AttemptState, EventStatus
from tests.payments.conftest import (
    ALLOCATED,
    CAPTURED,
    RETURN,
    Till,
    booked,
    state_of,
)


def test_a_payment_is_booked_once_however_often_it_is_told(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    till.work()
    till.work()

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED
    assert till.told == ["SX-7F3KQ2MD"]
    assert db.session.scalars(select(OutboxRow.topic)).all() == ["payment.succeeded"]


def test_the_same_webhook_five_times_at_once_has_one_effect(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    sent: list[tuple[bytes, str]] = []

    def overhear(_url: str, body: bytes, signature: str) -> int:
        sent.append((body, signature))
        return 200

    delivery.deliver(till.cashier, overhear)
    start = Barrier(5)

    def send(_number: int) -> int:
        start.wait()
        return till.send("", *sent[0])

    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(send, range(5))) == {200}
    till.work()

    assert booked() == CAPTURED | ALLOCATED
    assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.DONE]


def test_a_declined_payment_may_be_tried_again(till: Till) -> None:
    attempt = till.start()
    remote = till.pay(attempt, "failed")
    till.work()
    assert state_of(attempt) is AttemptState.FAILED and booked() == {}

    till.cashier.decide(remote, "succeeded")
    till.work()

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED


def test_one_attempt_at_a_time(till: Till) -> None:
    attempt = till.start()
    attempts.submit(attempt, return_url=RETURN, description="SX-7F3KQ2MD")

    with pytest.raises(attempts.AlreadyPaying) as refusal:
        till.start()

    assert refusal.value.attempt == attempt
    assert "/sandbox-cashier/pay/" in refusal.value.redirect_url


def test_what_is_paid_leads_nobody_to_the_cashier_again(till: Till) -> None:
    till.pay(till.start())
    till.work()

    with pytest.raises(attempts.AlreadyPaying) as refusal:
        till.start()

    assert (refusal.value.state, refusal.value.redirect_url) == (AttemptState.SUCCEEDED, "")


def test_a_failure_is_told_until_the_next_attempt(till: Till) -> None:
    def has_failed(purpose: str = "order", reference: str = "SX-7F3KQ2MD") -> bool:
        db.session.rollback()
        return attempts.last_failed(db.session(), purpose=purpose, reference=reference)

    assert not has_failed()
    till.pay(till.start(), "failed")
    till.work()
    assert has_failed() and not has_failed(reference="SX-4MR8TW6K") and not has_failed(purpose="gift")

    till.start()
    assert not has_failed()


def test_whoever_was_cancelled_meanwhile_is_not_led_to_the_cashier(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = till.start()
    really = till.cashier.start_payment

    def cancel_while_asked(*asked: Any, **key: Any) -> RemotePayment:
        attempts.cancel(attempt)
        return really(*asked, **key)

    monkeypatch.setattr(till.cashier, "start_payment", cancel_while_asked)

    assert attempts.submit(attempt, return_url=RETURN, description="SX-7F3KQ2MD") == RETURN
    assert till.cashier.fetch_payment(till.remote_of(attempt)).status is AttemptState.CANCELLED
    assert attempts.submit(attempt, return_url=RETURN, description="SX-7F3KQ2MD") == RETURN
    assert state_of(attempt) is AttemptState.CANCELLED


def test_two_tabs_open_one_attempt(till: Till) -> None:
    start = Barrier(4)

    def press(_number: int) -> str:
        with till.app.app_context():
            start.wait()
            try:
                return till.start()
            except attempts.AlreadyPaying as refusal:
                return f"is open: {refusal.attempt}"

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(press, range(4)))

    opened = db.session.scalars(select(Attempt.public_id)).one()
    assert answers == {opened, f"is open: {opened}"}


def test_a_lost_webhook_is_made_good_by_asking(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)

    with time_machine.travel(clock.now() + attempts.PATIENCE + timedelta(seconds=1), tick=False):
        while sweeping.ask_after_attempt():
            pass

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED


@pytest.mark.parametrize("failure", [OutcomeUnknown(), ConnectionError("reset"), TimeoutError()])
def test_a_lost_answer_never_charges_twice(till: Till, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    attempt = till.start()
    really = till.cashier.start_payment

    def swallow(*asked: Any, **key: Any) -> None:
        really(*asked, **key)
        raise failure

    monkeypatch.setattr(till.cashier, "start_payment", swallow)
    with pytest.raises(OutcomeUnknown):
        attempts.submit(attempt, return_url=RETURN, description="SX-7F3KQ2MD")
    assert state_of(attempt) is AttemptState.UNKNOWN
    monkeypatch.setattr(till.cashier, "start_payment", really)
    with pytest.raises(attempts.AlreadyPaying):
        till.start()

    attempts.submit(attempt, return_url=RETURN, description="SX-7F3KQ2MD")

    assert state_of(attempt) is AttemptState.REQUIRES_ACTION


def test_cancelling_asks_first_and_money_wins(till: Till) -> None:
    paid, unpaid = till.start("SX-A"), till.start("SX-B")
    till.pay(paid)
    attempts.submit(unpaid, return_url=RETURN, description="SX-B")

    assert attempts.cancel(paid) is AttemptState.SUCCEEDED
    assert attempts.cancel(unpaid) is AttemptState.CANCELLED
    assert attempts.cancel(till.start("SX-C")) is AttemptState.CANCELLED

    assert till.told == ["SX-A"]


@pytest.mark.parametrize("is_overdue", [False, True])
def test_killed_between_submitting_and_after_cancelling_it_still_comes_to_its_end(
    till: Till, monkeypatch: pytest.MonkeyPatch, is_overdue: bool
) -> None:
    """The gateway has made it and then cancelled it; we wrote down neither."""

    def die(*_given: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(outcomes, "apply_payment", die)
        attempt = till.start()
        with pytest.raises(KeyboardInterrupt):
            attempts.submit(attempt, return_url=RETURN, description="")
        with pytest.raises(KeyboardInterrupt):
            attempts.cancel(attempt, is_overdue=is_overdue)
    assert state_of(attempt) is AttemptState.SUBMITTING

    assert attempts.cancel(attempt, is_overdue=is_overdue) is (
        AttemptState.EXPIRED if is_overdue else AttemptState.CANCELLED
    )
    assert booked() == {}


def test_an_event_of_nobody_is_kept_and_tried_again(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    db.session.execute(Attempt.__table__.update().values(public_id="elsewhere"))  # type: ignore[attr-defined]
    db.session.commit()
    till.work()
    assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.UNMATCHED]

    db.session.execute(Attempt.__table__.update().values(public_id=attempt))  # type: ignore[attr-defined]
    db.session.commit()
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        till.work()

    assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.DONE]
    assert booked() == CAPTURED | ALLOCATED


def test_a_handler_that_fails_leaves_nothing_behind(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool:
        raise OSError("disk full")

    attempt = till.start()
    till.pay(attempt)
    monkeypatch.setitem(outcomes.on_succeeded, "order", fail)
    till.work()

    assert state_of(attempt) is AttemptState.REQUIRES_ACTION
    assert booked() == {}
    event = db.session.scalars(select(GatewayEvent)).one()
    assert (event.status, event.tries) == (EventStatus.RECEIVED, 1)


def test_webhook_and_sweeper_at_once_book_once(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    till.deliver()
    start = Barrier(2)

    def run(work: Any) -> None:
        with till.app.app_context():
            start.wait()
            work()

    def sweep() -> None:
        remote = till.cashier.find_payment(attempt)
        assert remote
        in_transaction(outcomes.apply_payment, remote=remote, gateway="sandbox", why="swept")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, (inbox.work, sweep)))
    till.work()

    assert booked() == CAPTURED | ALLOCATED
