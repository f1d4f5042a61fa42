"""What a watcher is told."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.app import create_app
from marketplace.core import clock, migrations, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import load_settings
from tests.databases import close


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


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[FlaskClient]:
    """The application before a database that takes calls and never says a word."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        url = f"postgresql+psycopg://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        app = create_app(load_settings(app_env="test", database_url=url, data=tmp_path), TESTING=True)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        yield app.test_client()
        close(app)


@pytest.mark.parametrize("who", ["stranger", "member"])
def test_a_database_that_never_answers_leaves_the_pulse_alone(frozen: FlaskClient, who: str) -> None:
    if who == "member":
        with frozen.session_transaction() as cookie:
            cookie["token"] = "somebody's"
    began = time.monotonic()
    answer = frozen.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert time.monotonic() - began < 1


@pytest.mark.full  # it waits for ten seconds
def test_a_database_that_never_answers_is_waited_for_a_moment_only(frozen: FlaskClient) -> None:
    frozen.set_cookie("cart", "somebody's")
    began = time.monotonic()

    page, ready = frozen.get("/"), frozen.get("/readyz")

    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "这会儿有点忙" in page.text and page.mimetype == "text/html"
    assert (ready.status_code, ready.json and ready.json["database"]) == (503, "OperationalError")
    assert time.monotonic() - began < 20  # three seconds for each question


def test_a_database_that_is_gone_is_named(real_app: Flask) -> None:
    db.metadata.drop_all(db.engine)
    answer = real_app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["database"] == "ok"
    assert answer.json["worker"] in {"OperationalError", "ProgrammingError"}
