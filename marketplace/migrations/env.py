"""How migrations run: all of them in one transaction, on SQLite and PostgreSQL.

Triggers are taken down before and put up after, whatever happens between: SQLite's batch mode copies a table and loses them.
Foreign keys sleep meanwhile on SQLite, since a copied table is dropped for a moment, and are checked before the commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, TypeDecorator, inspect

from marketplace.core import partial, triggers
from marketplace.core.db import db


def render_item(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """Migrations stand on SQLAlchemy alone: what our own types mean may change later."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def run() -> None:
    engine = context.config.attributes.get("engine") or db.engine
    with engine.connect() as connection, foreign_keys_asleep(connection), connection.begin():
        partial.complete(db.metadata)
        context.configure(  # within the transaction, or Alembic would commit it after the last migration
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
            compare_server_default=True,
            transactional_ddl=True,
        )
        triggers.drop_all(connection)
        with context.begin_transaction():
            context.run_migrations()
        put_triggers_up(connection)
        check_foreign_keys(connection)


def put_triggers_up(connection: Connection) -> None:
    """Those whose tables exist at this revision."""
    tables = set(inspect(connection).get_table_names())
    for guard in triggers.GUARDS:
        for statement in guard.create(connection.dialect.name) if guard.tables <= tables else ():
            connection.exec_driver_sql(statement)


@contextmanager
def foreign_keys_asleep(connection: Connection) -> Iterator[None]:
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection  # a pragma within a transaction would do nothing
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"rows without what they refer to: {broken[:10]}")


run()
