"""Rows of which only key and state matter: values that fit a column's type, in a database that looks at nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Final

import pytest
from sqlalchemy import JSON, CheckConstraint, text
from sqlalchemy.orm import Session

from marketplace.core import triggers
from marketplace.core.db import Instant
from marketplace.core.encryption import Encrypted

WHEN: Final = datetime(2026, 10, 18, tzinfo=UTC)


def anything_for(column: Any) -> Any:
    if isinstance(column.type, JSON):
        return {}
    kind: Any = column.type.python_type
    if isinstance(column.type, Encrypted | Instant):
        kind = str if isinstance(column.type, Encrypted) else datetime
    if issubclass(kind, Enum):
        return next(iter(kind))
    if words := words_for(column):
        return kind(words[0])
    days: dict[Any, Any] = {datetime: WHEN, date: WHEN.date()}
    known: dict[Any, Any] = days | {str: f"{column.table.name}-x", int: 1, bool: False, float: 1.0, bytes: b"x"}
    return known[kind]


def words_for(column: Any) -> list[str]:
    """Those that a check of its table allows, where it lists them: pages look them up."""
    checks = (str(each.sqltext) for each in column.table.constraints if isinstance(each, CheckConstraint))
    lists = (re.fullmatch(rf"{column.name} IN \(([^()]+)\)", check) for check in checks)
    return next((re.findall(r"[^', ]+", found[1]) for found in lists if found), [])


@contextmanager
def without_rules(session: Session) -> Iterator[None]:
    """Within a transaction that is rolled back it is not asked what a row belongs to, nor whether its columns fit."""
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("only SQLite can be told to look at nothing")
    session.execute(text("PRAGMA defer_foreign_keys = ON"))
    session.execute(text("PRAGMA ignore_check_constraints = ON"))
    triggers.drop_all(session.connection())
    session.commit()  # within the test's own transaction
    try:
        yield
    finally:
        session.rollback()
        session.execute(text("PRAGMA ignore_check_constraints = OFF"))
