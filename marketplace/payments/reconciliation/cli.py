"""`flask --app wsgi payments …`"""

import time
from collections.abc import Callable
from typing import Final

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.payments.gateways import GatewayError, PaymentGateway, gateways
from marketplace.payments.reconciliation import differences, proof, rehearsing, running, switch

PATIENCE: Final = 2.0  # seconds without a word
ACTOR: Final = "command line"

payments = AppGroup("payments", help="What gateways say beside what the books say.")


@payments.command("reconcile")
@click.option("--dry-run", is_flag=True, help="Find everything, change nothing.")
@click.option("--all", "whole", is_flag=True, help="Everything from the beginning, not only the new.")
def reconcile(dry_run: bool, whole: bool) -> None:
    """Hold the gateways' movements against the books; exit 1 with the differences. May be interrupted and run again."""
    if not dry_run and not in_transaction(switch.is_on):
        raise click.ClickException("Reconciliation is switched off (/operator/reconciliation). --dry-run is possible.")
    run = rehearsing.rehearse if dry_run else running.reconcile
    is_red = False
    for gateway in gateways().by_name.values():
        try:
            standing = run(gateway, actor=ACTOR, whole=whole, tell=from_time_to_time())
        except GatewayError as error:
            words = f"{gateway.name} does not answer ({error!r}). Nothing is lost; run it again."
            raise click.ClickException(words) from error
        say(gateway, standing)
        if standing.is_red and not dry_run:
            in_transaction(say_differences, gateway=gateway)
        is_red = is_red or standing.is_red
    raise SystemExit(is_red)


def from_time_to_time() -> Callable[[str], None]:
    spoken = time.monotonic()

    def tell(words: str) -> None:
        nonlocal spoken
        if time.monotonic() - spoken > PATIENCE:
            spoken = time.monotonic()
            click.echo(f"  … {words}", err=True)

    return tell


def say(gateway: PaymentGateway, standing: proof.Standing) -> None:
    counted = ", ".join(f"{number} {verdict}" for verdict, number in sorted(standing.counts.items()) if number)
    missing = f", {standing.missing} entries missing there" if standing.missing else ""
    click.echo(f"{gateway.name}: {counted or 'nothing has moved'}{missing}")
    for currency, each in standing.proofs.items():
        terms = ", ".join(f"{name} {fen}" for name, fen in each.as_json().items() if fen or name in {"balance", "books"})
        click.echo(f"  {currency}: {terms}: {'RED' if each.is_red else 'it adds up'}")


def say_differences(session: Session, *, gateway: PaymentGateway) -> None:
    for movement in differences.wrong(session, gateway=gateway.name):
        what = f"{movement.type} {movement.remote_id} of {movement.gross} {movement.currency}"
        click.echo(f"{movement.verdict}: {what}: {movement.note}")
    for entry in proof.missing_entries(session, gateway):
        click.echo(f"missing: {entry.key} of {entry.amount} {entry.commodity} is in the books alone")
