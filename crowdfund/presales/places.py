"""Places that are scarce twice over: in their tier, and by what the field bears. Taken and given up by guarded statements.

Always the tier first, then its presale, so that nobody waits in a circle; the database holds both limits too."""

from datetime import timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from crowdfund.presales.models import Presale, PresaleTier
from crowdfund.presales.states import PresaleState
from listings.models import Listing
from listings.states import ListingState
from marketplace.core import clock
from marketplace.core.errors import Refusal

SHORTEST: Final = timedelta(minutes=5)  # less is no time to pay in


class TierIsFull(Refusal):
    message = _l("All places of this tier are taken. You were not charged.")


class FieldIsSold(Refusal):
    message = _l("The whole declared harvest is sold, so no more is taken. You were not charged.")


class NotOpen(Refusal):
    message = _l("This presale is not open. You were not charged.")


class GoodsAreStopped(NotOpen):
    message = _l("The province has stopped these goods, so no place is taken now. You were not charged.")


def take(session: Session, tier: PresaleTier) -> None:
    """One place. Raises TierIsFull, FieldIsSold, NotOpen, GoodsAreStopped; whoever comes second is told so."""
    free = update(PresaleTier).where(PresaleTier.id == tier.id, PresaleTier.taken < PresaleTier.most)
    if session.scalar(free.values(taken=PresaleTier.taken + 1).returning(PresaleTier.id)) is None:
        raise TierIsFull(tier.public_id)
    last_day = clock.local(clock.now() + SHORTEST).date()
    mine = update(Presale).where(Presale.id == tier.presale_id, Presale.state == PresaleState.LIVE)
    mine = mine.where(Presale.closes_on >= last_day, Presale.taken_grams + tier.grams <= Presale.cap_grams)
    mine = mine.where(are_not_stopped())
    if session.scalar(mine.values(taken_grams=Presale.taken_grams + tier.grams).returning(Presale.id)) is None:
        row = session.get_one(Presale, tier.presale_id, populate_existing=True)
        is_open = row.state is PresaleState.LIVE and row.closes_on >= last_day
        if is_open and session.get_one(Listing, row.listing_id, populate_existing=True).state is ListingState.SUSPENDED:
            raise GoodsAreStopped(tier.public_id)
        raise FieldIsSold(tier.public_id) if is_open else NotOpen(tier.public_id)


def are_not_stopped() -> ColumnElement[bool]:
    """SQL of a presale: the province lets its goods be sold."""
    stopped = select(Listing.id).where(Listing.id == Presale.listing_id, Listing.state == ListingState.SUSPENDED)
    return ~stopped.correlate(Presale).exists()


def give_up(session: Session, tier: PresaleTier) -> None:
    """Somebody else may have it."""
    session.execute(update(PresaleTier).where(PresaleTier.id == tier.id).values(taken=PresaleTier.taken - 1))
    freed = update(Presale).where(Presale.id == tier.presale_id)
    session.execute(freed.values(taken_grams=Presale.taken_grams - tier.grams))
