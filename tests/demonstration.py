"""A database with the whole demonstration in it, loaded once: for tests of pages that want all 58 counties.

`demonstration` is a session on it inside one outer transaction, rolled back at the end, as `session` is on an empty one."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from marketplace.core.db import db, in_transaction
from marketplace.demo.load import load
from tests.conftest import make
from tests.databases import PostgresServer, SQLiteFiles, close


@pytest.fixture(scope="session")
def demo_app(databases: SQLiteFiles | PostgresServer, template: str) -> Iterator[Flask]:
    app = make(url := databases.create(template))
    with app.app_context():
        in_transaction(load)
    yield app
    close(app)
    databases.drop(url)


@pytest.fixture
def demonstration(demo_app: Flask) -> Iterator[Session]:
    with demo_app.app_context():
        engine, engines = db.engine, cast(dict[str | None, Any], db.engines)
        db.session.configure(join_transaction_mode="create_savepoint")
        with engine.connect() as connection, connection.begin() as outer:
            engines[None] = connection
            yield db.session()
            db.session.remove()
            outer.rollback()
        engines[None] = engine
