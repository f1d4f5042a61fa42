from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import idempotency, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.idempotency import IdempotencyKey, KeyReused
from marketplace.core.outbox import OutboxRow

BODY = {"variant": "P0001-1", "quantity": 2}


def count(kind: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


def place(session: Session, *, number: str = "SX-1") -> str:
    outbox.put(session, "placed")
    return number


def once(body: dict[str, object] = BODY, scope: str = "person:1", **given: str) -> str:
    return in_transaction(idempotency.once, place, idempotency=(scope, "key", body), **given)


def test_the_same_form_twice_has_one_effect_and_one_answer(real_app: Flask) -> None:
    assert once(number="SX-1") == "SX-1"
    assert once(number="SX-2") == "SX-1"

    assert count(OutboxRow) == 1


def test_the_same_key_with_another_body_is_refused(real_app: Flask) -> None:
    once()

    with pytest.raises(KeyReused) as refusal:
        once({**BODY, "quantity": 3})

    assert refusal.value.status == 409
    assert count(OutboxRow) == 1


def test_another_person_may_have_the_same_key(real_app: Flask) -> None:
    once(scope="person:1")
    once(scope="person:2")

    assert count(OutboxRow) == 2


def test_a_refusal_is_not_stored(real_app: Flask) -> None:
    def refuse(session: Session) -> str:
        raise NotFound

    with pytest.raises(NotFound):
        in_transaction(idempotency.once, refuse, idempotency=("person:1", "key", BODY))

    assert count(IdempotencyKey) == 0
    assert once() == "SX-1"


def test_ten_at_once_have_one_effect(real_app: Flask) -> None:
    start = Barrier(10)

    def send(number: int) -> str:
        with real_app.app_context():
            start.wait()
            return once(number=f"SX-{number}")

    with ThreadPoolExecutor(10) as pool:
        answers = set(pool.map(send, range(10)))

    assert len(answers) == 1
    assert count(OutboxRow) == 1
