"""A report's way to the public: drafted by one person, read and published, or sent back, by another."""

from datetime import date, timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.matching import holding
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.repayments import paying_back, queries as repaid
from crowdfund.campaigns.reports import content
from crowdfund.campaigns.reports.due import FULL, REPORTS
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.reports.states import ReportState
from crowdfund.campaigns.states import CampaignState, DisbursementState
from marketplace.core import audit, clock, outbox, page_cache
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import leave_trace, subject_of, transition
from marketplace.ledger import books
from marketplace.payments.gateways import current_book

S = ReportState
C = CampaignState
D = DisbursementState
UNDONE: Final = frozenset({D.REQUESTED, D.APPROVED, D.PAYING, D.FAILED, D.PAID})
SPENT: Final = "all of it is spent and proved"
PUBLISHED: Final = "report.published"  # told to partners' machines
REPORTED: Final = "its full report is published"


class NothingToReport(Refusal):
    message = _l("This campaign has no reports to make.")


class ToldAlready(Refusal):
    message = _l("A report up to yesterday is published. The next one can begin tomorrow.")


class NotOver(Refusal):
    message = _l("A full report can be made from two days after the end on, when the last gifts have arrived.")


class DraftWaits(Refusal):
    message = _l("A draft of this campaign is waiting. It is published or sent back first.")


class OwnReport(Refusal):
    status = 403
    message = _l("Somebody else must publish what you drafted.")


class Changed(Refusal):
    message = _l("What the report says has changed since you read it. Please read it again.")


def draft(session: Session, *, campaign: str, kind: str, words: str, officer_id: int) -> str:
    """Begin a report up to yesterday; returns its public id. A full one tells of the campaign from its first day on.

    Raises NotFound, NothingToReport, ToldAlready, NotOver, DraftWaits."""
    of = hold(session, Campaign.public_id == campaign)
    if of.state not in REPORTS or of.opened_at is None:
        raise NothingToReport(campaign)
    since, until = days_of(session, of, kind)
    row = CampaignReport(campaign_id=of.id, kind=kind, book=current_book(), since=since, until=until)
    row.words_zh, row.drafter_id = words.strip(), officer_id
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise DraftWaits(campaign) from None
    leave_trace(session, row, None, S.DRAFTED, actor=f"person:{officer_id}", why=kind)
    return row.public_id


def days_of(session: Session, campaign: Campaign, kind: str) -> tuple[date, date]:
    """First and last day of which a report made today tells."""
    if campaign.opened_at is None:
        raise NothingToReport(campaign.public_id)
    opened, yesterday = clock.local(campaign.opened_at).date(), clock.today() - timedelta(days=1)
    if kind == FULL:
        if campaign.closed_at is None or yesterday <= clock.local(campaign.closed_at).date():
            raise NotOver(campaign.public_id)
        return opened, yesterday
    told = select(func.max(CampaignReport.until)).where(CampaignReport.campaign_id == campaign.id)
    last = session.scalar(told.where(CampaignReport.state == S.PUBLISHED))
    since = last + timedelta(days=1) if last else opened
    if since > yesterday:
        raise ToldAlready(campaign.public_id)
    return since, yesterday


def withdraw(session: Session, *, report: str, person_id: int, reason: str) -> None:
    """Send a draft back with a reason; another can be made. Raises NotFound, StaleState, NoReason."""
    row = get(session, report)
    transition(session, row, S.WITHDRAWN, expected=S.DRAFTED, actor=f"person:{person_id}", why=lifecycle.said(reason))


def publish(session: Session, *, report: str, publisher_id: int, seen: str, paper_sha256: str) -> None:
    """For everybody, and for ever. `seen` is the hash of what its reader read, `paper_sha256` that of the PDF made of it.

    A full report after which nothing is left ends the spending. Raises NotFound, OwnReport, Changed, StaleState."""
    row = get(session, report)
    of = hold(session, Campaign.id == row.campaign_id)
    session.refresh(row)
    if row.drafter_id == publisher_id:
        raise OwnReport(report)
    if row.state is not S.DRAFTED:
        raise StaleState(f"{report} is {row.state}")
    text = content.canonical(content.of(session, row))
    if content.hash_of(text) != seen:
        raise Changed(report)
    actor, now = f"person:{publisher_id}", clock.now()
    kept = {"content": text, "sha256": seen, "paper_sha256": paper_sha256}
    whole: dict[str, Any] = {"publisher_id": publisher_id, "published_at": now, **kept}
    transition(session, row, S.PUBLISHED, expected=S.DRAFTED, actor=actor, why=row.kind, **whole)
    audit.record(session, actor=actor, action="report.published", subject=subject_of(row), sha256=seen)
    page_cache.expire(session, "giving", "ledger", f"campaign:{of.public_id}")
    outbox.put(session, PUBLISHED, report=report)
    if row.kind == FULL:
        go_on(session, of, row, publisher_id)


def go_on(session: Session, campaign: Campaign, report: CampaignReport, person: int) -> None:
    """What a full report means for its campaign: what is left is being spent, or nothing is left."""
    if campaign.state is C.ENDED:
        lifecycle.move(session, campaign, C.DISBURSING, person, REPORTED)
        session.refresh(campaign)
    if is_spent(session, campaign, report):
        lifecycle.move(session, campaign, C.REPORTED, person, SPENT)


def is_spent(session: Session, campaign: Campaign, report: CampaignReport) -> bool:
    """Nothing is in its account, nothing waits, no match may come yet, and all of it stands in this report."""
    if books.balance(session, "restricted", campaign.public_id, book=report.book):
        return False
    if holding.is_any_waiting(session, campaign.id) or paying_back.is_any_waiting(session, campaign.id):
        return False
    if repaid.is_correction_waiting(session, campaign.id):
        return False
    undone = select(Disbursement.id).where(Disbursement.campaign_id == campaign.id, Disbursement.state.in_(UNDONE))
    if session.scalar(undone.limit(1)) is not None:
        return False
    return content.balance(content.sums(session, report, within=False)) == 0


def hold(session: Session, which: ColumnElement[bool]) -> Campaign:
    """Its row locked, so that no payment is promised or paid meanwhile. Raises NotFound."""
    held = select(Campaign).where(which).with_for_update(key_share=True)
    found = session.scalar(held.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("campaign")
    return found


def get(session: Session, report: str) -> CampaignReport:
    """Raises NotFound."""
    found = session.scalar(select(CampaignReport).where(CampaignReport.public_id == report))
    if found is None:
        raise NotFound(report)
    return found
