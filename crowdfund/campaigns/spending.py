"""What was spent of a campaign's budget, by the books, line by line."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import BudgetLine, Campaign, Disbursement
from crowdfund.campaigns.repayments import queries as repaid
from marketplace.core.formats import language
from marketplace.core.records import slim_record
from marketplace.core.strata import WIDE, Layer, Section, section
from marketplace.ledger.models import Entry, LedgerAccount, Line


@slim_record
class SpentLine:
    """A line of the budget: what it is for, how much was planned, how much left the campaign's account for it
    and did not come back."""

    position: int
    name: str
    planned_fen: int
    spent_fen: int


@dataclass(frozen=True, eq=False)
class Spending:
    """Budget and payments of one campaign; `drawing` has a layer a line and one for what is not spent yet."""

    lines: tuple[SpentLine, ...]
    drawing: Section

    @property
    def planned_fen(self) -> int:
        return sum(line.planned_fen for line in self.lines)

    @property
    def spent_fen(self) -> int:
        return sum(line.spent_fen for line in self.lines)


def of(session: Session, campaign: str, *, book: str, left_words: str, left_fen: int) -> Spending:
    """One statement. `campaign` is its public id; `left_words` names the layer of `left_fen`, what is in the account."""
    out = (
        select(Disbursement.budget_line_id, func.sum(Line.amount).label("fen"))
        .join(Entry, Entry.key == "disburse:" + Disbursement.public_id)
        .join(Line, Line.entry_id == Entry.id)
        .join(LedgerAccount, LedgerAccount.id == Line.account_id)
        .where(LedgerAccount.kind == "restricted", Disbursement.book == book)
        .group_by(Disbursement.budget_line_id)
        .subquery()
    )
    wanted = select(BudgetLine.position, BudgetLine.name_zh, BudgetLine.name_en, BudgetLine.fen)
    back = repaid.fen_by_budget_line(campaign, book)
    wanted = wanted.add_columns((func.coalesce(out.c.fen, 0) - func.coalesce(back.c.fen, 0)).label("spent"))
    wanted = wanted.outerjoin(back, back.c.budget_line_id == BudgetLine.id)
    wanted = wanted.join(Campaign, Campaign.id == BudgetLine.campaign_id)
    wanted = wanted.outerjoin(out, out.c.budget_line_id == BudgetLine.id).where(Campaign.public_id == campaign)
    rows = session.execute(wanted.order_by(BudgetLine.position)).all()
    is_english = language() == "en"
    lines = tuple(
        SpentLine(row.position, (row.name_en if is_english else "") or row.name_zh, row.fen, int(row.spent)) for row in rows
    )
    layers = [Layer(line.name, line.spent_fen) for line in lines]
    return Spending(lines, section([*layers, Layer(left_words, left_fen if rows else 0)], span=WIDE))
