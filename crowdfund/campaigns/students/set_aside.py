"""What a campaign has set aside for terms that are running: no other payment may count on it.

A term's sum is set aside from its opening until its payment is approved (from then on that promises it) or it is void."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.states import DisbursementState, TermState
from crowdfund.campaigns.students.models import SchoolTerm, StudentPlace

HOLDING = (TermState.OPENED, TermState.PROVED, TermState.ENROLLED)


def sums(book: str) -> Select[Any]:
    is_asked = Disbursement.state == DisbursementState.REQUESTED
    mine = select(func.coalesce(func.sum(SchoolTerm.fen), 0)).join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
    mine = mine.outerjoin(Disbursement, Disbursement.id == SchoolTerm.disbursement_id)
    return mine.where(SchoolTerm.book == book, or_(SchoolTerm.state.in_(HOLDING), is_asked))


def of_campaign(session: Session, campaign_id: int, *, book: str) -> int:
    """Only whoever holds the campaign's row may act on it."""
    return int(session.scalar(sums(book).where(StudentPlace.campaign_id == campaign_id)) or 0)


def by_campaign(book: str) -> ColumnElement[int]:
    """SQL, of the campaign in the statement around it."""
    mine = sums(book).where(StudentPlace.campaign_id == Campaign.id)
    return mine.correlate(Campaign).scalar_subquery()


def of_payment(session: Session, disbursement_id: int) -> int:
    """What was set aside for the terms that this payment releases; 0 for any other payment."""
    mine = select(func.coalesce(func.sum(SchoolTerm.fen), 0)).where(SchoolTerm.disbursement_id == disbursement_id)
    return int(session.scalar(mine) or 0)
