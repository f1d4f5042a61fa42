"""What the audit finds after tampering, all of which is undone again."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import triggers


def named(engine: Engine, cashier: Engine, *, ours: str = "", theirs: str = "") -> set[str]:
    """The checks that find something after this tampering."""
    with tampered(engine, ours) as connection, tampered(cashier, theirs) as other:
        return {finding.check for finding in audit.findings(connection, other) if isinstance(finding, Difference)}


@contextmanager
def tampered(engine: Engine, statements: str) -> Iterator[Connection]:
    with engine.connect() as connection, connection.begin() as transaction:
        if statements and "{schema}" not in statements:
            triggers.drop_all(connection)
        if "nowhere" in statements:
            deferred = connection.dialect.name == "postgresql" and "SET CONSTRAINTS ALL DEFERRED"
            connection.execute(text(deferred or "PRAGMA defer_foreign_keys = ON"))
        for statement in filter(None, statements.split(";")):
            schema = "sandbox." if connection.dialect.name == "postgresql" else ""
            connection.execute(text(statement.format(schema=schema)))
        yield connection
        transaction.rollback()
