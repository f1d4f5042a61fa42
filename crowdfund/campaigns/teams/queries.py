"""A team as its page shows it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.teams.models import Team, TeamGift
from marketplace.core.errors import NotFound
from marketplace.core.records import record
from marketplace.ledger.models import Entry, LedgerAccount, Line

MOST_GIFTS: Final = 50
MOST_TEAMS: Final = 12


@record
class Shown:
    """`raised_fen` is what its gifts are that stayed, without what was matched to them."""

    id: str
    name: str
    leader_id: int
    leader: str  # as they chose to be called; empty: anonymous
    words: str  # that an officer has let through
    campaign: str
    is_closed: bool
    raised_fen: int
    gifts: int

    @property
    def url(self) -> str:
        return f"/campaigns/{self.campaign}/teams/{self.id}"


@record
class Member:
    """A gift of the team, as its giver is called in the public ledger."""

    who: str
    fen: int
    at: datetime


def stayed() -> Any:
    """SQL, by team: fen that were given and stayed, and by how many gifts."""
    moved = select(
        TeamGift.team_id, func.sum(-Line.amount).label("fen"), func.count(TeamGift.gift.distinct()).label("gifts")
    )
    moved = moved.join(Entry, Entry.reference == TeamGift.gift).join(Line, Line.entry_id == Entry.id)
    moved = moved.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(LedgerAccount.kind == "restricted")
    return moved.group_by(TeamGift.team_id).subquery()


def columns(sums: Any = None) -> Any:
    sums = stayed() if sums is None else sums
    mine = select(Team, Campaign.public_id, sums.c.fen, sums.c.gifts).join(Campaign, Campaign.id == Team.campaign_id)
    return mine.outerjoin(sums, sums.c.team_id == Team.id).where(Team.hidden_at.is_(None))


def shown(row: Any) -> Shown:
    team: Team = row.Team
    words = team.words if team.words_state == "shown" else ""
    told = (team.public_id, team.name, team.leader_id, team.leader_shown_as, words, row.public_id)
    return Shown(*told, team.closed_at is not None, int(row.fen or 0), int(row.gifts or 0))


def find(session: Session, campaign: str, team: str) -> Shown:
    """Raises NotFound, also for one that an officer has hidden."""
    row = session.execute(columns().where(Campaign.public_id == campaign, Team.public_id == team)).first()
    if row is None:
        raise NotFound(team)
    return shown(row)


def of_campaign(session: Session, campaign: str) -> list[Shown]:
    """Those that raised most."""
    sums = stayed()
    mine = columns(sums).where(Campaign.public_id == campaign, sums.c.fen > 0)
    rows = session.execute(mine.order_by(sums.c.fen.desc(), Team.id).limit(MOST_TEAMS))
    return [shown(row) for row in rows]


def members(session: Session, team: str) -> list[Member]:
    """The latest gifts first."""
    mine = select(Contribution.shown_as, Contribution.fen, Contribution.received_at)
    mine = mine.join(TeamGift, TeamGift.gift == Contribution.public_id).join(Team, Team.id == TeamGift.team_id)
    mine = mine.where(Team.public_id == team, Contribution.state == "received")
    rows = session.execute(mine.order_by(Contribution.received_at.desc(), Contribution.id.desc()).limit(MOST_GIFTS))
    return [Member(row.shown_as, row.fen, row.received_at) for row in rows]


def of_person(session: Session, person_id: int) -> list[Shown]:
    """The teams that somebody leads."""
    return [shown(row) for row in session.execute(columns().where(Team.leader_id == person_id).order_by(Team.id.desc()))]


def waiting(session: Session, organisations: Sequence[str]) -> Sequence[Any]:
    """Teams whose words nobody has read, the oldest first."""
    mine = select(Team.public_id, Team.name, Team.words, Campaign.title_zh).join(Campaign, Campaign.id == Team.campaign_id)
    mine = mine.where(Campaign.organisation_code.in_(organisations), Team.words_state == "waiting", Team.hidden_at.is_(None))
    return session.execute(mine.order_by(Team.id).limit(50)).all()
