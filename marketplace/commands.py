"""Commands for the people who run it."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import AppGroup

from crowdfund.campaigns.cli import campaigns
from crowdfund.campaigns.moving.cli import giving
from crowdfund.pledges.cli import pledges
from listings import announcing, indexing
from listings.cli import search
from marketplace.accounts.cli import users
from marketplace.auditing.cli import ledger
from marketplace.core import key_rotation, migrations, outbox, templating
from marketplace.core.ciphers import Unreadable
from marketplace.core.db import in_transaction
from marketplace.core.encryption import keyring
from marketplace.core.settings import settings
from marketplace.demo import gifts, history, places
from marketplace.demo.load import greeting, load
from marketplace.demo.tables import OnlyForDemonstrations
from marketplace.duties import compose_worker
from marketplace.payments.gateways import gateways
from marketplace.payments.reconciliation.cli import payments
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.gateway import SandboxCashier
from search_index import IndexUnavailable, open_index

keys = AppGroup("keys", help="The keys of encrypted columns.")


@keys.command("rotate")
def rotate_keys() -> None:
    """Encrypt everything under the newest key of FIELD_KEYS. May be interrupted and run again, while the shop is open."""
    try:
        changed = key_rotation.rotate(lambda table, done, total: click.echo(f"  {table}: {done} of {total}"))
    except Unreadable as error:
        raise click.ClickException(
            f"FIELD_KEYS cannot read what is stored ({error}). Keep every key you have; nothing may be thrown away."
        ) from error
    click.echo(f"{changed} rows went over to key {keyring().newest}. No older key is needed any more.")


demo = AppGroup("demo", help="The demonstration: 58 counties with stations, people and goods.")


@demo.command("load")
def load_demo() -> None:
    """Add what of the demonstration is missing, and a past where there is none. Nothing that is there is changed."""
    try:
        in_transaction(load)
        history.play()
        gifts.play()
    except OnlyForDemonstrations as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(greeting())


reference = AppGroup("places", help="What stands before anybody sells: counties, stations, categories, shipping.")


@reference.command("load")
def load_places() -> None:
    """Add the counties, stations, categories, provinces and shipping rates that are missing. No people, no goods.

    What is there stays as it is. Addresses, hours and telephones of the stations are invented, and so are the rates: put
    your own in their place before you open."""
    in_transaction(places.load)
    click.echo("Counties, stations, categories, provinces and shipping rates are there.")


translations = AppGroup("translations", help="The sentences of the source and their translations.")
migration = AppGroup("migration", help="For developers: the schema's history.")


@translations.command("check")
def check_translations() -> None:
    """Fail on a sentence that is missing, left over, translated twice, or whose blanks differ."""
    from marketplace.core import catalogues  # Babel's readers of source stay out of the other processes

    found = catalogues.problems()
    click.echo("\n".join(found) or "Every sentence is translated.")
    raise SystemExit(bool(found))


@migration.command("new")
@click.argument("message")
@click.option("--from-nothing", is_flag=True, help="Replace all migrations by one: only before the first release.")
def write_migration(message: str, from_nothing: bool) -> None:
    """Write the migration from the newest schema to what the models say."""
    click.echo(migrations.write(message, from_nothing=from_nothing))


@click.command("prepare")
def prepare() -> None:
    """Schema, pages, demonstration and index as this version wants them, and who may sign in (in DATA/welcome.txt)."""
    with said("Bringing the database up to date"):
        migrations.bring_up_to_date()
        prepare_cashier()
    with said("Making the pages ready"):
        templating.compile_all(current_app)
    words = ""
    if settings().is_demo:
        with said("Loading the demonstration"):
            in_transaction(load)
        with said("Living through its past month"):
            history.play()
            gifts.play()
        words = greeting()
    if index_is_missing():
        with said("Writing the search index"):
            in_transaction(outbox.discard, topic=announcing.TOPIC)
            indexing.rebuild()
    (settings().data / "welcome.txt").write_text(f"{words}\n", "utf-8")


def prepare_cashier() -> None:
    """The sandbox's own tables, where test money is used."""
    cashier = gateways().by_name.get("sandbox")
    if isinstance(cashier, SandboxCashier):
        storage.prepare(cashier.storage)


def index_is_missing() -> bool:
    try:
        return bool(open_index(settings().search_folder).check().needs_rebuild)
    except IndexUnavailable:
        return True


@contextmanager
def said(text: str) -> Iterator[None]:
    click.echo(f"  {text} …", nl=False)
    began = time.monotonic()
    yield
    click.echo(f" {time.monotonic() - began:.1f} s")


@click.command("worker")
def worker() -> None:
    """Deliver what waits and do what is due, until told to stop. The only process that writes the search index."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    compose_worker(current_app).run(stop)


EVERY = (
    worker,
    demo,
    reference,
    keys,
    search,
    ledger,
    payments,
    campaigns,
    giving,
    pledges,
    users,
    translations,
    migration,
    prepare,
)
