"""What a campaign's payments take of its budget, item by item, and what goes beyond an item."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import BudgetLine, Campaign, Disbursement
from crowdfund.campaigns.repayments import queries as repaid
from crowdfund.campaigns.states import TAKEN
from crowdfund.campaigns.whereabouts.models import BillLine
from marketplace.core.errors import Refusal
from marketplace.core.records import slim_record


class BeyondBudget(Refusal):
    status = 422
    message = _l("This is more than the budget has for its item. Say why; everybody reads it.")


@slim_record
class BudgetChoice:
    position: int
    name: str
    planned_fen: int
    taken_fen: int


@slim_record
class Asked:
    """What a second person decides about: the lines of the invoice, and what its part of the budget was planned for."""

    lines: Sequence[tuple[str, int]]
    planned_fen: int
    taken_fen: int  # promised or paid already, without this one

    def beyond_fen(self, fen: int) -> int:
        """So much more than planned, if it is paid."""
        return max(0, self.taken_fen + fen - self.planned_fen)


def of_campaign(session: Session, campaign: str) -> list[BudgetChoice]:
    """The lines of a budget, and how much of each is promised or paid and did not come back."""
    taken = func.coalesce(func.sum(Disbursement.fen), 0)
    wanted = select(BudgetLine.position, BudgetLine.name_zh, BudgetLine.fen, taken.label("taken"))
    wanted = wanted.join(Campaign, Campaign.id == BudgetLine.campaign_id)
    of_line = (Disbursement.budget_line_id == BudgetLine.id) & Disbursement.state.in_(TAKEN)
    wanted = wanted.outerjoin(Disbursement, of_line).where(Campaign.public_id == campaign)
    wanted = wanted.group_by(BudgetLine.id, BudgetLine.position, BudgetLine.name_zh, BudgetLine.fen)
    back = repaid.fen_by_budget_line(campaign)
    wanted = wanted.add_columns(func.coalesce(func.max(back.c.fen), 0).label("back"))
    wanted = wanted.outerjoin(back, back.c.budget_line_id == BudgetLine.id)
    rows = session.execute(wanted.order_by(BudgetLine.position))
    return [BudgetChoice(row.position, row.name_zh, row.fen, int(row.taken - row.back)) for row in rows]


def asked_of(session: Session, row: Disbursement, campaign: str) -> Asked:
    wanted = select(BillLine.what_zh, BillLine.fen).where(BillLine.disbursement_id == row.id)
    lines = [(line.what_zh, int(line.fen)) for line in session.execute(wanted.order_by(BillLine.position))]
    position = session.scalars(select(BudgetLine.position).where(BudgetLine.id == row.budget_line_id)).one()
    part = next(each for each in of_campaign(session, campaign) if each.position == position)
    own = row.fen if row.state in TAKEN else 0
    return Asked(lines, part.planned_fen, part.taken_fen - own)


def reason(session: Session, row: Disbursement, campaign: str, why: str) -> str:
    """Why a payment may take more than its item has; nothing where it does not. Who calls holds the campaign's row.

    Raises BeyondBudget without a reason: use and cost were published before the first gift (Charity Law, art. 55)."""
    if not asked_of(session, row, campaign).beyond_fen(row.fen):
        return ""
    if not why:
        raise BeyondBudget(row.public_id)
    return why
