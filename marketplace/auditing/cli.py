"""`flask --app wsgi ledger …`"""

import click
from flask.cli import AppGroup

from marketplace.auditing import audit
from marketplace.core import clock, sealing
from marketplace.core.db import db, in_transaction

ledger = AppGroup("ledger", help="The books: read them independently, close their chains.")


@ledger.command("audit")
def run_audit() -> None:
    """Derive everything anew from entries, movements and events; exit 1 with the differences."""
    found = 0
    with db.engine.connect() as connection:
        looked_at = audit.figures(connection)
        for difference in audit.differences(connection):
            found += 1
            if found <= audit.MOST_SHOWN:
                click.echo(difference)
    if found > audit.MOST_SHOWN:
        click.echo(f"… and {found - audit.MOST_SHOWN} more")
    words = ", ".join(f"{number} {name}" for name, number in looked_at.items())
    click.echo(f"{found} differences in {words}." if found else f"Everything agrees: {words}.")
    raise SystemExit(bool(found))


@ledger.command("seal")
def run_seal() -> None:
    """Chain what waits, and close the days that are over."""
    for chain in sealing.chains:
        while in_transaction(sealing.seal, chain=chain, everything=True):
            pass
        for day in sealing.open_days(db.session(), chain, clock.today()):
            root = in_transaction(sealing.close_day, chain=chain, day=day)
            click.echo(f"{chain} {day}: {root}")
