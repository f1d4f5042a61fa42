"""Updates and comments as pages show them: a fixed number of statements."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.news.models import CampaignComment, CampaignUpdate, UpdatePicture
from crowdfund.campaigns.states import PUBLIC
from marketplace.core.errors import NotFound
from marketplace.core.records import record
from marketplace.core.settings import settings

MOST: Final = 50


@record
class Told:
    title: str
    words: tuple[str, ...]
    at: datetime
    pictures: tuple[Any, ...]  # rows with public_id, width, height, taken_back_why


def updates(session: Session, campaign: str) -> list[Told]:
    """The latest first. Two statements."""
    mine = select(CampaignUpdate).join(Campaign, Campaign.id == CampaignUpdate.campaign_id)
    mine = mine.where(Campaign.public_id == campaign).order_by(CampaignUpdate.at.desc(), CampaignUpdate.id.desc())
    found = session.scalars(mine.limit(MOST)).all()
    drawn = select(UpdatePicture).where(UpdatePicture.update_id.in_([each.id for each in found]))
    pictures: dict[int, list[UpdatePicture]] = defaultdict(list)
    for picture in session.scalars(drawn.order_by(UpdatePicture.position)):
        pictures[picture.update_id].append(picture)
    return [Told(each.title_zh, parts(each.words_zh), each.at, tuple(pictures[each.id])) for each in found]


def parts(words: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in words.splitlines() if part.strip())


def comments(session: Session, campaign: str) -> Sequence[Any]:
    """(words, shown_as, at) of those that an officer has let through."""
    mine = select(CampaignComment.words, CampaignComment.shown_as, CampaignComment.at)
    mine = mine.join(Campaign, Campaign.id == CampaignComment.campaign_id).where(Campaign.public_id == campaign)
    mine = mine.where(CampaignComment.words_state == "shown")
    return session.execute(mine.order_by(CampaignComment.id.desc()).limit(MOST)).all()


def waiting(session: Session, organisations: Sequence[str]) -> Sequence[Any]:
    """Comments that nobody has read, the oldest first."""
    mine = select(CampaignComment.public_id, CampaignComment.words, CampaignComment.shown_as, Campaign.title_zh)
    mine = mine.join(Campaign, Campaign.id == CampaignComment.campaign_id)
    mine = mine.where(Campaign.organisation_code.in_(organisations), CampaignComment.words_state == "waiting")
    return session.execute(mine.order_by(CampaignComment.id).limit(50)).all()


def picture_file(session: Session, campaign: str, picture: str, width: int) -> Path:
    """Raises NotFound."""
    mine = select(UpdatePicture.digest).join(CampaignUpdate, CampaignUpdate.id == UpdatePicture.update_id)
    mine = mine.join(Campaign, Campaign.id == CampaignUpdate.campaign_id).where(Campaign.state.in_(PUBLIC))
    mine = mine.where(UpdatePicture.taken_back_why == "")
    digest = session.scalar(mine.where(Campaign.public_id == campaign, UpdatePicture.public_id == picture))
    if digest is None:
        raise NotFound(picture)
    return file_of(digest, width)


def shown_pictures(session: Session, campaign: str) -> Sequence[Any]:
    """(public_id, title of its update, at) of those that everybody sees, the latest first."""
    mine = select(UpdatePicture.public_id, CampaignUpdate.title_zh, CampaignUpdate.at)
    mine = mine.join(CampaignUpdate, CampaignUpdate.id == UpdatePicture.update_id)
    mine = mine.join(Campaign, Campaign.id == CampaignUpdate.campaign_id)
    mine = mine.where(Campaign.public_id == campaign, UpdatePicture.taken_back_why == "")
    return session.execute(mine.order_by(CampaignUpdate.id.desc(), UpdatePicture.position).limit(4 * MOST)).all()


def file_of(digest: str, width: int) -> Path:
    return settings().media_folder.resolve() / digest[:2] / digest / f"{width}.webp"
