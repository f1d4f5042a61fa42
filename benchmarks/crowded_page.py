"""A campaign's page with a hundred gifts and with a hundred thousand: `python -m benchmarks.crowded_page [FEW MANY]`, on
SQLite and on PostgreSQL.

Both campaigns stand in one database, their gifts written as the house writes them (gift, entry, public row, seal, the sums
of the day; every tenth has words that an officer let through). The page is made anew each time, in turn for the one and the
other, with nothing remembered; the medians are compared, and the statements counted."""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from benchmarks import gifts
from benchmarks.replay import Databases
from crowdfund.campaigns.ledger_models import LedgerDay, SealedRow
from crowdfund.campaigns.models import Campaign, Contribution, PublicRow
from marketplace.app import create_app
from marketplace.core import clock, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import load_settings
from marketplace.ledger.models import Entry, LedgerAccount, Line
from tests import peers, statements
from tests.databases import PostgresServer, SQLiteFiles, close, fill

FEW, MANY = 100, 100_000
ROUNDS: Final = 30
AT_ONCE: Final = 1_000  # each entry that is written holds a lock of PostgreSQL until its commit
GIFT_FEN: Final = 100
CROWDED: Final = "crowded"
GOAL: Final = 1.5


@dataclass(frozen=True)
class Pages:
    """Milliseconds and statements, of the page with few gifts and of the one with many."""

    few: float
    many: float
    statements: tuple[int, int]

    @property
    def ratio(self) -> float:
        return self.many / self.few


def measure(few: int = FEW, many: int = MANY) -> dict[str, Pages]:
    """By database. To be called between `peers.open_folder` and `peers.close_folder`."""
    with tempfile.TemporaryDirectory() as folder:
        known: dict[str, Databases] = {"SQLite": SQLiteFiles(Path(folder)), "PostgreSQL": PostgresServer(peers.postgresql())}
        return {name: of_database(databases.create(), Path(folder), few, many) for name, databases in known.items()}


def of_database(url: str, folder: Path, few: int, many: int) -> Pages:
    def make(address: str) -> Flask:
        return create_app(load_settings(app_env="test", database_url=address, data=folder), TESTING=True, PAGE_CACHE=False)

    fill(make, url)
    with opened(make(url)) as app:
        number = in_transaction(furnish)
        give(number, gifts.CAMPAIGN, few, number=1)
        give(number + 1, CROWDED, many, number=1 + few)
        analyse()
        sizes = {name: len(sent_for(app, name)) for name in (gifts.CAMPAIGN, CROWDED)}
        rounds = [[seconds_for(app, name) * 1000 for name in (gifts.CAMPAIGN, CROWDED)] for _ in range(ROUNDS)]
    first, second = (statistics.median(column) for column in zip(*rounds, strict=True))
    return Pages(first, second, (sizes[gifts.CAMPAIGN], sizes[CROWDED]))


@contextmanager
def opened(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app
    close(app)


def analyse() -> None:
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))


def sent_for(app: Flask, campaign: str) -> list[str]:
    page(app, campaign)
    with statements.gathered() as sent:
        page(app, campaign)
    return sent


def seconds_for(app: Flask, campaign: str) -> float:
    began = time.perf_counter()
    page(app, campaign)
    return time.perf_counter() - began


def page(app: Flask, campaign: str) -> None:
    answer = app.test_client().get(f"/campaigns/{campaign}", headers={"Cookie": "benchmark=1"})
    if answer.status_code != 200:
        raise RuntimeError(answer.text)


def furnish(session: Session) -> int:
    """Two campaigns, one numbered after the other; the number of the first."""
    gifts.open_campaign(session)
    session.flush()
    first = session.query(Campaign).one()
    same = {column.name: getattr(first, column.name) for column in Campaign.__table__.columns}
    same |= {"id": first.id + 1, "public_id": CROWDED}
    session.execute(insert(Campaign).values(same))
    session.execute(
        text(
            "INSERT INTO budget_line (campaign_id, position, name_zh, name_en, fen)"
            " SELECT campaign_id + 1, position, name_zh, name_en, fen FROM budget_line"
        )
    )
    return first.id


