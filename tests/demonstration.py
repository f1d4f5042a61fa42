"""A database with the whole demonstration in it, loaded once: for tests of pages that want all 58 counties.

`demonstration` is a session on it inside one outer transaction, rolled back at the end, as `session` is on an empty one.
`gifts_app` and `history_app` have a past too. To live through one takes ten seconds, so whoever asks for it only reads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from marketplace.core.db import db, in_transaction
from marketplace.demo import gifts, history
from marketplace.demo.load import load
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox.gateway import SandboxCashier
from tests import cashiers
from tests.conftest import make
from tests.databases import PostgresServer, SQLiteFiles, close


def nothing() -> None:
    pass


@contextmanager
def loaded(databases: SQLiteFiles | PostgresServer, template: str, past: Callable[[], None] = nothing) -> Iterator[Flask]:
    app = make(url := databases.create(template))
    with app.app_context():
        in_transaction(load)
        past()
    yield app
    close(app)
    databases.drop(url)


def lived(play: Callable[[], None]) -> None:
    cashier = gateways().by_name["sandbox"]
    assert isinstance(cashier, SandboxCashier)
    cashiers.opened(cashier)
    play()
    cashier.storage.dispose()


@pytest.fixture(scope="session")
def demo_app(databases: SQLiteFiles | PostgresServer, template: str) -> Iterator[Flask]:
    with loaded(databases, template) as app:
        yield app


@pytest.fixture(scope="session")
def gifts_app(databases: SQLiteFiles | PostgresServer, template: str) -> Iterator[Flask]:
    """A month of gifts behind it."""
    with loaded(databases, template, lambda: lived(gifts.play)) as app:
        yield app


@pytest.fixture(scope="module")
def history_app(databases: SQLiteFiles | PostgresServer, template: str) -> Iterator[Flask]:
    """A month of orders behind it; for one module, since the next one's cashier empties the books of this one's."""
    with loaded(databases, template, lambda: lived(history.play)) as app:
        yield app


@contextmanager
def rolled_back(app: Flask) -> Iterator[Session]:
    """What is written meanwhile is gone afterwards, though it was committed."""
    with app.app_context():
        engine, engines = db.engine, cast(dict[str | None, Any], db.engines)
        db.session.configure(join_transaction_mode="create_savepoint")
        with engine.connect() as connection, connection.begin() as outer:
            engines[None] = connection
            yield db.session()
            db.session.remove()
            outer.rollback()
        engines[None] = engine


@pytest.fixture
def demonstration(demo_app: Flask) -> Iterator[Session]:
    with rolled_back(demo_app) as session:
        yield session
