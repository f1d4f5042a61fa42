"""What lies in drawers: no bank pays a provider out of them."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.models import Campaign, Contribution


def of_campaign(session: Session, campaign_id: int, *, book: str) -> int:
    """Fen of this campaign that lie at stations."""
    return int(session.scalar(in_cash(book).where(Contribution.campaign_id == campaign_id)) or 0)


def by_campaign(book: str) -> Any:
    """SQL, beside `campaign`: the same."""
    return in_cash(book).where(Contribution.campaign_id == Campaign.id).correlate(Campaign).scalar_subquery()


def in_cash(book: str) -> Any:
    lying = select(func.coalesce(func.sum(Contribution.fen), 0)).select_from(CashGift)
    lying = lying.join(Contribution, Contribution.public_id == CashGift.gift)
    return lying.where(CashGift.returned_at.is_(None), Contribution.book == book)


def is_given_back(session: Session, gift: str) -> bool:
    cash = session.get(CashGift, gift)
    return cash is not None and cash.returned_at is not None
