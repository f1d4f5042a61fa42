"""A fund ends with its campaign: by itself, once the gifts that were on their way have come or lapsed."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.giving import LAPSES_AFTER
from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import CampaignState, FundState
from marketplace.core import clock

C = CampaignState
AFTERWARDS: Final = LAPSES_AFTER + timedelta(days=1)  # a slow bank may answer for a gift that was paid in the last minute
OVER: Final = frozenset({C.ENDED, C.DISBURSING, C.REPORTED, C.CLOSED})


def end_one_due(session: Session) -> bool:
    """The worker's duty; whether there was one. What is left goes back to the sponsor as from any closed fund; matches that
    wait for a person still wait."""
    due = select(MatchingFund).join(Campaign, Campaign.id == MatchingFund.campaign_id)
    due = due.where(MatchingFund.state != FundState.CLOSED, Campaign.state.in_(sorted(OVER)))
    due = due.where(Campaign.closed_at < clock.now() - AFTERWARDS).order_by(MatchingFund.id).limit(1)
    locked = due.with_for_update(of=MatchingFund, skip_locked=True).execution_options(populate_existing=True)
    row = session.scalar(locked)
    if row is None:
        return False
    funds.end(session, row, funds.SYSTEM, funds.CAMPAIGN_OVER)
    return True
