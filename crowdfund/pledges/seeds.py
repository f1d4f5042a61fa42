"""The seeds of the daily shuffle: made a day ahead, their hashes published at once, they themselves when the day is over."""

import secrets
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges.drawing import seed_hash
from crowdfund.pledges.models import DrawSeed
from marketplace.core import clock
from marketplace.core.db import insert_or_ignore


def provide(session: Session) -> None:
    """Seeds for today and tomorrow: the worker's duty. Where a day began without one, its page says so by the time."""
    for day in (clock.today(), clock.today() + timedelta(days=1)):
        if session.scalar(select(DrawSeed.day).where(DrawSeed.day == day)) is None:
            seed = secrets.token_hex(32)
            row = {"day": day, "seed": seed, "seed_hash": seed_hash(seed), "published_at": clock.now()}
            insert_or_ignore(session, DrawSeed, row)


def seed_of(session: Session, day: date) -> str | None:
    return session.scalar(select(DrawSeed.seed).where(DrawSeed.day == day))


def today(session: Session) -> str:
    """The seed of today. In a house whose worker has not come so far it is made now, before anything is dealt by it."""
    found = seed_of(session, clock.today())
    if found is None:
        provide(session)
        found = seed_of(session, clock.today())
    assert found is not None
    return found


def published(session: Session, limit: int = 30) -> list[tuple[DrawSeed, str]]:
    """The latest days with the seed of each that is over, else nothing in its place."""
    rows = session.scalars(select(DrawSeed).order_by(DrawSeed.day.desc()).limit(limit))
    return [(row, row.seed if row.day < clock.today() else "") for row in rows]
