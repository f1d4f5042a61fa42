"""`flask --app wsgi pledges …`"""

from datetime import datetime

import click
from flask.cli import AppGroup

from crowdfund.pledges import replay
from marketplace.core import clock
from marketplace.core.db import db

pledges = AppGroup("pledges", help="Deposit pledges: repeat the order in which cards were dealt.")


@pledges.command("replay")
@click.argument("day", type=click.DateTime(formats=["%Y-%m-%d"]))
def run_replay(day: datetime) -> None:
    """Repeat the shuffle of DAY (2026-10-18) and every deal made by it; exit 1 if anything differs.

    The seed of a day that is not over stays closed: nobody shall know whose card comes next."""
    asked = day.date()
    if asked >= clock.today():
        raise click.ClickException("This day is not over; its seed is shown tomorrow.")
    session = db.session()
    known = replay.order_of(session, asked)
    if known is None:
        raise click.ClickException("There is no seed of this day.")
    click.echo(f"seed  {known.seed}\nhash  {known.seed_hash}")
    if not known.published_in_time:
        click.echo("The hash was published on the day itself, not the day before.")
    for place in known.places:
        click.echo(f"{place.position:>5}  group {place.group:<3} {place.key[:16]}  {place.public_id}  {place.alias_zh}")
    wrong = replay.wrong_deals(session, asked, known)
    if not known.fits:
        click.echo("The seed is not the one whose hash was published.")
    for number in wrong:
        click.echo(f"deal {number} does not follow this order")
    click.echo(
        f"{len(known.places)} children; {len(wrong)} deals differ." if wrong else f"OK, {len(known.places)} children."
    )
    raise SystemExit(bool(wrong) or not known.fits)
