"""The way of a campaign: handed in by its owner, approved by somebody else, opened, paused, ended, or called off."""

from datetime import date
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import drafting, requirements
from crowdfund.campaigns.models import Campaign, Disbursement, Organisation
from crowdfund.campaigns.repayments import queries as repaid
from crowdfund.campaigns.requirements import Missing, NotReady
from crowdfund.campaigns.states import PUBLIC, TAKEN, CampaignState
from crowdfund.campaigns.students import set_aside
from marketplace.core import audit, clock, outbox, page_cache
from marketplace.core.audit import AuditRecord
from marketplace.core.errors import Refusal
from marketplace.core.transitions import transition
from marketplace.payments.gateways import current_book

C = CampaignState
RUNNING: Final = (C.LIVE, C.PAUSED)
CANCELLED: Final = "campaign.cancelled"
MOVED: Final = "campaign.moved"  # told to partners' machines
SYSTEM: Final = "system"
HANDED_IN, APPROVED, OPENED, RESUMED, LAST_DAY = "handed in", "approved", "opened", "resumed", "its last day is over"
UNCERTIFIED, CERTIFIED = "the organisation's certificate is not valid", "a valid certificate was confirmed"
UNSAID: Final = frozenset({HANDED_IN, APPROVED, OPENED, RESUMED, LAST_DAY})  # reasons that nobody wrote: the state says it


class OwnReview(Refusal):
    status = 403
    message = _l("Somebody else must review what you made.")


class NoReason(Refusal):
    status = 422
    message = _l("Please give a reason. It is kept on record.")


class AlreadySpent(Refusal):
    message = _l("Money from this campaign has already been paid out, so not everything can be refunded. End it instead.")


class CorrectionWaits(Refusal):
    message = _l("Money that a provider paid back may not be there after all: another person decides on that first.")


class TermIsRunning(Refusal):
    message = _l("A term of a sponsored student is running, and its money is set aside. End the campaign instead.")


def submit(session: Session, *, campaign: str, person: int) -> None:
    """Raises NotReady, StaleState, IllegalTransition."""
    row = drafting.get(session, campaign)
    refuse_missing(requirements.for_review(row, drafting.budget_of(session, row.id)))
    move(session, row, C.SUBMITTED, person, HANDED_IN)


def ask_for_work(session: Session, *, campaign: str, person: int, why: str) -> None:
    """Raises OwnReview, NoReason."""
    row = reviewed(session, campaign, person)
    move(session, row, C.NEEDS_WORK, person, said(why))


def approve(session: Session, *, campaign: str, person: int, why: str = "") -> None:
    """By another person than its owner, who is named with it from now on. Raises OwnReview."""
    row = reviewed(session, campaign, person)
    row.reviewer_id = person
    session.flush()
    move(session, row, C.APPROVED, person, why.strip() or APPROVED)


def open_to_all(session: Session, *, campaign: str, person: int) -> None:
    """Everybody may give from now on. Raises NotReady with all that is missing."""
    row = drafting.get(session, campaign)
    refuse_missing(missing_for_opening(session, row, clock.today()))
    move(session, row, C.LIVE, person, OPENED)
    row.opened_at = clock.now()


def missing_for_opening(session: Session, row: Campaign, today: date) -> Missing:
    organisation = session.get_one(Organisation, row.organisation_code)
    return requirements.for_opening(row, drafting.budget_of(session, row.id), organisation, today)


def pause(session: Session, *, campaign: str, person: int, why: str) -> None:
    """Nobody may give meanwhile, and everybody sees that. Raises NoReason."""
    move(session, drafting.get(session, campaign), C.PAUSED, person, said(why))


def resume(session: Session, *, campaign: str, person: int) -> None:
    """Raises NotReady where its organisation has no valid certificate."""
    row = drafting.get(session, campaign)
    refuse_missing(requirements.certificate(session.get_one(Organisation, row.organisation_code), clock.today()))
    move(session, row, C.LIVE, person, RESUMED)


def end(session: Session, *, campaign: str, person: int, why: str) -> None:
    """Before its last day, by hand. Raises NoReason."""
    row = drafting.get(session, campaign)
    move(session, row, C.ENDED, person, said(why))
    row.closed_at = clock.now()


def close(session: Session, *, campaign: str, person: int, why: str) -> None:
    """Its full report is published and nothing is left. Raises NoReason, IllegalTransition."""
    move(session, drafting.get(session, campaign), C.CLOSED, person, said(why))


def end_due(session: Session) -> None:
    """The worker's duty: what had its last day yesterday is over, also where it was paused and nobody went on with it.

    The list of states leads from a pause to the end by way of `live` alone: for no longer than this transaction."""
    over = select(Campaign).where(Campaign.state.in_(RUNNING), Campaign.ends_on < clock.today())
    for row in session.scalars(over.order_by(Campaign.id).limit(100).with_for_update(skip_locked=True)):
        if row.state is C.PAUSED:
            move(session, row, C.LIVE, None, LAST_DAY)
        move(session, row, C.ENDED, None, LAST_DAY)
        row.closed_at = clock.now()


def cancel(session: Session, *, campaign: str, person: int, why: str) -> None:
    """Call it off: every gift goes back by itself, see `returning`. What providers paid back in full was not spent.

    Raises NoReason, AlreadySpent, CorrectionWaits, TermIsRunning."""
    row = drafting.get(session, campaign)
    spent = select(Disbursement.id).where(Disbursement.campaign_id == row.id, Disbursement.state.in_(TAKEN))
    spent = spent.where(Disbursement.fen > repaid.fen_of_payment())
    if session.scalar(spent.limit(1)) is not None:
        raise AlreadySpent(campaign)
    if repaid.is_correction_waiting(session, row.id):
        raise CorrectionWaits(campaign)
    if set_aside.of_campaign(session, row.id, book=current_book()):
        raise TermIsRunning(campaign)
    move(session, row, C.CANCELLED, person, said(why))
    row.closed_at = clock.now()
    outbox.put(session, CANCELLED, campaign=campaign)


def reviewed(session: Session, campaign: str, person: int) -> Campaign:
    """The campaign, for somebody who wrote nothing of it. Raises NotFound, OwnReview."""
    row = drafting.get(session, campaign)
    if row.owner_id == person or has_written(session, campaign, person):
        raise OwnReview(campaign)
    return row


def has_written(session: Session, campaign: str, person: int) -> bool:
    """Whether a text that somebody else began is theirs too, in part."""
    mine = select(AuditRecord.id).where(
        AuditRecord.subject == f"campaign:{campaign}", AuditRecord.actor == f"person:{person}"
    )
    return session.scalar(mine.where(AuditRecord.action == drafting.CHANGED).limit(1)) is not None


def move(session: Session, row: Campaign, to: CampaignState, person: int | None, why: str) -> None:
    """With its trace, its reason in the audit log, and fresh pages. Whoever was slower is told so."""
    actor = SYSTEM if person is None else f"person:{person}"
    before = row.state
    transition(session, row, to, expected=before, actor=actor, why=why)
    subject = f"campaign:{row.public_id}"
    audit.record(session, actor=actor, action=f"campaign.{to}", subject=subject, why=why, before=str(before))
    page_cache.expire(session, "giving", subject, "ledger", f"station:{row.station_code}")
    if to in PUBLIC:
        at = clock.now().isoformat()
        outbox.put(session, MOVED, campaign=row.public_id, before=str(before), state=str(to), at=at)


def said(why: str) -> str:
    if not why.strip():
        raise NoReason
    return why.strip()


def refuse_missing(missing: Missing) -> None:
    if missing:
        raise NotReady(missing)
