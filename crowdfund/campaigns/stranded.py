"""Gifts of a campaign that is called off or over, which did not reach their giver when they went back: they wait for a
person."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns import disputed, returning
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import CampaignState
from marketplace.core import audit
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.formats import in_language
from marketplace.core.paging import Page, cut
from marketplace.core.records import record
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

PAGE: Final = 50


class NotStranded(StaleState):
    message = _l("This gift is on its way back already.")


@record
class Stranded:
    """`refund` is the last try to send it back, asked for `at`; `fen` is what is still the campaign's of this gift."""

    gift: str
    shown_as: str
    campaign: str
    title_zh: str
    title_en: str
    organisation: str
    attempt: str
    refund: str
    at: datetime
    book: str
    fen: int

    @property
    def title(self) -> str:
        return in_language(self.title_zh, self.title_en)


def page(session: Session, organisations: Sequence[str] | None, before: str = "") -> Page[Stranded]:
    """Those of these organisations (None: of all) that were sent last first; after the refund `before`. One statement."""
    wanted = reached(organisations)
    if before:
        last = select(Refund.id).where(Refund.public_id == before).correlate(None).scalar_subquery()
        wanted = wanted.where(Refund.id < last)
    rows = session.execute(wanted.order_by(Refund.id.desc()).limit(PAGE + 1))
    return cut([Stranded(*row) for row in rows], PAGE, attrgetter("refund"))


def reached(organisations: Sequence[str] | None) -> Columns:
    wanted = waiting()
    return wanted if organisations is None else wanted.where(Campaign.organisation_code.in_(organisations))


def waiting() -> Columns:
    tried = aliased(Refund)
    tries = select(func.max(tried.id)).where(tried.attempt_id == Attempt.id, tried.reason_key.startswith("campaign:"))
    stayed = select(-func.sum(Line.amount)).join(Entry, Entry.id == Line.entry_id)
    stayed = stayed.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(LedgerAccount.kind == "restricted")
    fen: Any = stayed.where(Entry.reference == Contribution.public_id).correlate(Contribution).scalar_subquery()
    gift = (Contribution.public_id, Contribution.shown_as, Campaign.public_id, Campaign.title_zh, Campaign.title_en)
    wanted: Columns = select(*gift, Campaign.organisation_code, Attempt.public_id, Refund.public_id, Refund.created_at)
    fen = case((Campaign.state == CampaignState.CANCELLED, fen), else_=disputed.came_since())
    wanted = wanted.add_columns(Contribution.book, fen.label("fen")).join(Campaign, Campaign.id == Contribution.campaign_id)
    wanted = wanted.join(Attempt, Attempt.reference == Contribution.public_id).join(Refund, Refund.attempt_id == Attempt.id)
    wanted = wanted.where(Campaign.state.in_(disputed.SPENDS_NO_MORE), Refund.state == RefundState.FAILED, fen > 0)
    return wanted.where(Refund.id == tries.correlate(Attempt).scalar_subquery())


def send_again(session: Session, *, gift: str, organisations: Sequence[str] | None, actor: str, why: str) -> str:
    """All that is left of it, once more; returns the refund's public id. Raises NotFound, NotStranded, PaymentIsDisputed."""
    mine = select(Contribution.id).join(Campaign, Campaign.id == Contribution.campaign_id)
    if organisations is not None:
        mine = mine.where(Campaign.organisation_code.in_(organisations))
    if session.scalar(mine.where(Contribution.public_id == gift).with_for_update(of=Contribution, key_share=True)) is None:
        raise NotFound(gift)
    row = session.execute(waiting().where(Contribution.public_id == gift)).first()
    if row is None:
        raise NotStranded(gift)
    found = Stranded(*row)
    refund = str(returning.return_one(session, reference=gift))
    told = {"actor": actor, "subject": f"contribution:{gift}", "why": why}
    audit.record(session, action="gift.sent_back_again", **told, refund=refund, fen=int(found.fen))
    return refund
