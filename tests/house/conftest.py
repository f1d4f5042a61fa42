from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine

from marketplace.core.db import engine_options, prepare
from tests.databases import PostgresServer, SQLiteFiles


@pytest.fixture
def empty(databases: SQLiteFiles | PostgresServer) -> Iterator[Engine]:
    url = databases.create()
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    yield engine
    engine.dispose()
    databases.drop(url)
