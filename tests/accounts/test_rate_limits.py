import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from time import monotonic

import pytest
import time_machine
from flask import Flask, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import rate_limits
from marketplace.accounts.models import RateWindow
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import TooMany
from tests import peers

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def try_once(who: str = "guo", *, is_watched: bool = False) -> int:
    """Seconds to wait; 0 if it was allowed."""
    try:
        rate_limits.hit("password", who, limit=3, seconds=60, is_watched=is_watched)
    except TooMany as refusal:
        return refusal.retry_after
    return 0


def test_the_limit_holds_for_each_and_ends_with_its_window(app: Flask, noon: time_machine.Traveller) -> None:
    assert [try_once() for _try in range(4)] == [0, 0, 0, 60]
    assert try_once("li") == 0
    noon.shift(timedelta(seconds=20))
    assert try_once() == 40
    noon.shift(timedelta(seconds=40))
    assert [try_once() for _try in range(4)] == [0, 0, 0, 60]


def test_nobody_can_be_read_from_the_table(session: Session) -> None:
    try_once("13800002045")

    (key,) = session.scalars(select(RateWindow.key))
    assert key.startswith("password:") and "13800002045" not in key


def test_a_burst_is_written_down_once(session: Session, noon: time_machine.Traveller) -> None:
    for _try in range(6):
        try_once("13800002045", is_watched=True)

    record = session.scalars(select(AuditRecord)).one()
    assert (record.action, record.detail) == ("limit.reached", {"limit": 3, "seconds": 60})
    assert record.subject.startswith("password:") and "13800002045" not in record.subject


def test_tries_side_by_side_are_all_counted(real_app: Flask) -> None:
    start = Barrier(8)

    def one(_number: int) -> bool:
        with real_app.app_context():
            start.wait()
            return try_once() == 0

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [False] * 5 + [True] * 3


def test_windows_that_are_over_are_swept_away(session: Session, noon: time_machine.Traveller) -> None:
    try_once("guo")
    noon.shift(timedelta(seconds=30))
    try_once("li")
    noon.shift(timedelta(seconds=31))
    in_transaction(rate_limits.sweep)

    assert len(session.scalars(select(RateWindow.key)).all()) == 1


def test_redis_counts_the_same_way(app: Flask) -> None:
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, redis_url=peers.redis())
    try:
        waits = [try_once("redis") for _try in range(4)]
        assert waits[:3] == [0, 0, 0] and 1 <= waits[3] <= 61
    finally:
        app.extensions["settings"] = before
    assert not db.session.scalars(select(RateWindow)).all()


@pytest.mark.parametrize("is_there", [True, False])
def test_while_redis_does_not_answer_the_database_counts(app: Flask, is_there: bool) -> None:
    """Nobody listens there, or somebody who never says anything."""
    before, began = app.extensions["settings"], monotonic()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if is_there:
            silent.listen()
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        app.extensions["settings"] = replace(before, redis_url=url)
        try:
            waits = [try_once("redis is gone") for _try in range(4)]
        finally:
            app.extensions["settings"] = before
    assert waits[:3] == [0, 0, 0] and 1 <= waits[3] <= 60
    assert db.session.scalars(select(RateWindow.count)).one() == 4
    assert monotonic() - began < 6


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.8", "203.0.113.8"),
        ("nonsense", "nonsense"),
    ],
)
def test_one_household_counts_as_one(app: Flask, given: str, counted: str) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": given}):
        assert rate_limits.address() == counted


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.7")])
def test_only_trusted_proxies_are_believed(app: Flask, proxies: int, seen: str) -> None:
    from marketplace.app import trust_proxies

    fresh = Flask(__name__)
    trust_proxies(fresh, proxies)
    fresh.add_url_rule("/", "where", lambda: str(request.remote_addr))

    answer = fresh.test_client().get("/", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})

    assert answer.text == seen
