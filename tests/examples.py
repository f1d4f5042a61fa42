"""How many examples a random search takes on the database at hand.

What it looks for is nearly always in our code, which is the same on both, and PostgreSQL takes three times as long: there
`full` looks at one in five, and the night at all."""

import pytest

from marketplace.core.db import db

FEWER = 5
FEWEST = 2


def enough(examples: int, config: pytest.Config) -> int:
    """Of so many on SQLite. Asked where an application is open on the database."""
    is_repeated = db.engine.dialect.name == "postgresql" and config.getoption("--tier") != "nightly"
    return max(examples // FEWER, FEWEST) if is_repeated else examples
