"""`flask --app wsgi campaigns …`"""

import time
from typing import Final

import click
from flask.cli import AppGroup
from sqlalchemy import select

from crowdfund.campaigns import going_back
from crowdfund.campaigns.going_back import Progress
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import CampaignState
from marketplace.core.db import db
from marketplace.core.formats import yuan
from marketplace.payments.gateways import current_book

EVERY: Final = 5.0  # seconds

campaigns = AppGroup("campaigns", help="Campaigns: how far one that was called off is with its refunds.")


@campaigns.command("refunds")
@click.argument("campaign")
@click.option("--watch", is_flag=True, help="Say it again every five seconds until nothing is left to send.")
def show_refunds(campaign: str, *, watch: bool) -> None:
    """How many gifts of CAMPAIGN, which was called off, have gone back. The worker sends them; this only looks.

    Exit 0 when all have arrived, 1 while some have not."""
    progress = look(campaign)
    while watch and not progress.is_over:
        time.sleep(EVERY)
        progress = look(campaign)
    raise SystemExit(progress.arrived.gifts != progress.all.gifts)


def look(campaign: str) -> Progress:
    session = db.session()
    row = session.scalar(select(Campaign).where(Campaign.public_id == campaign))
    if row is None or row.state is not CampaignState.CANCELLED:
        raise click.ClickException(f"{campaign} is no campaign that was called off.")
    progress = going_back.of(session, row.id, book=current_book())
    parts = {"arrived": progress.arrived, "sent": progress.sent, "waiting": progress.waiting}
    parts |= {"failed": progress.failed, "in cash": progress.cash}
    said = ", ".join(f"{part.gifts} {name} ({yuan(part.fen)})" for name, part in parts.items() if part.gifts)
    click.echo(f"{progress.arrived.gifts} of {progress.all.gifts} gifts are back: {said or 'there were none'}")
    session.rollback()
    return progress
