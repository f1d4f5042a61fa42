"""A request whose every effect is looked at, then undone: what it wrote, and whether anything is different for it.

For the rolled-back `app` alone. Tables are compared as the database has them, and only those that were written to; before
that they were what they are whenever all is undone, so each is read once for all."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

from sqlalchemy import Connection, event, text

from marketplace.core.db import Base, db

WRITES: Final = re.compile(r'\b(?:INSERT INTO|INSERT OR IGNORE INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?')
OF_THE_VISIT: Final = frozenset({"sign_in_session", "rate_window"})
"""When somebody was last here, and how often they tried: that is written whatever the answer is."""


@dataclass
class Undone:
    """`aside`: tables that may change."""

    aside: Collection[str] = OF_THE_VISIT
    before: dict[str, list[Any]] = field(default_factory=dict)

    @contextmanager
    def attempt(self) -> Iterator["Seen"]:
        """What happens inside has not happened afterwards."""
        db.session.remove()
        connection = cast(Connection, cast(dict[str | None, Any], db.engines)[None])
        written: set[str] = set()

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if (found := WRITES.search(statement)) and found[1] in Base.metadata.tables:
                written.add(found[1])

        seen = Seen()
        savepoint = connection.begin_nested()
        event.listen(connection, "before_cursor_execute", note)
        try:
            yield seen
            db.session.remove()
            after = {name: rows_of(connection, name) for name in written - set(self.aside)}
        finally:
            event.remove(connection, "before_cursor_execute", note)
            db.session.remove()
            savepoint.rollback()
        for name, rows in after.items():
            if name not in self.before:
                self.before[name] = rows_of(connection, name)
            if rows != self.before[name]:
                seen.changed.add(name)


@dataclass
class Seen:
    """The tables that were different before all was undone; known after the attempt."""

    changed: set[str] = field(default_factory=set)


def rows_of(connection: Connection, table: str) -> list[Any]:
    return sorted(connection.execute(text(f'SELECT * FROM "{table}"')).all(), key=repr)
