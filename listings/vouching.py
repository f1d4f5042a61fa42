"""What vouches for goods on their page: papers with their numbers, and the station's latest look at them."""

from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from listings import checks
from listings.models import Certificate, Review
from marketplace.core.db import Columns, rows
from marketplace.core.formats import language
from marketplace.core.records import record


@record
class Paper:
    """A certificate: what it says, its number, how far it was verified."""

    kind: str
    name: str
    number: str
    status: str
    picture: str | None  # the public id of one


@record
class Checked:
    """What the station found when it looked at the goods."""

    at: datetime
    goods_seen: bool
    findings: tuple[str, ...]


def papers_of(session: Session, listing: int) -> tuple[Paper, ...]:
    in_english = language() == "en"
    return tuple(
        Paper(
            row.kind,
            row.name_en if in_english and row.name_en else row.name_zh,
            row.number,
            row.status,
            row.media_public_id,
        )
        for row in rows(session, rows_of_papers(), wanted=listing)
    )


@cache
def rows_of_papers() -> Columns:
    wanted = select(Certificate.kind, Certificate.name_zh, Certificate.name_en, Certificate.number, Certificate.status)
    wanted = wanted.add_columns(Certificate.media_public_id)
    return wanted.where(Certificate.listing_id == bindparam("wanted")).order_by(Certificate.id)


def last_check(session: Session, listing: int) -> Checked | None:
    """The station's latest favourable look at the goods."""
    row = next(iter(rows(session, rows_of_checks(), wanted=listing)), None)
    return Checked(row.at, row.goods_seen, tuple(checks.sentences(row.findings))) if row else None


@cache
def rows_of_checks() -> Columns:
    wanted = select(Review.at, Review.goods_seen, Review.findings)
    wanted = wanted.where(Review.listing_id == bindparam("wanted"), Review.is_accepted)
    return wanted.order_by(Review.at.desc(), Review.id.desc()).limit(1)
