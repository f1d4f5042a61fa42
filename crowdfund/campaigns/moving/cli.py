"""`flask --app wsgi giving …`"""

import time
from pathlib import Path
from typing import Final

import click
from flask.cli import AppGroup
from sqlalchemy import inspect

from crowdfund.campaigns.moving import reading, writing
from crowdfund.campaigns.moving.folder import NotAnExport
from marketplace.core import migrations
from marketplace.core.db import db

PATIENCE: Final = 2.0  # seconds without a word

giving = AppGroup("giving", help="All of a house's giving: into a folder, and out of it in another house.")
FOLDER: Final = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


class Teller:
    """Says how far it is, not more often than somebody would ask."""

    def __init__(self) -> None:
        self.spoken = time.monotonic()

    def __call__(self, words: str) -> None:
        if time.monotonic() - self.spoken > PATIENCE:
            self.spoken = time.monotonic()
            click.echo(f"  … {words}", err=True)


@giving.command("export")
@FOLDER
def run_export(folder: Path) -> None:
    """Write organisations, campaigns, gifts without their givers, books, evidence's hashes and the public ledger.

    Nothing of it may be on its way: refunds, payments to providers, disputes, funds and matches that wait for somebody.
    Interrupted, it is begun anew."""
    try:
        rows = writing.export(folder, Teller())
    except (writing.NotAtRest, NotAnExport) as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{rows} rows of the public ledger, and all that belongs to them, are in {folder}.")


@giving.command("import")
@FOLDER
def run_import(folder: Path) -> None:
    """Read such a folder into a house without giving of its own. Interrupted, run it again: it goes on where it was.

    An empty database gets its tables first. Nobody may give here meanwhile: keep the web server and the worker down."""
    if not inspect(db.engine).has_table("campaign"):
        migrations.bring_up_to_date()
    try:
        rows = reading.read_in(folder, Teller())
    except (reading.NotEmpty, NotAnExport) as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"{rows} rows of the public ledger are in; every balance is what the other house said.")
