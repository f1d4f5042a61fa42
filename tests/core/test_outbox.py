from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.outbox import OutboxRow

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the only listener was told."""
    told: list[Any] = []
    monkeypatch.setattr(outbox, "listeners", {"news": [lambda **payload: told.append(payload)]})
    monkeypatch.setattr(outbox, "collectors", {})
    yield told


def undelivered() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(OutboxRow.id).where(~OutboxRow.is_done)).all())


def test_what_is_put_is_delivered_once(real_app: Flask, heard: list[Any]) -> None:
    in_transaction(outbox.put, "news", what="frost")

    assert outbox.deliver()
    assert not outbox.deliver()

    assert heard == [{"what": "frost"}]
    assert undelivered() == 0


def test_what_fails_comes_again_later_each_time(real_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[datetime] = []

    def fail(**_payload: Any) -> None:
        tried.append(datetime.now(UTC))
        raise OSError("no network")

    monkeypatch.setattr(outbox, "listeners", {"news": [fail]})
    with time_machine.travel(NOON, tick=False) as clock:
        in_transaction(outbox.put, "news")
        for _second in range(200):
            outbox.deliver()
            clock.shift(timedelta(seconds=1))

    assert [int((moment - NOON).total_seconds()) for moment in tried] == [0, 20, 60, 140]
    assert undelivered() == 1


def test_one_that_fails_does_not_hold_up_the_others(
    real_app: Flask, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_payload: Any) -> None:
        raise OSError("no network")

    outbox.listeners["bad"] = [fail]
    in_transaction(outbox.put, "bad")
    in_transaction(outbox.put, "news", what="frost")

    outbox.deliver()

    assert heard == [{"what": "frost"}]
    assert undelivered() == 1


def test_what_is_due_later_waits(real_app: Flask, heard: list[Any]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        in_transaction(outbox.put, "news", after=timedelta(minutes=15))
        assert not outbox.deliver()
        clock.shift(timedelta(minutes=15))
        assert outbox.deliver()

    assert heard == [{}]


def test_a_collector_gets_a_batch_at_once(real_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[list[dict[str, Any]]] = []
    monkeypatch.setattr(outbox, "collectors", {"news": batches.append})
    for what in ("frost", "harvest"):
        in_transaction(outbox.put, "news", what=what)

    outbox.deliver()

    assert batches == [[{"what": "frost"}, {"what": "harvest"}]]
    assert undelivered() == 0


def test_many_workers_deliver_each_row_once(real_app: Flask, heard: list[Any]) -> None:
    for number in range(120):
        in_transaction(outbox.put, "news", number=number)

    def work(_worker: int) -> None:
        with real_app.app_context():
            while outbox.deliver():
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert sorted(row["number"] for row in heard) == list(range(120))
    assert undelivered() == 0


def test_a_worker_that_died_loses_only_its_lease(real_app: Flask, heard: list[Any]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        in_transaction(outbox.put, "news")
        assert (
            len(in_transaction(outbox.take_effects, outbox.due(OutboxRow, ~OutboxRow.is_done), 1)) == 1
        )  # and the process is gone
        assert not outbox.deliver()
        clock.shift(outbox.FIRST_LEASE)
        assert outbox.deliver()

    assert heard == [{}]


def test_only_old_delivered_rows_are_swept(real_app: Flask, heard: list[Any]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        in_transaction(outbox.put, "news")
        outbox.deliver()
        in_transaction(outbox.put, "news", after=timedelta(days=9))
        clock.shift(timedelta(days=8))
        in_transaction(outbox.sweep, before=NOON + timedelta(days=1))

    assert undelivered() == 1
    assert len(db.session.scalars(select(OutboxRow)).all()) == 1