def give(campaign_id: int, campaign: str, count: int, *, number: int) -> None:
    """So many gifts, sealed from `number` on."""
    accounts = in_transaction(open_accounts, campaign)
    now = clock.now()
    for begun in range(0, count, AT_ONCE):
        which = range(begun, min(begun + AT_ONCE, count))
        rows = [made(each, campaign_id, now - timedelta(seconds=count - each)) for each in which]
        in_transaction(write, rows, accounts, number + begun)
    day = {"book": "test", "campaign_id": campaign_id, "day": clock.today(), "received_fen": count * GIFT_FEN}
    figures = day | {"gifts": count, "rows": count, "refunded_fen": 0, "spent_fen": 0}
    in_transaction(lambda session: session.execute(insert(LedgerDay).values(figures)))


def open_accounts(session: Session, campaign: str) -> tuple[int, int]:
    account = LedgerAccount(kind="restricted", owner=campaign, book="test")
    source = LedgerAccount(kind="gateway_clearing", owner=campaign, book="test")
    session.add_all((account, source))
    session.flush()
    return account.id, source.id


def write(session: Session, rows: list[dict[str, Any]], accounts: tuple[int, int], number: int) -> None:
    """These gifts as the house writes them, sealed from `number` on."""
    session.execute(insert(Contribution), rows)
    entries = [entry_of(row) for row in rows]
    session.execute(insert(Line), [line for entry in entries for line in lines_of(entry, *accounts)])
    session.execute(insert(Entry), entries)  # its lines are there, and balance
    shown = [public(row, entry, number + each) for each, (row, entry) in enumerate(zip(rows, entries, strict=True))]
    session.execute(insert(PublicRow), shown)
    session.execute(insert(SealedRow), [sealed(row) for row in shown])


def made(which: int, campaign_id: int, at: Any) -> dict[str, Any]:
    has_words = which % 10 == 0
    told = {"message": "加油", "message_state": "shown"} if has_words else {"message": "", "message_state": ""}
    gift = {"public_id": ids.public_id(), "token_hash": ids.public_id(), "campaign_id": campaign_id, "state": "received"}
    return gift | told | {"book": "test", "fen": GIFT_FEN, "shown_as": "王**", "created_at": at, "received_at": at}


def entry_of(gift: dict[str, Any]) -> dict[str, Any]:
    key = f"capture:{gift['public_id']}"
    about = {"id": ids.public_id(), "key": key, "kind": "capture", "book": "test"}
    return about | {"reference": gift["public_id"], "at": gift["received_at"]}


def lines_of(entry: dict[str, Any], account: int, source: int) -> list[dict[str, Any]]:
    moved = ((source, GIFT_FEN), (account, -GIFT_FEN))
    return [{"entry_id": entry["id"], "account_id": of, "commodity": "CNY", "amount": fen} for of, fen in moved]


def public(gift: dict[str, Any], entry: dict[str, Any], number: int) -> dict[str, Any]:
    row = {"id": number, "at": gift["received_at"], "book": "test", "kind": "gift", "campaign_id": gift["campaign_id"]}
    return row | {"fen": GIFT_FEN, "who": gift["shown_as"], "what": "", "commitment": "", "reference": entry["key"]}


def sealed(row: dict[str, Any]) -> dict[str, Any]:
    same = {name: row[name] for name in ("book", "campaign_id", "kind", "at")}
    return same | {"number": row["id"], "row_id": row["id"], "campaign_fen": 0, "book_fen": 0}


def report(results: dict[str, Pages], few: int = FEW, many: int = MANY) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## A campaign's page",
        "",
        f"Made anew each time, with nothing remembered, of a campaign with {few:,} gifts and of one with {many:,}"
        f" beside it in one database, in turn; medians of {ROUNDS}. The goal: at most {GOAL} times as long, and as many"
        " statements.",
        "",
        f"| database | {few:,} gifts | {many:,} gifts | ratio | statements |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, one in results.items():
        sent = ", ".join(map(str, one.statements))
        lines.append(f"| {name} | {one.few:.1f} ms | {one.many:.1f} ms | {one.ratio:.2f} | {sent} |")
    return [*lines, ""]


def main(sizes: list[int]) -> None:
    few, many = sizes or (FEW, MANY)
    peers.open_folder()
    try:
        print("\n".join(report(measure(few, many), few, many)))
    finally:
        peers.close_folder()


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]])
