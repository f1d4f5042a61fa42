"""What lies in drawers, or is on its way from there to the bank: no bank pays a provider out of it."""

from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.banking.models import CashDeposit, DepositedGift
from crowdfund.campaigns.banking.states import DepositState
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.models import Campaign, Contribution


def of_campaign(session: Session, campaign_id: int, *, book: str) -> int:
    """Fen of this campaign that nobody has found at the bank yet."""
    return int(session.scalar(in_cash(book).where(Contribution.campaign_id == campaign_id)) or 0)


def by_campaign(book: str) -> Any:
    """SQL, beside `campaign`: the same."""
    return in_cash(book).where(Contribution.campaign_id == Campaign.id).correlate(Campaign).scalar_subquery()


def in_cash(book: str) -> Any:
    lying = select(func.coalesce(func.sum(Contribution.fen), 0)).select_from(CashGift)
    lying = lying.join(Contribution, Contribution.public_id == CashGift.gift)
    is_banked = exists().where(DepositedGift.gift == CashGift.gift, DepositedGift.stands, DepositedGift.arrived_at.is_(None))
    is_banked = is_banked.where(CashDeposit.id == DepositedGift.deposit_id, CashDeposit.state == DepositState.CONFIRMED)
    return lying.where(CashGift.returned_at.is_(None), Contribution.book == book, ~is_banked)


def is_deposited() -> Any:
    """SQL, beside `cash_gift`: its cash is not in the drawer, but at the bank or on its way there."""
    mine = exists().where(DepositedGift.gift == CashGift.gift, DepositedGift.stands, DepositedGift.arrived_at.is_(None))
    return mine.correlate(CashGift)


def is_given_back(session: Session, gift: str) -> bool:
    cash = session.get(CashGift, gift)
    return cash is not None and cash.returned_at is not None
