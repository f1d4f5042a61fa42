"""Gifts a second on one hot campaign: `python -m benchmarks.gifts [NUMBER]`, on SQLite and on PostgreSQL.

Each gift goes through the commands that a form and a webhook run (begun, its money received, in the public ledger), by one
client and by eight. Beside it, in the same run: the statements that one client sent, replayed through Core without any
thinking in between, on a fresh copy of the same database. The ratio of the two is what our own code costs."""

import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import Engine, event

from crowdfund.campaigns import drafting, giving, lifecycle
from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Organisation
from marketplace.accounts import people
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.core.settings import load_settings
from marketplace.payments import outcomes
from marketplace.payments.attempts import begin_submission
from marketplace.payments.gateways import RemotePayment
from marketplace.payments.states import AttemptState
from tests import peers
from tests.databases import PostgresServer, SQLiteFiles, close, fill

CAMPAIGN: Final = "hot"
CLIENTS: Final = 8
WARM: Final = 10  # gifts before the clock runs, for what is compiled once
Sent = list[tuple[str, Any, bool]]  # statement, parameters, whether there are many sets of them


def main(number: int) -> None:
    peers.open_folder()
    try:
        with tempfile.TemporaryDirectory() as folder:
            known: dict[str, SQLiteFiles | PostgresServer] = {
                "SQLite": SQLiteFiles(Path(folder)),
                "PostgreSQL": postgresql(),
            }
            for name, databases in known.items():
                print(f"{name:<11} {measure(databases, Path(folder), number)}")
    finally:
        peers.close_folder()


def postgresql() -> PostgresServer:
    return PostgresServer(peers.postgresql())


def measure(databases: SQLiteFiles | PostgresServer, folder: Path, number: int) -> str:
    def make(url: str) -> Flask:
        return create_app(load_settings(app_env="test", database_url=url, data=folder), TESTING=True)

    template = fill(make, databases.create())
    app = make(template)
    with app.app_context():
        in_transaction(open_campaign)
    close(app)
    rates = {}
    warm: list[Sent] = []
    sent: list[Sent] = []
    for clients in (1, CLIENTS):
        app = make(databases.create(template))
        with app.app_context():
            with recorded(warm if clients == 1 else []):
                give_all(app, WARM, 1)
            with recorded(sent if clients == 1 else []):
                rates[clients] = rate(number, partial(give_all, app, number, clients))
        close(app)
    app = make(databases.create(template))
    with app.app_context():
        replay(db.engine, warm)
        replayed = rate(number, partial(replay, db.engine, sent))
    close(app)
    told = f"1 client {rates[1]:.0f}/s, {CLIENTS} clients {rates[CLIENTS]:.0f}/s, the same SQL replayed {replayed:.0f}/s"
    return f"{told}, ratio {rates[1] / replayed:.2f}"


def open_campaign(session: Any) -> None:
    owner = people.register(session, address="owner@example.test")
    reviewer = people.register(session, address="reviewer@example.test")
    session.flush()
    station(session)
    today = clock.today()
    words = {"certificate_number": "B-1", "certificate_from": date(2020, 1, 1), "certificate_until": date(2099, 1, 1)}
    session.add(Organisation(code="bench", name_zh="测试", credit_code="B", **words))
    session.flush()
    texts = ("title_zh", "story_zh", "purpose_zh", "beneficiaries_zh", "criteria_zh", "region_zh", "leader_zh", "residue_zh")
    facts = dict.fromkeys((*texts, "bank_account_zh", "filing_number"), "测试") | {"past_goal": "stretch"}
    days = {"starts_on": today, "ends_on": today + timedelta(days=30), "filed_on": today - timedelta(days=20)}
    figures = {"goal_fen": 10_000_000, "station_code": "141124"}
    budget = [Line("图书", 10_000_000)]
    made: dict[str, Any] = {
        "organisation": "bench",
        "owner": owner.id,
        "facts": facts | days | figures,
        "public_id": CAMPAIGN,
    }
    drafting.create(session, budget=budget, **made)
    lifecycle.submit(session, campaign=CAMPAIGN, person=owner.id)
    lifecycle.approve(session, campaign=CAMPAIGN, person=reviewer.id)
    lifecycle.open_to_all(session, campaign=CAMPAIGN, person=owner.id)


def station(session: Any) -> None:
    from marketplace.demo import places

    places.load(session)
    session.flush()


def give_all(app: Flask, number: int, clients: int) -> None:
    def some(count: int) -> None:
        with app.app_context():
            for fen in range(1, count + 1):
                give(fen)
            db.session.remove()

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(some, [number // clients] * clients))


def give(fen: int) -> None:
    """What the form does, and what the cashier's answer causes."""
    gift = in_transaction(giving.begin, campaign=CAMPAIGN, amount=Money(fen), giver=Giver())
    attempt = in_transaction(giving.open_attempt, gift=gift)
    assert attempt
    in_transaction(begin_submission, attempt=attempt)
    paid = RemotePayment(f"pay_{attempt}", attempt, Money(fen), AttemptState.SUCCEEDED, "succeeded", "test", "")
    in_transaction(outcomes.apply_payment, remote=paid, gateway="sandbox", why="benchmark")


@contextmanager
def recorded(sent: list[Sent]) -> Iterator[None]:
    """The statements of each transaction, as they went to the driver."""
    current: Sent = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.split(maxsplit=1)[0].upper() not in {"BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK"}:
            current.append((statement, parameters, many))

    def end(_connection: Any) -> None:
        sent.append(list(current))
        current.clear()

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", end)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        event.remove(Engine, "commit", end)


def replay(engine: Engine, sent: list[Sent]) -> None:
    for transaction in sent:
        with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            for statement, parameters, many in transaction:
                result = connection.exec_driver_sql(statement, parameters)
                if result.returns_rows and not many:
                    result.all()
                result.close()


def rate(number: int, work: Any) -> float:
    began = time.perf_counter()
    work()
    return number / (time.perf_counter() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
