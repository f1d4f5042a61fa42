from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from marketplace.core import outbox
from marketplace.core.db import db, in_transaction, insert_or_ignore
from marketplace.core.idempotency import IdempotencyKey
from marketplace.core.outbox import OutboxRow
from marketplace.ledger.models import LedgerAccount

WHEN = datetime(2026, 10, 18, tzinfo=UTC)
WRITERS = 8


def topics() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxRow.topic).order_by(OutboxRow.topic)))


def test_everything_or_nothing(real_app: Flask) -> None:
    def fails_late(session: Session) -> None:
        outbox.put(session, "first")
        session.flush()
        raise LookupError

    with pytest.raises(LookupError):
        in_transaction(fails_late)

    assert topics() == []


def test_reading_first_and_writing_later_never_ends_in_a_locked_database(real_app: Flask) -> None:
    start = Barrier(WRITERS)

    def look_then_write(session: Session, name: str) -> None:
        session.scalars(select(OutboxRow)).all()
        outbox.put(session, name)

    def write(number: int) -> None:
        with real_app.app_context():
            db.session.scalars(select(OutboxRow)).all()  # as loading the visitor does
            start.wait()
            in_transaction(look_then_write, f"topic {number}")

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))

    assert topics() == [f"topic {number}" for number in range(WRITERS)]


def test_a_deadlock_is_run_again(real_app: Flask) -> None:
    for key in ("a", "b"):
        in_transaction(insert_or_ignore, IdempotencyKey, {"scope": "s", "key": key, "body_hash": "", "at": WHEN})
    meet, runs = Barrier(2), []

    def lock(session: Session, key: str) -> None:
        session.get_one(IdempotencyKey, ("s", key), with_for_update=True, populate_existing=True)

    def cross(session: Session, keys: str) -> None:
        runs.append(keys)
        lock(session, keys[0])
        if len(runs) <= 2 and session.get_bind().dialect.name == "postgresql":
            meet.wait(timeout=5)  # both hold one row now, and want the other's
        lock(session, keys[1])
        outbox.put(session, keys)

    def write(keys: str) -> None:
        with real_app.app_context():
            in_transaction(cross, keys)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ("ab", "ba")))

    assert topics() == ["ab", "ba"]
    assert len(runs) == (3 if db.engine.dialect.name == "postgresql" else 2)


def test_transactions_do_not_nest(real_app: Flask) -> None:
    with pytest.raises(RuntimeError, match="only the door opens it"):
        in_transaction(lambda session: in_transaction(outbox.put, "inner"))

    assert topics() == []


def test_a_command_may_not_commit(real_app: Flask) -> None:
    def impatient(session: Session) -> None:
        outbox.put(session, "first")
        session.commit()
        outbox.put(session, "second")

    with pytest.raises(InvalidRequestError):
        in_transaction(impatient)


def test_what_was_changed_outside_is_refused(real_app: Flask) -> None:
    db.session.add(OutboxRow(topic="outside", payload={}))

    with pytest.raises(RuntimeError, match="outside the transaction"):
        in_transaction(outbox.put, "inside")

    assert topics() == []


def test_inserting_what_is_there_changes_nothing(session: Session) -> None:
    account = {"kind": "suspense", "owner": "", "book": "test"}

    assert insert_or_ignore(session, LedgerAccount, account)
    assert not insert_or_ignore(session, LedgerAccount, account)

    assert len(session.scalars(select(LedgerAccount)).all()) == 1
