"""What a watcher is told."""

from datetime import timedelta

import pytest
from flask import Flask

from marketplace.core import clock, migrations, outbox
from marketplace.core.db import db, in_transaction


def test_a_process_that_lives_says_so_without_the_database(
    real_app: Flask, monkeypatch: pytest.MonkeyPatch, count_statements: object
) -> None:
    with count_statements() as sent:  # type: ignore[operator]
        answer = real_app.test_client().get("/healthz")
    assert (answer.status_code, answer.text, sent) == (200, "ok\n", [])
    assert answer.headers["Cache-Control"] == "no-store"


def test_ready_means_the_newest_schema(real_app: Flask) -> None:
    answer = real_app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"database": "ok", "schema": "no", "worker": "ok"}  # tests make tables without migrations


def test_ready(real_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "is_up_to_date", lambda _connection: True)
    answer = real_app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"database": "ok", "schema": "ok", "worker": "ok"})


def test_a_late_worker_is_told_but_pages_go_on(real_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "is_up_to_date", lambda _connection: True)
    in_transaction(outbox.put, "anything")
    monkeypatch.setattr(clock, "now", lambda now=clock.now: now() + timedelta(minutes=6))
    answer = real_app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"database": "ok", "schema": "ok", "worker": "no"})


def test_a_database_that_is_gone_is_named(real_app: Flask) -> None:
    db.metadata.drop_all(db.engine)
    answer = real_app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["database"] == "ok"
    assert answer.json["worker"] in {"OperationalError", "ProgrammingError"}
