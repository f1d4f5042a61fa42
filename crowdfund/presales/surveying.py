"""After it has succeeded everybody in a presale is asked where to, and which of the packs of the same weight."""

from collections.abc import Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from crowdfund.presales import backing, grace, ordering
from crowdfund.presales.models import Backing, Presale, PresaleTier
from crowdfund.presales.states import GOES_AHEAD, BackingState as B, PresaleState as P
from listings.models import Variant
from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.orders.placing import Recipient


class NothingAsked(Refusal):
    message = _l("Nothing is asked here any more: it is on its way already, or it did not come about.")


ASKS: Final = GOES_AHEAD


def answer(session: Session, *, backing_id: str, recipient: Recipient, variant: str) -> None:
    """Until the grace is over; may be changed until it is an order; it is one at once when the harvest is in.

    Raises NotFound, NothingAsked."""
    row = backing.get(session, backing_id)
    held = select(Presale).where(Presale.id == row.presale_id).with_for_update(read=True)
    presale = session.scalars(held.execution_options(populate_existing=True)).one()
    state = presale.state
    if row.state is not B.CONFIRMED or state not in ASKS or grace.is_too_late(presale, None):
        raise NothingAsked(backing_id)
    if variant not in {pack.code for pack in choices(session, row.tier_id)}:
        raise NotFound(variant)
    row.recipient, row.phone, row.province_code = recipient.name, recipient.phone, recipient.province
    row.city, row.street, row.note = recipient.city, recipient.street, recipient.note
    row.variant_code, row.answered_at = variant, clock.now()
    session.flush()
    if state is P.DELIVERING:
        ordering.order(session, backing_id=backing_id)


def choices(session: Session, tier: int) -> Sequence[Any]:
    """The packs of the same goods and weight as the tier's, its own first: code and units."""
    own = aliased(Variant)
    same = select(Variant.code, Variant.unit_zh, Variant.unit_en).join(own, own.listing_id == Variant.listing_id)
    same = same.join(PresaleTier, PresaleTier.variant_code == own.code).where(PresaleTier.id == tier)
    same = same.where(Variant.net_weight_grams == own.net_weight_grams, Variant.is_offered | (Variant.code == own.code))
    return session.execute(same.order_by(Variant.code != own.code, Variant.position)).all()


def unanswered(session: Session, presale: int) -> int:
    """How many have not said where to."""
    mine = select(Backing.id).where(Backing.presale_id == presale, Backing.state == B.CONFIRMED)
    return len(session.scalars(mine.where(Backing.answered_at.is_(None))).all())
