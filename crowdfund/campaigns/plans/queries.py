"""A plan as its giver sees it, by its secret link or in their account."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans.links import url_of
from crowdfund.campaigns.plans.models import Installment, Plan
from crowdfund.campaigns.states import CampaignState, ContributionState, PlanState
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.records import record

MONTHS_SHOWN: Final = 24


@record
class Shown:
    """A plan in the reader's language."""

    id: str
    url: str
    state: PlanState
    book: str
    fen: int
    first_on: date
    next_on: date | None
    has_mandate: bool
    card_ends_on: date | None
    stop_reason: str
    campaign: str
    kind: str
    title: str
    ends_on: date  # the campaign's last day

    @property
    def is_at_its_end(self) -> bool:
        """The campaign is over before another month."""
        return self.next_on is not None and self.next_on > self.ends_on

    @property
    def has_begun(self) -> bool:
        return self.next_on is not None or self.state is not PlanState.ACTIVE


@record
class Month:
    """`is_open`: its giver may pay it now."""

    period: date
    gift: str
    fen: int
    state: ContributionState
    url: str
    is_open: bool


def columns() -> Any:
    mine = select(Plan.public_id, Plan.state, Plan.book, Plan.fen, Plan.first_on, Plan.next_on, Plan.stop_reason)
    mine = mine.add_columns(
        Plan.mandate.is_not(None).label("has_mandate"), Plan.card_ends_on, Campaign.public_id.label("campaign")
    )
    mine = mine.add_columns(Campaign.kind, Campaign.title_zh, Campaign.title_en, Campaign.ends_on)
    return mine.join(Campaign, Campaign.id == Plan.campaign_id)


def shown(row: Any) -> Shown:
    plan = (row.public_id, url_of(row.public_id), row.state, row.book, row.fen, row.first_on, row.next_on, row.has_mandate)
    return Shown(
        *plan,
        row.card_ends_on,
        row.stop_reason,
        row.campaign,
        row.kind,
        in_language(row.title_zh, row.title_en),
        row.ends_on,
    )


def find(session: Session, token: str) -> Shown:
    """By its secret link. Raises NotFound, alike for every wrong one."""
    row = session.execute(columns().where(Plan.token_hash == token_hash(token))).first()
    if row is None:
        raise NotFound("plan")
    return shown(row)


def of_gift(session: Session, plan: str) -> Shown | None:
    """The plan that a gift's page speaks of, once it has begun."""
    row = session.execute(columns().where(Plan.public_id == plan)).first() if plan else None
    found = shown(row) if row else None
    return found if found and found.has_begun else None


def of_person(session: Session, person_id: int) -> list[Shown]:
    """What has begun, the latest first."""
    begun = or_(Plan.next_on.is_not(None), Plan.state != PlanState.ACTIVE)
    mine = columns().where(Plan.person_id == person_id, begun).order_by(Plan.id.desc())
    return [shown(row) for row in session.execute(mine)]


def page_of_person(session: Session, person_id: int, *, before: str, size: int) -> tuple[list[Shown], str]:
    """All of them, the latest first, below the plan `before`; and where the next page goes on, nothing after the last."""
    mine = columns().where(Plan.person_id == person_id)
    if before:
        known = select(Plan.id).where(Plan.public_id == before, Plan.person_id == person_id)
        mine = mine.where(Plan.id < known.scalar_subquery())
    found = [shown(row) for row in session.execute(mine.order_by(Plan.id.desc()).limit(size + 1))]
    return found[:size], found[size - 1].id if len(found) > size else ""


def find_own(session: Session, plan: str, person_id: int) -> Shown:
    """By its public id, for whose it is. Raises NotFound for every other."""
    row = session.execute(columns().where(Plan.public_id == plan, Plan.person_id == person_id)).first()
    if row is None:
        raise NotFound(plan)
    return shown(row)


def months(session: Session, plan: Shown) -> Sequence[Month]:
    """Its gifts, the latest first."""
    wanted = select(Installment.period, Contribution.public_id, Contribution.fen, Contribution.state, Campaign.state)
    wanted = wanted.join(Plan, Plan.id == Installment.plan_id).join(Campaign, Campaign.id == Plan.campaign_id)
    wanted = wanted.join(Contribution, Contribution.id == Installment.contribution_id)
    rows = session.execute(
        wanted.where(Plan.public_id == plan.id).order_by(Installment.period.desc()).limit(MONTHS_SHOWN)
    ).all()
    return [
        Month(
            period=period,
            gift=gift,
            fen=fen,
            state=state,
            url=f"/campaigns/{plan.campaign}/gifts/{giving.link_token(gift)}",
            is_open=state is ContributionState.PENDING and campaign is CampaignState.LIVE,
        )
        for period, gift, fen, state, campaign in rows
    ]
