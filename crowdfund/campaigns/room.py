"""What still fits under a goal that a campaign stops at: to the fen, however many give at the same moment.

Asked twice: when a gift is begun, so that nobody pays for nothing; and when its money is there, with the campaign's row
locked, since many may have begun while there was room."""

from typing import Final

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, PublicRow
from marketplace.core.errors import Refusal
from marketplace.core.formats import yuan

STOP: Final = "stop"
FULL: Final = "the goal was reached"  # why a gift lapsed whose money came too late
RAISED: Final = ("gift", "match", "unmatch", "refund", "return")


class GoalReached(Refusal):
    message = _l("This campaign has all it needs and takes no more gifts. You were not charged.")


class LessIsNeeded(Refusal):
    """There is room, for less than this gift."""

    status = 422

    def __init__(self, campaign: str, left_fen: int) -> None:
        super().__init__(f"{campaign}: {left_fen} fen left")
        self.left_fen = left_fen
        self.message = _("Only %(sum)s is still needed here. You were not charged.", sum=yuan(left_fen))


def refuse_too_much(session: Session, campaign_id: int, *, book: str, goal_fen: int, fen: int) -> None:
    """Raises GoalReached, LessIsNeeded."""
    left = goal_fen - raised_fen(session, campaign_id, book=book)
    if left <= 0:
        raise GoalReached(str(campaign_id))
    if fen > left:
        raise LessIsNeeded(str(campaign_id), left)


def holds(session: Session, campaign_id: int, *, book: str, fen: int) -> bool:
    """Whether so much fits in. The campaign's row stays locked until the transaction ends: whoever asks next waits."""
    locked = select(Campaign.goal_fen).where(Campaign.id == campaign_id).with_for_update(key_share=True)
    goal = int(session.execute(locked).scalar_one())
    return raised_fen(session, campaign_id, book=book) + fen <= goal


def left_fen(session: Session, campaign_id: int, *, book: str) -> int | None:
    """How much more fits in; None for a campaign that does not stop at its goal. To be called after `holds`."""
    row = session.execute(select(Campaign.past_goal, Campaign.goal_fen).where(Campaign.id == campaign_id)).one()
    return max(0, row.goal_fen - raised_fen(session, campaign_id, book=book)) if row.past_goal == STOP else None


def raised_fen(session: Session, campaign_id: int, *, book: str) -> int:
    """Given and stayed, by all rows, sealed or not: pages may be a moment behind, this may not."""
    mine = select(func.coalesce(func.sum(PublicRow.fen), 0)).where(PublicRow.campaign_id == campaign_id)
    return int(session.scalar(mine.where(PublicRow.book == book, PublicRow.kind.in_(RAISED))) or 0)
