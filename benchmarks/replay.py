"""What our own code costs: a deed done again and again, and beside it, in the same run, only the SQL that it sends.

The statements of one client are recorded apart from the clock, transaction by transaction, and sent once more as they went
to the driver, through a plain connection of SQLAlchemy Core, on a fresh copy of the same database. Nothing is thought in
between: so fast would be a program that knows everything beforehand. Rounds alternate, medians are told."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from marketplace.app import create_app
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import load_settings
from tests import peers
from tests.databases import PostgresServer, SQLiteFiles, close, fill

CLIENTS: Final = 8
ROUNDS: Final = 3
NUMBER: Final = 400
WARM: Final = 10  # deeds before the clock runs, for what is compiled once
NOT_SENT_AGAIN: Final = frozenset({"BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK"})

Deed = Callable[[int], None]
"""Does it once, in transactions of its own; the number is another one each time, from 0 on, in each copy of the database."""
Databases = SQLiteFiles | PostgresServer


@dataclass(frozen=True)
class Sent:
    """One transaction: each statement, its parameters, whether there are many sets of them; committed, or only read."""

    statements: list[tuple[str, Any, bool]]
    is_committed: bool = True


@dataclass(frozen=True)
class Pace:
    """Deeds a second, medians of the rounds; `ratio` is one client's to the replay's, the median of what each round says."""

    one: float
    many: float
    replayed: float
    ratio: float

    def __str__(self) -> str:
        told = f"1 client {self.one:.0f}/s, {CLIENTS} clients {self.many:.0f}/s, the same SQL replayed {self.replayed:.0f}/s"
        return f"{told}, ratio {self.ratio:.2f}"


def on_both(furnish: Callable[[Session], None], deed: Deed, number: int = NUMBER) -> dict[str, Pace]:
    """By the name of the database. `furnish` writes what the deeds need, in one transaction on an empty schema.

    To be called between `peers.open_folder` and `peers.close_folder`."""
    with tempfile.TemporaryDirectory() as folder:
        known: dict[str, Databases] = {
            "SQLite": SQLiteFiles(Path(folder)),
            "PostgreSQL": PostgresServer(peers.postgresql()),
        }
        return {name: Comparison(kind, Path(folder), furnish, deed, number).pace() for name, kind in known.items()}


def main(measure: Callable[[int], dict[str, Pace]]) -> None:
    """`python -m benchmarks.<deed> [NUMBER]`"""
    peers.open_folder()
    try:
        for name, pace in measure(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER).items():
            print(f"{name:<11} {pace}")
    finally:
        peers.close_folder()


def report(paces: dict[str, dict[str, Pace]]) -> list[str]:
    """The section of docs/benchmarks.md, by deed and database."""
    lines = [
        "## Giving",
        "",
        f"A second, through the commands that forms and webhooks run, by one client and by {CLIENTS}; beside it, in the same"
        " run, the SQL that one client sent, replayed through Core with nothing thought in between."
        f" Medians of {ROUNDS} rounds of {NUMBER}. SQLite syncs each commit; PostgreSQL is the tests' own, which does not.",
        "",
        f"| deed | database | 1 client | {CLIENTS} clients | the same SQL replayed | ratio of 1 client to it |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for deed, by_database in paces.items():
        for name, pace in by_database.items():
            figures = f"{pace.one:,.0f} | {pace.many:,.0f} | {pace.replayed:,.0f} | {pace.ratio:.2f}"
            lines.append(f"| {deed} | {name} | {figures} |")
    return [*lines, ""]


@dataclass
class Comparison:
    """Of one deed on one database."""

    databases: Databases
    folder: Path
    furnish: Callable[[Session], None]
    deed: Deed
    number: int

    def pace(self) -> Pace:
        template = fill(self.app, self.databases.create())
        with self.opened(template):
            in_transaction(self.furnish)
        warm, sent = self.what_is_sent(template)
        rounds = [self.one_round(template, warm, sent) for _ in range(ROUNDS)]
        one, many, replayed = (statistics.median(column) for column in zip(*rounds, strict=True))
        return Pace(one, many, replayed, statistics.median(first / last for first, _many, last in rounds))

    def one_round(self, template: str, warm: list[Sent], sent: list[Sent]) -> tuple[float, float, float]:
        """Deeds a second by one client, by many, and of the replay."""
        rates = []
        for clients in (1, CLIENTS):
            with self.copied(template) as app:
                self.do(app, 0, WARM)
                rates.append(self.rate(partial(self.do, app, WARM, self.number, clients)))
        with self.copied(template):
            replay(db.engine, warm)
            rates.append(self.rate(partial(replay, db.engine, sent)))
        one, many, replayed = rates
        return one, many, replayed

    def what_is_sent(self, template: str) -> tuple[list[Sent], list[Sent]]:
        with self.copied(template) as app:
            with recorded() as warm:
                self.do(app, 0, WARM)
            with recorded() as sent:
                self.do(app, WARM, self.number)
        return warm, sent

    def do(self, app: Flask, first: int, number: int, clients: int = 1) -> None:
        def some(client: int) -> None:
            with app.app_context():
                for which in range(first + client, first + number, clients):
                    self.deed(which)
                db.session.remove()

        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(some, range(clients)))

    def rate(self, work: Callable[[], None]) -> float:
        began = time.perf_counter()
        work()
        return self.number / (time.perf_counter() - began)

    def app(self, url: str) -> Flask:
        return create_app(load_settings(app_env="test", database_url=url, data=self.folder), TESTING=True)

    @contextmanager
    def copied(self, template: str) -> Iterator[Flask]:
        url = self.databases.create(template)
        with self.opened(url) as app:
            yield app
        self.databases.drop(url)

    @contextmanager
    def opened(self, url: str) -> Iterator[Flask]:
        app = self.app(url)
        with app.app_context():
            yield app
        close(app)


@contextmanager
def recorded(engine: Engine | type[Engine] = Engine, *, with_reading: bool = False) -> Iterator[list[Sent]]:
    """The transactions that are committed meanwhile, as they went to the driver; `with_reading` those too that only read.

    What was written and rolled back is not there: sent again, it would stay."""
    sent: list[Sent] = []
    current: list[tuple[str, Any, bool]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.split(maxsplit=1)[0].upper() not in NOT_SENT_AGAIN:
            current.append((statement, parameters, many))

    def end(_connection: Any) -> None:
        sent.append(Sent(list(current)))
        current.clear()

    def forget(_connection: Any) -> None:
        if with_reading and current and all(statement.startswith("SELECT") for statement, _parameters, _many in current):
            sent.append(Sent(list(current), is_committed=False))
        current.clear()

    heard = (("before_cursor_execute", note), ("commit", end), ("rollback", forget))
    for name, listener in heard:
        event.listen(engine, name, listener)
    try:
        yield sent
    finally:
        for name, listener in heard:
            event.remove(engine, name, listener)


def replay(engine: Engine, sent: list[Sent]) -> None:
    for transaction in sent:
        begin = "IMMEDIATE" if transaction.is_committed else "DEFERRED"
        with engine.execution_options(sqlite_begin=begin).connect() as connection:
            for statement, parameters, many in transaction.statements:
                result = connection.exec_driver_sql(statement, parameters)
                if result.returns_rows and not many:
                    result.all()
                result.close()
            if transaction.is_committed:
                connection.commit()
