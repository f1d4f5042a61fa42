"""Deposits as the station and the province see them; a fixed number of statements."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.banking.models import CashDeposit, DepositedGift
from crowdfund.campaigns.banking.states import ON_ITS_WAY, DepositState
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import CampaignState
from marketplace.stations.models import Station

MOST: Final = 100


def of_station(session: Session, station: str) -> Sequence[CashDeposit]:
    """The latest first."""
    mine = select(CashDeposit).where(CashDeposit.station_code == station)
    return session.scalars(mine.order_by(CashDeposit.id.desc()).limit(MOST)).all()


def everywhere(session: Session) -> Sequence[Any]:
    """(deposit, station's name), those that wait for the bank's word first."""
    wanted = select(CashDeposit, Station.name_zh, Station.name_en).join(Station, Station.code == CashDeposit.station_code)
    return session.execute(wanted.order_by(CashDeposit.state.not_in(ON_ITS_WAY), CashDeposit.id.desc()).limit(MOST)).all()


def to_be_drawn(session: Session, station: str = "") -> Sequence[Any]:
    """Gifts at the bank whose campaign was called off, of one station or of all: gift, fen, drawn_number, station_code."""
    wanted = select(DepositedGift.gift, Contribution.fen, DepositedGift.drawn_number, DepositedGift.drawn_by)
    wanted = wanted.add_columns(CashDeposit.station_code, Campaign.title_zh, Campaign.title_en)
    wanted = wanted.join(CashDeposit, CashDeposit.id == DepositedGift.deposit_id)
    wanted = wanted.join(CashGift, CashGift.gift == DepositedGift.gift)
    wanted = wanted.join(Contribution, Contribution.public_id == DepositedGift.gift)
    wanted = wanted.join(Campaign, Campaign.id == Contribution.campaign_id)
    wanted = wanted.where(DepositedGift.stands, DepositedGift.arrived_at.is_(None), CashGift.returned_at.is_(None))
    wanted = wanted.where(CashDeposit.state == DepositState.CONFIRMED, Campaign.state == CampaignState.CANCELLED)
    if station:
        wanted = wanted.where(CashDeposit.station_code == station, DepositedGift.drawn_by.is_not(None))
    return session.execute(wanted.order_by(DepositedGift.gift).limit(MOST)).all()
