"""Cash that goes back over the counter: because its campaign was called off, or because it was written down wrongly today.

cash_refund:<gift>   restricted -> cash_desk"""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing, drafting, public_ledger, receipts
from crowdfund.campaigns.cash import drawers
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.cash.taking import DRAWER
from crowdfund.campaigns.matching import taking_back
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import CampaignState
from marketplace.core import audit, clock, page_cache
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.ledger import books

CALLED_OFF: Final = "campaign cancelled"


class NoReason(Refusal):
    status = 422
    message = _l("Please give a reason. It is kept on record.")


class KeptByTheCampaign(Refusal):
    message = _l("This gift was not taken today, and its campaign was not called off: it stays with the campaign.")


class AtTheBank(Refusal):
    message = _l("This money is no longer in the drawer: it was paid into the bank.")


class SpentAlready(Refusal):
    message = _l("The campaign has spent or promised this money, so it cannot be given back here.")


def give_back(session: Session, *, gift: str, station: str, person_id: int, why: str) -> None:
    """The whole gift, out of the drawer that took it. Raises NotFound, NoReason, KeptByTheCampaign, AtTheBank,
    SpentAlready, StaleState where somebody has given it back already."""
    wanted = select(CashGift).where(CashGift.gift == gift, CashGift.station_code == station)
    cash = session.scalar(wanted.with_for_update())
    if cash is None:
        raise NotFound(gift)
    if cash.returned_at is not None:
        raise StaleState(gift)
    if session.scalar(select(drawers.is_deposited()).select_from(CashGift).where(CashGift.gift == gift)):
        raise AtTheBank(gift)
    given = session.scalars(select(Contribution).where(Contribution.public_id == gift)).one()
    name = session.scalars(select(Campaign.public_id).where(Campaign.id == given.campaign_id)).one()
    campaign = drafting.get(session, name)
    is_called_off = campaign.state is CampaignState.CANCELLED
    if not is_called_off and not why.strip():
        raise NoReason(gift)
    if not is_called_off and clock.local(cash.at).date() != clock.today():
        raise KeptByTheCampaign(gift)
    if not is_called_off and disbursing.free_fen(session, campaign, given.book) < given.fen:
        raise SpentAlready(gift)
    cash.returned_at, cash.returned_by = clock.now(), person_id
    cash.returned_why = CALLED_OFF if is_called_off else why.strip()
    book_it(session, given, campaign, station)
    who, subject = f"person:{person_id}", f"contribution:{gift}"
    audit.record(session, actor=who, action="gift.cash_given_back", subject=subject, why=cash.returned_why)


def book_it(session: Session, gift: Contribution, campaign: Campaign, station: str) -> None:
    """Entry, row and match; the receipt is void before the money goes."""
    key, amount = f"cash_refund:{gift.public_id}", Money(gift.fen, gift.currency)
    lines: dict[books.Account, Money] = {("restricted", campaign.public_id): amount, (DRAWER, station): -amount}
    receipts.void(session, contribution=gift.public_id)
    books.post(session, key=key, book=gift.book, reference=gift.public_id, lines=lines)
    row: dict[str, Any] = {"campaign_id": campaign.id, "book": gift.book, "who": gift.shown_as}
    public_ledger.write(session, kind="refund", amount=-amount, reference=key, moves=gift.public_id, **row)
    taking_back.follow(session, reference=gift.public_id)
    page_cache.expire(session, "giving", f"campaign:{campaign.public_id}", "ledger")
    receipts.issue(session, contribution=gift.public_id)
