"""Connections of the pool to PostgreSQL: not asked whether they live, and yet never handed out dead."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text

from marketplace.core import silence
from marketplace.core.db import db, engine_options, prepare
from marketplace.core.silence import is_silent


@pytest.fixture
def engine(real_app: Flask) -> Engine:
    url = db.engine.url.render_as_string(hide_password=False)
    if not url.startswith("postgresql"):
        pytest.skip("SQLite has no server")
    made = create_engine(url, **engine_options(url))
    prepare(made)
    return made


def backend_of(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def test_a_silent_connection_is_handed_out_without_a_question(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = backend_of(engine)
    asked: list[bool] = []

    def note(connection: Any) -> bool:
        asked.append(not is_silent(connection))
        return not asked[-1]

    monkeypatch.setattr(silence, "is_silent", note)
    assert [backend_of(engine) for _each in range(3)] == [first] * 3
    assert asked == [False] * 3
    engine.dispose()


def test_one_that_the_server_has_ended_is_replaced_before_anybody_notices(engine: Engine) -> None:
    ended = backend_of(engine)
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": ended})
    assert backend_of(engine) != ended
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
