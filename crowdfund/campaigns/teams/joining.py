"""A team is opened by somebody with an account; whoever gives by its link is in it. It holds no money."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import CampaignState
from crowdfund.campaigns.teams.models import Team, TeamGift
from marketplace.core import audit, clock, page_cache
from marketplace.core.db import add_rows
from marketplace.core.errors import NotFound, Refusal

MOST: Final = 20  # teams of one person


class NotRunning(Refusal):
    message = _l("This campaign is not taking gifts right now, so no team can be opened for it.")


class TeamIsClosed(Refusal):
    message = _l("This team takes no more gifts. You were not charged; you can still give without it.")


class TooManyTeams(Refusal):
    status = 422
    message = _l("One person can open at most twenty teams.")


def open_team(session: Session, *, campaign: str, leader_id: int, shown_as: str, name: str, words: str) -> str:
    """Returns its public id. Raises NotFound, NotRunning, TooManyTeams."""
    of = session.execute(
        select(Campaign.id, Campaign.state, Campaign.channel, Campaign.ends_on).where(Campaign.public_id == campaign)
    ).first()
    if of is None:
        raise NotFound(campaign)
    if of.state is not CampaignState.LIVE or of.channel != "own_site" or of.ends_on < clock.today():
        raise NotRunning(campaign)
    if len(session.scalars(select(Team.id).where(Team.leader_id == leader_id).limit(MOST)).all()) >= MOST:
        raise TooManyTeams(campaign)
    team = Team(campaign_id=of.id, leader_id=leader_id, leader_shown_as=shown_as, name=name, words=words)
    team.words_state = "waiting"  # its name is read too, and may be hidden
    session.add(team)
    session.flush()
    audit.record(session, actor=f"person:{leader_id}", action="team.opened", subject=f"team:{team.public_id}")
    page_cache.expire(session, f"campaign:{campaign}")
    return team.public_id


def join(session: Session, *, gift: str, campaign_id: int, team: str) -> None:
    """With the gift itself. Raises TeamIsClosed."""
    found = session.scalar(select(Team).where(Team.public_id == team, Team.campaign_id == campaign_id))
    if found is None or found.closed_at or found.hidden_at:
        raise TeamIsClosed(team)
    add_rows(session, TeamGift, {"gift": gift, "team_id": found.id})


def close(session: Session, *, team: str, person_id: int) -> None:
    """By its leader: nobody joins any more, what was given stays. Raises NotFound; done again, nothing happens."""
    found = session.scalar(select(Team).where(Team.public_id == team, Team.leader_id == person_id).with_for_update())
    if found is None:
        raise NotFound(team)
    if found.closed_at is None:
        found.closed_at = clock.now()
        expire(session, found)


def decide(session: Session, *, team: str, organisations: list[str], decision: str, person_id: int) -> None:
    """An officer lets everybody read a team's words, keeps them back, or hides the team. Raises NotFound."""
    mine = select(Team).join(Campaign, Campaign.id == Team.campaign_id).where(Team.public_id == team)
    found = session.scalar(mine.where(Campaign.organisation_code.in_(organisations)).with_for_update(of=Team))
    if found is None:
        raise NotFound(team)
    if decision == "hidden":
        found.hidden_at = found.hidden_at or clock.now()
    else:
        found.words_state = "shown" if decision == "shown" else "kept_back"
    audit.record(session, actor=f"person:{person_id}", action=f"team.{decision}", subject=f"team:{team}")
    expire(session, found)


def expire(session: Session, team: Team) -> None:
    campaign = session.scalar(select(Campaign.public_id).where(Campaign.id == team.campaign_id))
    page_cache.expire(session, f"campaign:{campaign}")
