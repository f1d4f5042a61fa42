from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine

from marketplace.core import migrations
from marketplace.core.db import engine_options, prepare
from tests.databases import PostgresServer, SQLiteFiles, fold

At = Callable[[str], Engine]


def opened(url: str) -> Engine:
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    return engine


@pytest.fixture
def empty(databases: SQLiteFiles | PostgresServer) -> Iterator[Engine]:
    engine = opened(url := databases.create())
    yield engine
    engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="session")
def schemas(databases: SQLiteFiles | PostgresServer) -> Iterator[dict[str, str]]:
    """Where the schema of each revision that was asked for stands, without a row."""
    made: dict[str, str] = {}
    yield made
    for url in made.values():
        databases.drop(url)


@pytest.fixture
def at(databases: SQLiteFiles | PostgresServer, schemas: dict[str, str]) -> Iterator[At]:
    """`at("0034")` is a database as that migration left it: the way there is gone once, from the last one known."""
    lent: list[tuple[Engine, str]] = []

    def lend(revision: str) -> Engine:
        if revision not in schemas:
            earlier = max((known for known in schemas if known < revision), default=None)
            engine = opened(url := databases.create(earlier and schemas[earlier]))
            migrations.bring_up_to_date(engine, revision)
            fold(engine)
            schemas[revision] = url
        lent.append((opened(url := databases.create(schemas[revision])), url))
        return lent[-1][0]

    yield lend
    for engine, url in lent:
        engine.dispose()
        databases.drop(url)
