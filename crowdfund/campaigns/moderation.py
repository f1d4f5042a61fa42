"""Words of givers: nobody else reads them before an officer of the organisation has."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Contribution
from marketplace.core import audit, page_cache
from marketplace.core.errors import NotFound


def waiting(session: Session, organisations: Sequence[str]) -> Sequence[Any]:
    """Messages that came with money and that nobody has read, the oldest first."""
    columns = select(Contribution.public_id, Contribution.message, Contribution.shown_as, Contribution.received_at)
    mine = columns.add_columns(Campaign.title_zh).join(Campaign, Campaign.id == Contribution.campaign_id)
    mine = mine.where(Campaign.organisation_code.in_(organisations), Contribution.state == "received")
    return session.execute(mine.where(Contribution.message_state == "waiting").order_by(Contribution.id).limit(50)).all()


def decide(session: Session, *, gift: str, organisations: Sequence[str], is_shown: bool, person: int) -> None:
    """Let everybody read it, or nobody. Deciding again changes it. Raises NotFound."""
    mine = select(Campaign.public_id).join(Contribution, Contribution.campaign_id == Campaign.id)
    mine = mine.where(Contribution.public_id == gift, Contribution.message_state != "")
    campaign = session.scalar(mine.where(Campaign.organisation_code.in_(organisations)))
    if campaign is None:
        raise NotFound(gift)
    to = "shown" if is_shown else "kept_back"
    session.execute(update(Contribution).where(Contribution.public_id == gift).values(message_state=to))
    audit.record(session, actor=f"person:{person}", action=f"message.{to}", subject=f"contribution:{gift}")
    page_cache.expire(session, f"campaign:{campaign}")
