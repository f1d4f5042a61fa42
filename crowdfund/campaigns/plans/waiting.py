"""Whoever gives every month to what pauses for want of a certificate is told at once, and not on their next day alone."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.plans import letters
from crowdfund.campaigns.plans.models import Plan
from crowdfund.campaigns.states import PlanState
from marketplace.core.db import in_transaction

PAGE: Final = 200


def tell(*, campaign: str) -> None:
    """The listener of `campaign.uncertified`; told again, nobody hears it twice."""
    last = 0
    while plans := in_transaction(tell_some, campaign=campaign, after=last):
        last = plans[-1]


def tell_some(session: Session, *, campaign: str, after: int) -> Sequence[int]:
    """The numbers of the plans whose givers were told; none where the campaign has gone on meanwhile."""
    if not standing.is_waiting(session, campaign):
        return []
    mine = select(Plan).join(Campaign, Campaign.id == Plan.campaign_id)
    mine = mine.where(Campaign.public_id == campaign, Plan.state == PlanState.ACTIVE, Plan.id > after)
    plans = session.scalars(mine.order_by(Plan.id).limit(PAGE)).all()
    for plan in plans:
        letters.uncertified(session, plan)
    return [plan.id for plan in plans]
