"""A look into many queues at once. It locks nothing and writes nothing: a worker without work stands in nobody's way."""

from functools import cache
from typing import Any

from sqlalchemy import Select, literal, select

from marketplace.core import clock
from marketplace.core.db import db, rows

Queues = tuple[Select[Any], ...]
"""What a step would take from each; `now` and `most` are given, as for `outbox.take`."""


def found_in(queues: Queues) -> list[bool]:
    """Whether there was anything in each of them a moment ago."""
    if not queues:
        return []
    session = db.session()
    try:
        (found,) = rows(session, look_into(queues), now=clock.now(), most=1)
    finally:
        session.rollback()
    return [bool(any_there) for any_there in found]


@cache
def look_into(queues: Queues) -> Select[Any]:
    """One row: of each queue whether anything is in it, found as what is taken would be."""
    anything: Any = (queue.with_only_columns(literal(1), maintain_column_froms=True).exists() for queue in queues)
    return select(*anything)
