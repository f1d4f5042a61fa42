"""Faults 1, 2, 3, 24 and 25 of docs/faults.md: what is lost, doubled, early or unknown, and reconciling at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from marketplace.core import clock, page_cache
from marketplace.core.db import db
from marketplace.core.outbox import OutboxRow
from marketplace.ledger.models import Entry, Line
from marketplace.payments import attempts, inbox, signatures
from marketplace.payments.models import GatewayEvent
from marketplace.payments.reconciliation import running
from marketplace.payments.reconciliation.models import GatewayMovement
from marketplace.payments.reconciliation.proof import Standing
from marketplace.payments.sandbox import book_keeping, storage
from marketplace.payments.states import AttemptState, EventStatus
from tests.payments.conftest import ALLOCATED, CAPTURED, RETURN, Till, booked, quick_till, state_of, till

__all__ = ["quick_till", "till"]

AT_ONCE = 4


def reconcile(till: Till) -> Standing:
    db.session.rollback()
    return running.reconcile(till.cashier, actor="test")


def is_clean(till: Till) -> bool:
    """The trial balance is zero, and a whole reconciliation finds nothing."""
    standing = running.reconcile(till.cashier, actor="test", whole=True)
    db.session.rollback()
    return not standing.is_red and not db.session.scalar(select(func.sum(Line.amount)))


def number_of(kind: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


def notes() -> int:
    """What waits for the worker, beside pages that are made anew."""
    db.session.rollback()
    others = select(func.count()).select_from(OutboxRow).where(OutboxRow.topic != page_cache.TOPIC)
    return db.session.scalar(others) or 0


def test_1_a_webhook_that_is_lost_for_good(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    with till.cashier.writing() as connection:
        connection.execute(storage.webhook.update().values(is_delivered=True))  # says the network

    reconcile(till)
    till.work()

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert till.told == ["SX-7F3KQ2MD"] and booked() == CAPTURED | ALLOCATED
    assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.DONE]  # read again, and nothing to do
    assert is_clean(till)


def test_2_the_same_event_five_times_at_once(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    with till.cashier.storage.connect() as connection:
        body = str(connection.scalar(select(storage.webhook.c.body))).encode()
    start = Barrier(5)

    def send(_number: int) -> int:
        start.wait()
        return till.send("", body, signatures.sign(body, till.cashier.secret, at=clock.now()))

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(send, range(5))) == [200] * 5
    till.work()

    assert number_of(GatewayEvent) == 1
    assert till.told == ["SX-7F3KQ2MD"] and booked() == CAPTURED | ALLOCATED
    assert is_clean(till)


def test_3_what_comes_in_the_wrong_order(quick_till: Till) -> None:
    """Of the payment before that of the try that was declined."""
    attempt = quick_till.start()
    attempts.submit(attempt, return_url=RETURN, description="SX-7F3KQ2MD")
    remote = quick_till.remote_of(attempt)
    quick_till.cashier.decide(remote, "failed")
    quick_till.cashier.decide(remote, "succeeded")
    with quick_till.cashier.storage.connect() as connection:
        events = connection.scalars(select(storage.webhook.c.body).order_by(storage.webhook.c.made_at.desc())).all()
    for event in events:
        body = event.encode()
        assert quick_till.send("", body, signatures.sign(body, quick_till.cashier.secret, at=clock.now())) == 200
        inbox.work()  # each is dealt with before the next one comes

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert quick_till.told == ["SX-7F3KQ2MD"] and booked() == CAPTURED | ALLOCATED
    assert is_clean(quick_till)


def test_24_reconciled_twice_and_by_several_at_once(till: Till) -> None:
    for number in range(6):
        till.pay(till.start(f"SX-{number}", 1000 + number))
    till.work()
    mails = notes()
    start = Barrier(AT_ONCE)

    def one(_number: int) -> bool:
        with till.app.app_context():
            start.wait()
            return running.reconcile(till.cashier, actor="test").is_red

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert list(pool.map(one, range(AT_ONCE))) == [False] * AT_ONCE
    reconcile(till)

    assert number_of(GatewayMovement) == 6
    fees = select(func.count()).select_from(Entry).where(Entry.kind == "gwfee")
    assert db.session.scalar(fees) == 6
    assert notes() == mails
    assert is_clean(till)


def test_24_a_payment_while_the_pages_are_read(quick_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page ends where a new movement comes in: none is read twice or left out."""
    monkeypatch.setattr(book_keeping, "PAGE", 2)
    monkeypatch.setattr(running, "PAGE", 2)
    for number in range(4):
        quick_till.pay(quick_till.start(f"SX-{number}", 1000))
    quick_till.work()
    honest, late = quick_till.cashier.movements, iter(range(3))

    def movements(since: Any) -> Any:
        for movement in honest(since):
            yield movement
            if next(late, None) is not None:
                quick_till.pay(quick_till.start(f"SX-LATE{movement.remote_id}", 1000))

    monkeypatch.setattr(quick_till.cashier, "movements", movements)
    reconcile(quick_till)

    assert number_of(GatewayMovement) == 7
    assert is_clean(quick_till)


def test_24_interrupted_it_goes_on(quick_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        quick_till.pay(quick_till.start(f"SX-{number}", 1000))
    quick_till.work()
    monkeypatch.setattr(running, "PAGE", 1)

    def pull_the_plug(words: str) -> None:
        if words.startswith("2 movements read"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.reconcile(quick_till.cashier, actor="test", tell=pull_the_plug)
    assert number_of(GatewayMovement) == 2

    assert not reconcile(quick_till).is_red
    assert number_of(GatewayMovement) == 4 and is_clean(quick_till)


def test_25_an_event_of_a_type_that_nobody_knows(quick_till: Till, caplog: pytest.LogCaptureFixture) -> None:
    odd = {"id": "evt_odd", "object": "event", "type": "moon.risen", "livemode": False}
    body = json.dumps(odd | {"data": {"object": {"id": "moon", "object": "moon"}}}).encode()
    assert quick_till.send("", body, signatures.sign(body, quick_till.cashier.secret, at=clock.now())) == 200

    quick_till.work()

    assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.IGNORED]
    assert "of a type we do not know: moon.risen" in caplog.text
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        assert is_clean(quick_till)
