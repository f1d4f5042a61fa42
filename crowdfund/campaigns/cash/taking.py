"""A gift in cash: a clerk takes it, it is received at that moment, with its row, its match and its receipt.

cash:<gift>   cash_desk -> restricted: what lies in the station's drawer is the campaign's.

The station's closing reads the drawer's account: it needs to know nothing of gifts."""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving, public_ledger, receipts, room
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.honours import dedicating
from crowdfund.campaigns.matching import adding
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import CampaignState, ContributionState
from marketplace.core import audit, clock, outbox, page_cache
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books

DRAWER: Final = "cash_desk"


class NotTakingCash(Refusal):
    message = _l("This campaign is not taking gifts right now. Give the money back.")


def take(session: Session, *, campaign: str, amount: Money, giver: Giver, station: str, clerk_id: int) -> str:
    """The gift's public id. Raises NotFound, NotOpen, GoalReached, LessIsNeeded, NotTakingCash."""
    open_one, book = giving.admit(session, campaign=campaign, amount=amount, is_cash=True)
    target = open_one.id
    reference = giving.keep(session, target, amount, giver, book)
    if not hold(session, target, book, amount.fen):
        raise NotTakingCash(campaign)
    session.add(CashGift(gift=reference, station_code=station, clerk_id=clerk_id))
    key = f"cash:{reference}"
    lines: dict[books.Account, Money] = {(DRAWER, station): amount, ("restricted", campaign): -amount}
    books.post(session, key=key, book=book, reference=reference, lines=lines)
    row, why = Contribution(public_id=reference), f"cash:{station}"
    moved: dict[str, Any] = {"expected": ContributionState.PENDING, "actor": f"person:{clerk_id}", "why": why}
    transition(session, row, ContributionState.RECEIVED, **moved, received_at=clock.now())
    gift = session.scalars(select(Contribution).where(Contribution.public_id == reference)).one()
    told = {"who": gift.shown_as, "reference": key, "commitment": giving.commitment(gift.giver, gift.salt)}
    public_ledger.write(session, kind="gift", campaign_id=target, book=book, amount=amount, **told)
    adding.add_match(session, gift=gift.id, campaign=campaign, attempt="")
    page_cache.expire(session, "giving", f"campaign:{campaign}", "ledger")
    if gift.contact:
        outbox.put(session, giving.RECEIVED, gift=reference)
    if giver.honour and giver.honour.contact:
        outbox.put(session, dedicating.TELLS, gift=reference)
    audit.record(session, actor=f"person:{clerk_id}", action="gift.taken_in_cash", subject=f"contribution:{reference}")
    receipts.issue_for(session, gift=gift.id, book=book, fen=amount.fen)
    return reference


def hold(session: Session, campaign_id: int, book: str, fen: int) -> bool:
    """The campaign's row is locked as by any other gift that arrives: it is open still, and has room."""
    locked = select(Campaign.state, Campaign.past_goal).where(Campaign.id == campaign_id)
    row = session.execute(locked.with_for_update(key_share=True)).one()
    has_room = row.past_goal != room.STOP or room.holds(session, campaign_id, book=book, fen=fen)
    return row.state is CampaignState.LIVE and has_room
