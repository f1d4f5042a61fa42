"""Indexes over some of a table's rows. Over which, SQLAlchemy is told when tables are made, by those who make them.

Told with the index, it would load the dialects of both databases: 2 MB of each process that will never make a table.

Whoever looks for just those rows asks with the same clause: SQLite compares words, and passes over an index `NOT is_done`
where it is asked for `is_done = ?`."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, MetaData, TextClause, event, text

from marketplace.core.db import Base

WHERE: Final = "where"


def only(rows: TextClause) -> dict[str, Any]:
    """For `Index(..., info=only(text("NOT is_done")))`."""
    return {WHERE: rows}


def among(column: str, values: Iterable[str]) -> TextClause:
    """`column IN (…)`, written out in one order: for the index, and for whoever looks into it."""
    listed = ", ".join(f"'{value}'" for value in sorted(values))
    return text(f"{column} IN ({listed})")


def complete(metadata: MetaData) -> None:
    """Before tables are made or compared."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if WHERE in index.info:
                for dialect in ("sqlite", "postgresql"):
                    index.dialect_options[dialect][WHERE] = index.info[WHERE]


@event.listens_for(Base.metadata, "before_create")
def before_tables_are_made(metadata: MetaData, _connection: Connection, **_options: Any) -> None:
    complete(metadata)
