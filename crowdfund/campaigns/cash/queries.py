"""Gifts in cash as their station sees them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving
from crowdfund.campaigns.cash import drawers
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.states import CampaignState
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.records import record

MOST: Final = 100


@record
class Taken:
    """`receipt` is the latest, valid or not; the giver's name is for the paper alone."""

    gift: str
    campaign: str
    title: str
    fen: int
    book: str
    shown_as: str
    at: datetime
    returned_at: datetime | None
    receipt: str
    check_code: str
    is_called_off: bool
    is_at_bank: bool  # or on its way there

    @property
    def url(self) -> str:
        return f"/campaigns/{self.campaign}/gifts/{giving.link_token(self.gift)}"

    @property
    def may_go_back(self) -> bool:
        is_todays = clock.local(self.at).date() == clock.today()
        return self.returned_at is None and not self.is_at_bank and (self.is_called_off or is_todays)


def columns() -> Columns:
    latest = select(func.max(Receipt.id)).where(Receipt.contribution_id == Contribution.id).correlate(Contribution)
    mine: Columns = select(CashGift.gift, Campaign.public_id, Campaign.title_zh, Campaign.title_en, Campaign.state)
    mine = mine.add_columns(Contribution.fen, Contribution.book, Contribution.shown_as, CashGift.at, CashGift.returned_at)
    mine = mine.add_columns(Receipt.public_id.label("receipt"), Receipt.check_code, drawers.is_deposited().label("at_bank"))
    mine = mine.join(Contribution, Contribution.public_id == CashGift.gift)
    mine = mine.join(Campaign, Campaign.id == Contribution.campaign_id)
    return mine.outerjoin(Receipt, Receipt.id == latest.scalar_subquery())


def shown(row: Any) -> Taken:
    gift, campaign, zh, en, state, fen, book, shown_as, at, returned_at, receipt, code, at_bank = row
    title, is_off = in_language(zh, en), state is CampaignState.CANCELLED
    return Taken(
        gift, campaign, title, fen, book, shown_as, at, returned_at, receipt or "", code or "", is_off, bool(at_bank)
    )


def of_station(session: Session, station: str) -> list[Taken]:
    """The latest first; before them what has to go back. One statement."""
    mine = columns().where(CashGift.station_code == station)
    goes_back = (Campaign.state == CampaignState.CANCELLED) & CashGift.returned_at.is_(None)
    return [shown(row) for row in session.execute(mine.order_by(goes_back.desc(), CashGift.at.desc()).limit(MOST))]


def get(session: Session, station: str, gift: str) -> Taken:
    """Raises NotFound."""
    row = session.execute(columns().where(CashGift.station_code == station, CashGift.gift == gift)).first()
    if row is None:
        raise NotFound(gift)
    return shown(row)


def open_campaigns(session: Session, station: str) -> Sequence[tuple[str, str]]:
    """(public id, title) of what takes cash today, this county's first."""
    mine = select(Campaign.public_id, Campaign.title_zh, Campaign.title_en).where(
        Campaign.state == CampaignState.LIVE, Campaign.channel == "own_site", Campaign.ends_on >= clock.today()
    )
    rows = session.execute(mine.order_by(Campaign.station_code != station, Campaign.ends_on, Campaign.id).limit(MOST))
    return [(row.public_id, in_language(row.title_zh, row.title_en)) for row in rows]


def going_back(session: Session, station: str) -> int:
    """How many gifts of called-off campaigns lie in the drawer."""
    mine = select(func.count()).select_from(CashGift).join(Contribution, Contribution.public_id == CashGift.gift)
    mine = mine.join(Campaign, Campaign.id == Contribution.campaign_id).where(CashGift.station_code == station)
    return int(session.scalar(mine.where(Campaign.state == CampaignState.CANCELLED, CashGift.returned_at.is_(None))) or 0)
