"""What the migrations make is what the models say: tables, columns, keys, checks, partial indexes and triggers."""

import re
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from marketplace.core import migrations, triggers
from marketplace.core.db import db
from tests.house.conftest import At
from tests.house.rows import SHOP, put_in, rows_of

Schema = dict[str, Any]


@pytest.fixture
def newest(at: At) -> Engine:
    return at(str(migrations.newest()))


def test_migrations_make_what_the_models_say(real_app: Flask, newest: Engine) -> None:
    with db.engine.connect() as said, newest.connect() as made:
        expected, found = schema_of(said), schema_of(made)
    found.pop("alembic_version")
    assert found.keys() == expected.keys(), "make migration MESSAGE=..."
    for name in expected:
        assert found[name] == expected[name], f"{name}: make migration MESSAGE=..."


def test_a_second_time_changes_nothing(newest: Engine) -> None:
    with newest.connect() as connection:
        once = schema_of(connection)

    migrations.bring_up_to_date(newest)

    with newest.connect() as connection:
        assert schema_of(connection) == once
        assert migrations.is_up_to_date(connection)


def test_the_newest_is_the_one_that_alembic_means() -> None:
    assert migrations.newest() == ScriptDirectory(str(migrations.FOLDER)).get_current_head()


@pytest.mark.full
def test_the_way_back_leaves_nothing(newest: Engine) -> None:
    migrations.undo(newest)
    with newest.connect() as connection:
        assert schema_of(connection).keys() == {"alembic_version", "triggers"}
        assert schema_of(connection)["triggers"] == {}
        assert not migrations.is_up_to_date(connection)


@pytest.mark.full
def test_a_migration_that_fails_leaves_everything_as_it_was(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(_guard: triggers.Guard, _dialect: str) -> None:
        raise RuntimeError("the power is gone")  # when all tables are made already

    monkeypatch.setattr(triggers.Guard, "create", break_down)
    with pytest.raises(RuntimeError, match="power"):
        migrations.bring_up_to_date(empty)
    with empty.connect() as connection:
        assert inspect(connection).get_table_names() == []


def test_what_was_there_at_the_first_release_is_there_at_the_newest(at: At) -> None:
    """Goods and money of the first schema come through every migration, and the books stay closed behind it."""
    first = at("0001")
    before = rows_of(first, put_in(first, SHOP))

    migrations.bring_up_to_date(first)

    after = rows_of(first, {table: list(rows[0]) for table, rows in before.items()})
    assert after == before
    with pytest.raises(DBAPIError, match="append-only"), first.begin() as connection:
        connection.execute(text("UPDATE line SET amount = amount + 1"))
    assert rows_of(first, {table: list(rows[0]) for table, rows in before.items()}) == before


def schema_of(connection: Connection) -> Schema:
    """Everything the database knows of itself, in an order that does not depend on how it came about."""
    look = inspect(connection)
    tables = {table: table_of(look, table) for table in look.get_table_names()}
    return {**tables, "triggers": triggers_of(connection)}


def table_of(look: Any, table: str) -> Schema:
    columns = {row["name"]: (str(row["type"]), row["nullable"], row["default"]) for row in look.get_columns(table)}
    foreign = [
        (key["name"], key["constrained_columns"], key["referred_table"], key["options"])
        for key in look.get_foreign_keys(table)
    ]
    return {
        "columns": columns,
        "primary key": look.get_pk_constraint(table)["constrained_columns"],
        "foreign keys": sorted(map(str, foreign)),
        "unique": sorted((key["name"], key["column_names"]) for key in look.get_unique_constraints(table)),
        "checks": sorted((key["name"], plain(key["sqltext"])) for key in look.get_check_constraints(table)),
        "indexes": sorted(index_of(index) for index in look.get_indexes(table)),
    }


def index_of(index: Any) -> tuple[Any, ...]:
    """With the condition of a partial index."""
    conditions = [plain(str(value)) for name, value in index.get("dialect_options", {}).items() if name.endswith("_where")]
    return index["name"], bool(index["unique"]), [name or "expression" for name in index["column_names"]], conditions


def triggers_of(connection: Connection) -> dict[str, str]:
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    else:
        rows = connection.execute(
            text(
                "SELECT t.tgname, pg_get_triggerdef(t.oid) || p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
                "WHERE NOT t.tgisinternal"
            )
        )
    return {name: plain(definition) for name, definition in rows}


def plain(sentence: str) -> str:
    return re.sub(r"\s+", " ", sentence).strip()
