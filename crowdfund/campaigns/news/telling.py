"""Telling how a campaign goes on, and saying something to it. What officers tell is not changed: they tell more."""

from collections.abc import Sequence
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.news.models import CampaignComment, CampaignUpdate, UpdatePicture
from crowdfund.campaigns.states import PUBLIC
from marketplace.core import audit, clock, outbox, page_cache
from marketplace.core.errors import NotFound, Refusal, StaleState

TOLD: Final = "campaign.told"  # of news, to partners' machines
MOST_WAITING: Final = 5  # comments of one person that nobody has read yet
Picture = tuple[str, int, int]  # digest, width, height


class NotPublic(Refusal):
    message = _l("Updates are for campaigns that everybody can see.")


class NoReason(Refusal):
    status = 422
    message = _l("Please give a reason. It is kept on record.")


class TooManyComments(Refusal):
    status = 429
    message = _l("Five of your comments wait to be read. Please wait a little.")


def tell(
    session: Session,
    *,
    campaign: str,
    organisations: Sequence[str],
    author: int,
    words: tuple[str, str],
    pictures: list[Picture],
) -> str:
    """`words` are title and text; returns the update's public id. Raises NotFound, NotPublic."""
    mine = select(Campaign).where(Campaign.public_id == campaign, Campaign.organisation_code.in_(organisations))
    of = session.scalar(mine)
    if of is None:
        raise NotFound(campaign)
    if of.state not in PUBLIC:
        raise NotPublic(campaign)
    told = CampaignUpdate(campaign_id=of.id, author_id=author, title_zh=words[0], words_zh=words[1])
    session.add(told)
    session.flush()
    for position, (digest, width, height) in enumerate(pictures):
        place = {"update_id": told.id, "position": position}
        session.add(UpdatePicture(**place, digest=digest, width=width, height=height))
    audit.record(session, actor=f"person:{author}", action="campaign.update_told", subject=f"campaign:{campaign}")
    page_cache.expire(session, f"campaign:{campaign}")
    outbox.put(session, TOLD, campaign=campaign, update=told.public_id, at=clock.now().isoformat())
    return told.public_id


def take_back(session: Session, *, picture: str, organisations: Sequence[str], person_id: int, reason: str) -> None:
    """A picture that shows what it should not is not shown any more, at one person's word; everybody reads why.

    Raises NotFound, NoReason; StaleState where it was taken back already."""
    mine = select(UpdatePicture, Campaign.public_id).join(CampaignUpdate, CampaignUpdate.id == UpdatePicture.update_id)
    mine = mine.join(Campaign, Campaign.id == CampaignUpdate.campaign_id)
    mine = mine.where(UpdatePicture.public_id == picture, Campaign.organisation_code.in_(organisations))
    found = session.execute(mine.with_for_update(of=UpdatePicture)).first()
    if found is None:
        raise NotFound(picture)
    row, campaign = found
    if not reason.strip():
        raise NoReason(picture)
    if row.taken_back_why:
        raise StaleState(picture)
    row.taken_back_why = reason.strip()
    told = {"actor": f"person:{person_id}", "subject": f"campaign:{campaign}", "why": row.taken_back_why}
    audit.record(session, action="campaign.picture_taken_back", **told, picture=picture)
    page_cache.expire(session, f"campaign:{campaign}")


def say(session: Session, *, campaign: str, person_id: int, shown_as: str, words: str) -> str:
    """Nobody else reads it before an officer has. Raises NotFound, TooManyComments."""
    of = session.scalar(select(Campaign.id).where(Campaign.public_id == campaign, Campaign.state.in_(PUBLIC)))
    if of is None:
        raise NotFound(campaign)
    mine = select(func.count()).select_from(CampaignComment).where(CampaignComment.person_id == person_id)
    if int(session.scalar(mine.where(CampaignComment.words_state == "waiting")) or 0) >= MOST_WAITING:
        raise TooManyComments(campaign)
    said = CampaignComment(campaign_id=of, person_id=person_id, shown_as=shown_as, words=words)
    session.add(said)
    session.flush()
    return said.public_id


def decide(session: Session, *, comment: str, organisations: Sequence[str], is_shown: bool, person_id: int) -> None:
    """Let everybody read it, or nobody. Deciding again changes it. Raises NotFound."""
    mine = select(CampaignComment, Campaign.public_id).join(Campaign, Campaign.id == CampaignComment.campaign_id)
    mine = mine.where(CampaignComment.public_id == comment, Campaign.organisation_code.in_(organisations))
    row = session.execute(mine.with_for_update(of=CampaignComment)).first()
    if row is None:
        raise NotFound(comment)
    row[0].words_state = "shown" if is_shown else "kept_back"
    action = f"comment.{row[0].words_state}"
    audit.record(session, actor=f"person:{person_id}", action=action, subject=f"comment:{comment}")
    page_cache.expire(session, f"campaign:{row[1]}")
