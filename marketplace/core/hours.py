"""In SQL: the moment so many hours after another. The two databases reckon with time in their own ways."""

from typing import Any, Final

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from marketplace.core.db import Instant

TO_THE_SECOND: Final = 19  # characters of a moment as SQLite keeps it; its fraction follows, which hours do not change


class hours_after(GenericFunction[Any]):
    """`hours_after(moment, hours)`: a column of moments, and a whole number."""

    type = Instant()
    inherit_cache = True


@compiles(hours_after, "sqlite")
def in_text(function: hours_after, compiler: SQLCompiler, **also: Any) -> str:
    """As it is stored, so that it compares with what is stored."""
    moment, hours = (compiler.process(part, **also) for part in function.clauses)
    second = f"strftime('%Y-%m-%d %H:%M:%S', substr({moment}, 1, {TO_THE_SECOND}), {hours} || ' hours')"
    return f"({second} || substr({moment}, {TO_THE_SECOND + 1}))"


@compiles(hours_after, "postgresql")
def in_intervals(function: hours_after, compiler: SQLCompiler, **also: Any) -> str:
    moment, hours = (compiler.process(part, **also) for part in function.clauses)
    return f"({moment} + make_interval(hours => CAST({hours} AS integer)))"
