"""`flask --app wsgi ledger …`"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import click
from flask.cli import AppGroup
from sqlalchemy import Connection, Engine

from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import clock, sealing
from marketplace.core.db import db, in_transaction
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.gateway import SandboxCashier

MOST_SHOWN: Final = 20  # of each check
PATIENCE: Final = 2.0  # seconds without a word

ledger = AppGroup("ledger", help="The books: read them independently, close their chains.")


@ledger.command("audit")
def run_audit() -> None:
    """Derive everything anew from entries, movements and events; exit 1 with the differences."""
    found: dict[str, int] = {}
    with ExitStack() as stack:
        connection = stack.enter_context(snapshot(db.engine))
        cashier = gateways().by_name.get("sandbox")
        theirs = stack.enter_context(snapshot(records_of(cashier))) if isinstance(cashier, SandboxCashier) else None
        looked_at = ", ".join(f"{number} {name}" for name, number in audit.figures(connection).items())
        spoken = time.monotonic()
        for finding in audit.findings(connection, theirs):
            if isinstance(finding, Difference):
                found[finding.check] = found.get(finding.check, 0) + 1
                if found[finding.check] <= MOST_SHOWN:
                    click.echo(f"{finding.check}: {finding.words}")
            elif time.monotonic() - spoken > PATIENCE:
                spoken = time.monotonic()
                click.echo(f"  … {finding}", err=True)
    for check, number in found.items():
        if number > MOST_SHOWN:
            click.echo(f"{check}: and {number - MOST_SHOWN} more")
    click.echo(f"{sum(found.values())} differences in {looked_at}." if found else f"OK, everything agrees: {looked_at}.")
    raise SystemExit(bool(found))


def records_of(cashier: SandboxCashier) -> Engine:
    """Its own database. A house that only took in another's giving has none yet: empty, it is compared like any other."""
    storage.prepare(cashier.storage)
    return cashier.storage


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One moment of the database, whatever is written meanwhile; nothing can be written through it."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect() as connection:
        yield connection.execution_options(**options) if engine.dialect.name == "postgresql" else connection


@ledger.command("seal")
def run_seal() -> None:
    """Chain what waits, and close the days that are over."""
    for chain in sealing.chains:
        while in_transaction(sealing.seal, chain=chain, everything=True):
            pass
        for day in sealing.open_days(db.session(), chain, clock.today()):
            root = in_transaction(sealing.close_day, chain=chain, day=day)
            click.echo(f"{chain} {day}: {root}")
