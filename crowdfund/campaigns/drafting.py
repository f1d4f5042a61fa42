"""Writing a campaign down: an officer of the organisation makes it, and changes it until it is approved."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import BudgetLine, Campaign
from crowdfund.campaigns.states import CampaignState
from marketplace.core import audit
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace

CHANGED: Final = "campaign.changed"
OPEN_TO_CHANGE: Final = frozenset({CampaignState.DRAFT, CampaignState.NEEDS_WORK})
OPEN_TO_FILING: Final = OPEN_TO_CHANGE | {CampaignState.SUBMITTED, CampaignState.APPROVED}


class Locked(Refusal):
    message = _l("What was approved is no longer changed; its purpose is a promise to the givers.")


@record
class Line:
    """One part of the budget."""

    name_zh: str
    fen: int
    name_en: str = ""


def create(
    session: Session, *, organisation: str, owner: int, facts: Mapping[str, Any], budget: Sequence[Line], public_id: str = ""
) -> str:
    """A draft of this organisation; returns its public id. `facts` are columns of Campaign by their names."""
    campaign = Campaign(organisation_code=organisation, owner_id=owner, **facts)
    if public_id:
        campaign.public_id = public_id
    session.add(campaign)
    session.flush()
    leave_trace(session, campaign, None, CampaignState.DRAFT, actor=f"person:{owner}", why="begun")
    write_budget(session, campaign.id, budget)
    return campaign.public_id


def change(session: Session, *, campaign: str, person: int, facts: Mapping[str, Any], budget: Sequence[Line]) -> None:
    """Raises NotFound, Locked."""
    row = get(session, campaign)
    if row.state not in OPEN_TO_CHANGE:
        raise Locked(campaign)
    for name, value in facts.items():
        setattr(row, name, value)
    write_budget(session, row.id, budget)
    audit.record(session, actor=f"person:{person}", action=CHANGED, subject=f"campaign:{campaign}")


def file(session: Session, *, campaign: str, person: int, number: str, filed_on: date) -> None:
    """The filing at the civil affairs authority, as soon as it is there. Raises NotFound, Locked."""
    row = get(session, campaign)
    if row.state not in OPEN_TO_FILING:
        raise Locked(campaign)
    row.filing_number, row.filed_on = number, filed_on
    audit.record(session, actor=f"person:{person}", action="campaign.filed", subject=f"campaign:{campaign}", why=number)


def write_budget(session: Session, campaign_id: int, budget: Sequence[Line]) -> None:
    session.execute(delete(BudgetLine).where(BudgetLine.campaign_id == campaign_id))
    rows = [
        {"campaign_id": campaign_id, "position": position, "name_zh": line.name_zh, "name_en": line.name_en, "fen": line.fen}
        for position, line in enumerate(budget, start=1)
    ]
    if rows:
        session.execute(insert(BudgetLine), rows)


def budget_of(session: Session, campaign_id: int) -> Sequence[BudgetLine]:
    lines = select(BudgetLine).where(BudgetLine.campaign_id == campaign_id)
    return session.scalars(lines.order_by(BudgetLine.position)).all()


def get(session: Session, public_id: str) -> Campaign:
    """Locked until the transaction ends: who changes it waits for gifts that are arriving. Raises NotFound."""
    found = session.scalar(select(Campaign).where(Campaign.public_id == public_id).with_for_update())
    if found is None:
        raise NotFound(public_id)
    return found
