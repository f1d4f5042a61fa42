"""Orders placed and paid a second, through HTTP: `python -m benchmarks.orders [NUMBER]`, on SQLite and on PostgreSQL.

The server has two workers, the worker runs beside it; eight buyers at once fill a cart, check out and pay at the cashier;
the clock stops when the last order counts as paid. Beside it, in turn with it, the SQL that such orders send to our
database is sent once more through SQLAlchemy Core, with as many commits and nothing thought in between: on PostgreSQL by
eight clients, each on a copy of the database of its own, so that none waits for another's row; on SQLite, which has one
writer, one order after the other. Also told: how much processor time of whom an order takes, and how long a gateway waits
until its webhook is acknowledged (benchmarks/webhooks.py)."""

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Engine

from benchmarks import buying, webhooks
from benchmarks.places import Place, prepared
from benchmarks.replay import ROUNDS, Sent, recorded, replay
from benchmarks.serving import new_database, processor_seconds, served, workers_of, working
from benchmarks.webhooks import Patience
from marketplace.app import create_app
from marketplace.core.db import db
from marketplace.core.settings import load_settings
from tests import peers
from tests.databases import close

CLIENTS: Final = 8
NUMBER: Final = 120
RECORDED: Final = 40
WARM: Final = 16


@dataclass(frozen=True)
class Result:
    """Of one database; medians of the rounds."""

    orders: float  # a second, through HTTP
    replayed: float
    ratio: float
    seconds_each: dict[str, float]  # of processor time, by whom
    sent_each: tuple[float, float]  # statements and commits
    acknowledged: dict[str, Patience]


def measure(number: int = NUMBER, python: str = sys.executable) -> dict[str, Result]:
    """To be called between `peers.open_folder` and `peers.close_folder`."""
    found = {}
    for name, database in (("SQLite", ""), ("PostgreSQL", new_database())):
        with prepared(python, database) as start:
            found[name] = of_place(start, python, number)
    return found


def of_place(start: Place, python: str, number: int = NUMBER) -> Result:
    with start.copied() as shop:
        variants = shop.fill_shelves()
        with shop.copied() as place:
            sent = record(place, variants)
        with shop.copied() as place:
            return lived(place, shop, python, number, variants, sent)


def record(place: Place, variants: list[str]) -> list[list[Sent]]:
    """For each order the transactions it sends to our database."""
    app = create_app(load_settings(app_env="demo", database_url=place.url, data=place.data, trusted_proxies=1))
    orders = []
    with app.app_context(), recorded(db.engine, with_reading=True) as sent:
        for which in range(WARM + RECORDED):
            buying.order(buying.in_process(app.test_client()), variants[which % len(variants)])
            buying.deliver_in_process(app)
            orders.append(list(sent))
            sent.clear()
    close(app)
    return orders


def replay_rate(start: Place, orders: list[list[Sent]]) -> float:
    """Orders a second, after the first few. Each client takes all of them: each has its own database."""
    clients = CLIENTS if start.database else 1
    first, timed = ([sent for one in part for sent in one] for part in (orders[:WARM], orders[WARM:]))
    with ExitStack() as stack, ThreadPoolExecutor(clients) as pool:
        places = [stack.enter_context(start.copied()) for _ in range(clients)]
        engines = [stack.enter_context(place.engine()) for place in places]
        list(pool.map(lambda engine: replay(engine, first), engines))  # rows get the ids that they had
        began = time.perf_counter()
        list(pool.map(lambda engine: replay(engine, timed), engines))
        return clients * (len(orders) - WARM) / (time.perf_counter() - began)


def lived(place: Place, start: Place, python: str, number: int, variants: list[str], sent: list[list[Sent]]) -> Result:
    with ExitStack() as stack:
        address, server = stack.enter_context(served(python, "wsgi:app", place.given))
        worker = stack.enter_context(working(python, place.given | {"BASE_URL": address}))
        engine = stack.enter_context(place.engine())

        def one(which: int) -> None:
            buying.order(buying.over_http(address, which), variants[which % len(variants)])

        many(one, range(WARM), place, engine)
        rounds, seconds = [], defaultdict[str, float](float)
        for turn in range(ROUNDS):
            before = spent(server, worker)
            rate = many(one, range(WARM + turn * number, WARM + (turn + 1) * number), place, engine)
            for who, total in spent(server, worker).items():
                seconds[who] += total - before[who]
            rounds.append((rate, replay_rate(start, sent)))
        tell = partial(webhooks.acknowledged, address, place.webhook_secret)
        later = WARM + ROUNDS * number
        patience = {"alone": tell(), "while orders are traded": tell(lambda turn: one(later + turn), CLIENTS)}
    return Result(
        orders=statistics.median(orders for orders, _replayed in rounds),
        replayed=statistics.median(replayed for _orders, replayed in rounds),
        ratio=statistics.median(orders / replayed for orders, replayed in rounds),
        seconds_each={who: total / (ROUNDS * number) for who, total in seconds.items()},
        sent_each=sizes(sent[WARM:]),
        acknowledged=patience,
    )


def many(one: Callable[[int], None], which: range, place: Place, engine: Engine) -> float:
    """Orders a second until all count as paid."""
    had = place.paid(engine)
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, which))
    place.wait_until_paid(engine, had + len(which))
    return len(which) / (time.perf_counter() - began)


def sizes(orders: list[list[Sent]]) -> tuple[float, float]:
    """Statements and commits of one order."""
    statements = sum(len(sent.statements) for order in orders for sent in order)
    commits = sum(sent.is_committed for order in orders for sent in order)
    return statements / len(orders), commits / len(orders)


def spent(server: int, worker: int) -> dict[str, float]:
    return {
        "the web server": sum(processor_seconds(pid) for pid in workers_of(server)),
        "the worker": processor_seconds(worker),
    }


def report(results: dict[str, Result]) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## Orders",
        "",
        f"Placed and paid a second through HTTP: two web workers, the worker beside them, {CLIENTS} buyers at once."
        " Beside it, in turn with it, the SQL of such orders, sent once more through Core with as many commits: by as many"
        " clients on PostgreSQL, each in a database of its own; one after the other on SQLite, which has one writer."
        f" Medians of {ROUNDS} rounds; the goal is a ratio of 0.40.",
        "",
        "| database | orders | the same SQL replayed | ratio | statements, commits of one | processor time of one |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in results.items():
        spent = ", ".join(f"{who} {seconds * 1000:.0f} ms" for who, seconds in one.seconds_each.items())
        sent = "{:.0f}, {:.0f}".format(*one.sent_each)
        lines.append(f"| {name} | {one.orders:.0f} | {one.replayed:.0f} | {one.ratio:.2f} | {sent} | {spent} |")
    lines += [
        "",
        "What the replay does without: five requests of a buyer (one draws the checkout's page), the cashier's own page and"
        " its four commits, a signed webhook over HTTP, and the worker's rounds through all its queues.",
        "",
        f"A signed webhook is acknowledged to one of {webhooks.SENDERS} senders who never pause; the goal is a p99 of at"
        " most ten times the p50.",
        "",
        "| database | meanwhile | p50 | p99 | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {name} | {what} | {told} |" for name, one in results.items() for what, told in one.acknowledged.items()]
    return [*lines, ""]


def main() -> None:
    peers.open_folder()
    try:
        print("\n".join(report(measure(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER))))
    finally:
        peers.close_folder()


if __name__ == "__main__":
    main()
