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
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments import attempts, inbox, outcomes, sweeping
from marketplace.payments.gateways import OutcomeUnknown
from marketplace.payments.models import Attempt, GatewayEvent, Refund
from marketplace.payments.sandbox import delivery
from marketplace.payments.sandbox.cashier import REFUND_TAKES
from marketplace.payments.states import AttemptState, EventStatus, RefundState
from tests.payments.conftest import RETURN, Till

CAPTURED = {("capture", "gateway_clearing:sandbox"): 3980, ("capture", "buyer_clearing:"): -3980}
ALLOCATED = {("allocate", "buyer_clearing:"): 3980, ("allocate", "seller_held:s1"): -3980}


def booked() -> dict[tuple[str, str], int]:
    db.session.rollback()
    rows = select(Entry.kind, LedgerAccount.kind, LedgerAccount.owner, Line.amount)
    rows = rows.join(Line, Line.entry_id == Entry.id).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    found = db.session.execute(rows).all()
    assert len({(kind, f"{account}:{owner}") for kind, account, owner, _fen in found}) == len(found), "booked twice"
    return {(kind, f"{account}:{owner}"): fen for kind, account, owner, fen in found}


def state_of(attempt: str) -> AttemptState:
    db.session.rollback()
    return db.session.scalars(select(Attempt.state).where(Attempt.public_id == attempt)).one()


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


def test_money_nobody_can_use_goes_back_by_itself(till: Till) -> None:
    till.uses_money = False
    attempt = till.start()
    till.pay(attempt)
    till.work()
    with time_machine.travel(clock.now() + REFUND_TAKES + timedelta(minutes=1), tick=False):
        till.cashier.finish_refunds()
        till.work()

    assert till.told == []
    assert booked() == CAPTURED | {
        ("surplus", "buyer_clearing:"): 3980,
        ("surplus", "suspense:"): -3980,
        ("refund", "suspense:"): 3980,
        ("refund", "refund_in_transit:"): -3980,
        ("refund_done", "refund_in_transit:"): 3980,
        ("refund_done", "gateway_clearing:sandbox"): -3980,
    }
    assert db.session.scalars(select(Refund.state)).all() == [RefundState.SUCCEEDED]


def test_a_second_payment_of_the_same_order_is_surplus(till: Till) -> None:
    first = till.start()
    till.pay(first, "failed")
    till.work()
    second = till.start()
    till.pay(second)
    till.work()
    first_remote = till.cashier.find_payment(first)
    assert first_remote
    till.cashier.decide(first_remote.remote_id, "succeeded")  # an old tab
    till.work()

    assert till.told == ["SX-7F3KQ2MD"]
    surplus = db.session.scalars(select(Attempt).where(Attempt.is_surplus)).one()
    assert (surplus.public_id, surplus.state) == (first, AttemptState.SUCCEEDED)
    assert db.session.scalars(select(Refund.fen)).all() == [3980]


def test_a_lost_webhook_is_made_good_by_asking(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)

    with time_machine.travel(clock.now() + attempts.PATIENCE + timedelta(seconds=1), tick=False):
        while sweeping.ask_after_attempt():
            pass

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED


def test_a_lost_answer_never_charges_twice(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = till.start()
    really = till.cashier.start_payment

    def swallow(*asked: Any, **key: Any) -> None:
        really(*asked, **key)
        raise OutcomeUnknown

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


def test_money_that_is_not_what_we_asked_for_waits_in_suspense(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = till.start()
    till.pay(attempt)
    db.session.execute(Attempt.__table__.update().values(fen=3981))  # type: ignore[attr-defined]
    db.session.commit()
    till.work()

    assert state_of(attempt) is AttemptState.QUARANTINE
    assert till.told == []
    assert booked() == {("suspense", "gateway_clearing:sandbox"): 3980, ("suspense", "suspense:"): -3980}


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
