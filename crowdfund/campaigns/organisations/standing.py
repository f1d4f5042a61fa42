"""Who may not ask the public for money any more asks for none: what an organisation collects for pauses by itself when its
certificate has ended or was revoked, and goes on by itself with the next one that two people have confirmed."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.models import Campaign, Organisation
from crowdfund.campaigns.states import CampaignState as C
from marketplace.core import clock, outbox
from marketplace.core.transitions import EventRow

TELLS: Final = "campaign.uncertified"  # told to whoever gives every month
SOME: Final = 100
WORDS: Final[dict[str, LazyString]] = {
    lifecycle.UNCERTIFIED: _l("the organisation's certificate is not valid"),
    lifecycle.CERTIFIED: _l("two people have confirmed a valid certificate"),
}


def look(session: Session, organisation: str = "") -> None:
    """The worker's duty, and what follows from each new certificate. `organisation`: this one alone."""
    for row in locked(session, C.LIVE, ~is_valid(), organisation):
        lifecycle.move(session, row, C.PAUSED, None, lifecycle.UNCERTIFIED)
        outbox.put(session, TELLS, campaign=row.public_id)
    for row in locked(session, C.PAUSED, is_valid() & waits(), organisation):
        lifecycle.move(session, row, C.LIVE, None, lifecycle.CERTIFIED)


def locked(session: Session, state: C, which: ColumnElement[bool], organisation: str) -> list[Campaign]:
    wanted = select(Campaign).join(Organisation, Organisation.code == Campaign.organisation_code)
    wanted = wanted.where(Campaign.state == state, which).order_by(Campaign.id)
    if organisation:
        wanted = wanted.where(Campaign.organisation_code == organisation)
    return list(session.scalars(wanted.limit(SOME).with_for_update(of=Campaign, skip_locked=True)))


def is_valid() -> ColumnElement[bool]:
    """SQL of an organisation's row: today."""
    today = clock.today()
    return and_(Organisation.certificate_from <= today, Organisation.certificate_until >= today)


def waits() -> ColumnElement[bool]:
    """SQL of a paused campaign's row: its certificate paused it, and not one of its officers."""
    subject = "campaign:" + Campaign.public_id
    steps = select(EventRow.actor + ":" + EventRow.why).where(EventRow.subject == subject)
    latest = steps.order_by(EventRow.id.desc()).limit(1).correlate(Campaign).scalar_subquery()
    return latest == f"{lifecycle.SYSTEM}:{lifecycle.UNCERTIFIED}"


def is_waiting(session: Session, campaign: str) -> bool:
    """Whether it is paused until its organisation has a valid certificate: what its page says then."""
    mine = select(Campaign.id).where(Campaign.public_id == campaign, Campaign.state == C.PAUSED, waits())
    return session.scalar(mine) is not None
