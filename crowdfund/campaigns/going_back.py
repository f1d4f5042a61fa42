"""How far a called-off campaign is with sending its gifts back: for its officers, and on the command line."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.returning import PURPOSES
from crowdfund.campaigns.states import ContributionState
from marketplace.core.records import record
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState


@dataclass
class Part:
    gifts: int = 0
    fen: int = 0


@record
class Progress:
    """Each gift that was received is in one part. `waiting`: nothing was asked of a gateway yet, or a bank decides."""

    arrived: Part
    sent: Part
    failed: Part
    cash: Part
    waiting: Part

    @property
    def all(self) -> Part:
        parts = (self.arrived, self.sent, self.failed, self.cash, self.waiting)
        return Part(sum(part.gifts for part in parts), sum(part.fen for part in parts))

    @property
    def is_over(self) -> bool:
        """Nothing is left to do for the machine: what failed or lies in a drawer waits for people."""
        return not (self.sent.gifts or self.waiting.gifts)

    @property
    def share(self) -> int:
        """Gifts that arrived, of a hundred; a hundred only when it is all of them."""
        return self.arrived.gifts * 100 // self.all.gifts if self.all.gifts else 100


def of(session: Session, campaign_id: int, *, book: str) -> Progress:
    """One statement, however many there are."""
    latest = select(Attempt.reference, func.max(Refund.id).label("id")).join(Attempt, Attempt.id == Refund.attempt_id)
    mine = select(Contribution.public_id).where(Contribution.campaign_id == campaign_id)
    latest = latest.where(Attempt.purpose.in_(PURPOSES), Attempt.reference.in_(mine)).where(~Attempt.is_surplus)
    last = latest.group_by(Attempt.reference).subquery()
    moved = select(Entry.reference, -func.sum(Line.amount).label("fen")).join(Line, Line.entry_id == Entry.id)
    moved = moved.join(LedgerAccount, LedgerAccount.id == Line.account_id)
    owner = select(Campaign.public_id).where(Campaign.id == campaign_id).scalar_subquery()
    moved = moved.where(LedgerAccount.kind == "restricted", LedgerAccount.owner == owner)
    here = moved.group_by(Entry.reference).subquery()
    is_here = func.coalesce(here.c[1], 0) > 0
    wanted = select(Refund.state, CashGift.gift.is_not(None).label("is_cash"), is_here.label("is_here"))
    wanted = wanted.add_columns(func.count().label("gifts"), func.sum(Contribution.fen).label("fen"))
    wanted = wanted.select_from(Contribution).outerjoin(last, last.c.reference == Contribution.public_id)
    wanted = wanted.outerjoin(Refund, Refund.id == last.c.id).outerjoin(CashGift, CashGift.gift == Contribution.public_id)
    wanted = wanted.outerjoin(here, here.c.reference == Contribution.public_id)
    wanted = wanted.where(Contribution.campaign_id == campaign_id, Contribution.book == book)
    wanted = wanted.where(Contribution.state == ContributionState.RECEIVED)
    found = Progress(Part(), Part(), Part(), Part(), Part())
    for row in session.execute(wanted.group_by(Refund.state, CashGift.gift.is_not(None), is_here)):
        part = part_of(found, row.state, is_cash=row.is_cash, is_here=row.is_here)
        part.gifts += row.gifts
        part.fen += int(row.fen)
    return found


def part_of(progress: Progress, state: RefundState | None, *, is_cash: bool, is_here: bool) -> Part:
    if state is RefundState.SUCCEEDED or (state is None and not is_here):  # a drawer or a bank gave it back
        return progress.arrived
    if is_cash:
        return progress.cash
    if state is None:
        return progress.waiting
    return progress.failed if state is RefundState.FAILED else progress.sent
