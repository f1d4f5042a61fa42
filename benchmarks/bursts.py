"""A deed done through HTTP by many at once until the worker has counted the last, beside its own SQL replayed.

The server has two workers, the worker runs beside it; eight people at once do the deed and pay at the cashier; the clock
stops when the last counts as paid. Beside it, in turn with it, the SQL that such deeds send to our database is sent once
more through SQLAlchemy Core, with as many commits and nothing thought in between: on PostgreSQL by eight clients, each on a
copy of the database of its own, so that none waits for another's row; on SQLite, which has one writer, in turn."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Engine

from benchmarks import buying
from benchmarks.buying import Send
from benchmarks.places import Place
from benchmarks.replay import ROUNDS, Sent, recorded, replay
from benchmarks.serving import processor_seconds, served, workers_of, working
from marketplace.app import create_app
from marketplace.core.db import db
from marketplace.core.settings import load_settings
from tests.databases import close

CLIENTS: Final = 8
RECORDED: Final = 40
WARM: Final = 16


@dataclass(frozen=True)
class Deed:
    """`furnish` makes a place ready and says what `do` needs; `done` is SQL that counts what is paid.

    `afterwards`: what else is measured while the server runs, with a way to go on doing the deed; `prove` raises where the
    database does not hold what so many deeds, by their numbers, had to lead to."""

    furnish: Callable[[Place], Any]
    do: Callable[[Send, Any, int], object]
    done: str
    afterwards: Callable[[str, Place, Callable[[int], None]], dict[str, Any]] | None = None
    prove: Callable[[Engine, Any, range], None] | None = None


@dataclass(frozen=True)
class Result:
    """Of one database; medians of the rounds."""

    done: float  # a second, through HTTP
    replayed: float
    ratio: float
    seconds_each: dict[str, float]  # of processor time, by whom
    sent_each: tuple[float, float]  # statements and commits
    afterwards: dict[str, Any] = field(default_factory=dict)


def of_place(deed: Deed, start: Place, python: str, number: int) -> Result:
    with start.copied() as home:
        needs = deed.furnish(home)
        with home.copied() as place:
            sent = record(deed, place, needs)
        with home.copied() as place:
            return lived(deed, place, home, python, number, needs, sent)


def record(deed: Deed, place: Place, needs: Any) -> list[list[Sent]]:
    """For each deed the transactions it sends to our database."""
    app = create_app(load_settings(app_env="demo", database_url=place.url, data=place.data, trusted_proxies=1))
    deeds = []
    with app.app_context(), recorded(db.engine, with_reading=True) as sent:
        for which in range(WARM + RECORDED):
            deed.do(buying.in_process(app.test_client()), needs, which)
            buying.deliver_in_process(app)
            deeds.append(list(sent))
            sent.clear()
    close(app)
    return deeds


def replay_rate(start: Place, deeds: list[list[Sent]]) -> float:
    """Deeds a second, after the first few. Each client takes all of them: each has its own database."""
    clients = CLIENTS if start.database else 1
    first, timed = ([sent for one in part for sent in one] for part in (deeds[:WARM], deeds[WARM:]))
    with ExitStack() as stack, ThreadPoolExecutor(clients) as pool:
        places = [stack.enter_context(start.copied()) for _ in range(clients)]
        engines = [stack.enter_context(place.engine()) for place in places]
        list(pool.map(lambda engine: replay(engine, first), engines))  # rows get the ids that they had
        began = time.perf_counter()
        list(pool.map(lambda engine: replay(engine, timed), engines))
        return clients * (len(deeds) - WARM) / (time.perf_counter() - began)


def lived(deed: Deed, place: Place, start: Place, python: str, number: int, needs: Any, sent: list[list[Sent]]) -> Result:
    with ExitStack() as stack:
        address, server = stack.enter_context(served(python, "wsgi:app", place.given))
        worker = stack.enter_context(working(python, place.given | {"BASE_URL": address}))
        engine = stack.enter_context(place.engine())

        def one(which: int) -> None:
            deed.do(buying.over_http(address, which), needs, which)

        many(one, range(WARM), deed, place, engine)
        rounds, seconds = [], defaultdict[str, float](float)
        for turn in range(ROUNDS):
            before = spent(server, worker)
            rate = many(one, range(WARM + turn * number, WARM + (turn + 1) * number), deed, place, engine)
            for who, total in spent(server, worker).items():
                seconds[who] += total - before[who]
            rounds.append((rate, replay_rate(start, sent)))
        later = WARM + ROUNDS * number
        if deed.prove:
            deed.prove(engine, needs, range(later))
        found = deed.afterwards(address, place, lambda turn: one(later + turn)) if deed.afterwards else {}
    return Result(
        done=statistics.median(done for done, _replayed in rounds),
        replayed=statistics.median(replayed for _done, replayed in rounds),
        ratio=statistics.median(done / replayed for done, replayed in rounds),
        seconds_each={who: total / (ROUNDS * number) for who, total in seconds.items()},
        sent_each=sizes(sent[WARM:]),
        afterwards=found,
    )


def many(one: Callable[[int], None], which: range, deed: Deed, place: Place, engine: Engine) -> float:
    """Deeds a second until all count as paid."""
    had = place.counted(engine, deed.done)
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, which))
    while place.counted(engine, deed.done) < had + len(which):
        time.sleep(0.02)
    return len(which) / (time.perf_counter() - began)


def sizes(deeds: list[list[Sent]]) -> tuple[float, float]:
    """Statements and commits of one deed."""
    statements = sum(len(sent.statements) for deed in deeds for sent in deed)
    commits = sum(sent.is_committed for deed in deeds for sent in deed)
    return statements / len(deeds), commits / len(deeds)


def spent(server: int, worker: int) -> dict[str, float]:
    return {
        "the web server": sum(processor_seconds(pid) for pid in workers_of(server)),
        "the worker": processor_seconds(worker),
    }


def table(what: str, results: dict[str, Result]) -> list[str]:
    """Of the section of docs/benchmarks.md."""
    lines = [
        f"| database | {what} | the same SQL replayed | ratio | statements, commits of one | processor time of one |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in results.items():
        told = ", ".join(f"{who} {seconds * 1000:.0f} ms" for who, seconds in one.seconds_each.items())
        sent = "{:.0f}, {:.0f}".format(*one.sent_each)
        lines.append(f"| {name} | {one.done:.0f} | {one.replayed:.0f} | {one.ratio:.2f} | {sent} | {told} |")
    return [*lines, ""]
