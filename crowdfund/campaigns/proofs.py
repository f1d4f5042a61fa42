"""That one row is in the public ledger: its content, its chain code, and its way up to the root of its day. What `verify.py`
prints of it, made for whoever wants no whole ledger."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.chain import CHAIN, content
from crowdfund.campaigns.json_lines import newest
from crowdfund.campaigns.models import Campaign, PublicRow
from marketplace.core import sealing
from marketplace.core.errors import NotFound
from marketplace.core.sealing import DailyRoot, Seal


def of_row(session: Session, number: int) -> dict[str, Any]:
    """`day` is `open` as long as its day is: then the root is that of the rows so far, and no ledger has it.

    Raises NotFound for a number that is not sealed."""
    wanted = select(PublicRow, Campaign.public_id, Seal.previous, Seal.hash).join(Seal, Seal.record_id == PublicRow.id)
    wanted = wanted.join(Campaign, Campaign.id == PublicRow.campaign_id)
    found = session.execute(wanted.where(Seal.chain == CHAIN, Seal.number == number)).first()
    if found is None:
        raise NotFound(f"row {number}")
    day, first, last = day_of(session, number)
    codes = select(Seal.hash).where(Seal.chain == CHAIN, Seal.number.between(first, last)).order_by(Seal.number)
    hashes = session.scalars(codes).all()
    row: PublicRow = found[0]
    return {
        "number": number,
        "previous": found.previous,
        "row": content(row, found.public_id),
        "hash": found.hash,
        "day": day,
        "first": first,
        "last": last,
        "path": sealing.merkle_path(hashes, number - first),
        "root": sealing.merkle_root(hashes),
    }


def day_of(session: Session, number: int) -> tuple[str, int, int]:
    """The day on which it was sealed, with its first and its last number."""
    roots = select(DailyRoot.day, DailyRoot.first_number, DailyRoot.last_number).where(DailyRoot.chain == CHAIN)
    closed = session.execute(roots.where(DailyRoot.last_number >= number).order_by(DailyRoot.day).limit(1)).first()
    if closed:
        return closed.day.isoformat(), closed.first_number, closed.last_number
    before = session.execute(roots.order_by(DailyRoot.day.desc()).limit(1)).first()
    return "open", before.last_number + 1 if before else 1, newest(session)
