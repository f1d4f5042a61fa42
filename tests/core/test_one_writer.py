"""SQLite has one writer: whoever wants to be the next looks often, and not for ever."""

import shutil
from pathlib import Path
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from marketplace.core import db
from marketplace.core.db import asks_to_retry, carry_over, engine_options, prepare
from tests.factories import make_person


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    engine = create_engine(url, **engine_options(url)).execution_options(sqlite_begin="IMMEDIATE")
    prepare(engine)
    return engine


def test_the_second_writes_when_the_first_is_done(engine: Engine) -> None:
    is_writing, done = Event(), list[str]()

    def write_first() -> None:
        with engine.begin() as connection:
            is_writing.set()
            connection.exec_driver_sql("CREATE TABLE first (id INTEGER)")
            Event().wait(0.1)
            done.append("first")

    thread = Thread(target=write_first)
    thread.start()
    is_writing.wait(10)
    with engine.begin() as connection:
        done.append("second")
        connection.exec_driver_sql("INSERT INTO first VALUES (1)")
        patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    thread.join()

    assert done == ["first", "second"]
    assert patience == db.MILLISECONDS_FOR_A_LOCK


def test_whoever_waits_too_long_is_told_to_come_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "MILLISECONDS_FOR_A_LOCK", 20)

    with engine.begin(), pytest.raises(OperationalError, match="locked") as refused, engine.begin():
        pass

    assert asks_to_retry(refused.value)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_the_worker_brings_the_journal_into_the_database(real_app: Flask, tmp_path: Path) -> None:
    make_person()

    carry_over()

    url = db.db.engine.url
    if url.get_backend_name() == "sqlite":  # the file alone, without the journal beside it
        copy = create_engine(f"sqlite:///{shutil.copy(str(url.database), tmp_path / 'copy.db')}")
        with copy.connect() as connection:
            assert connection.scalar(text("SELECT COUNT(*) FROM person")) == 1
        copy.dispose()
