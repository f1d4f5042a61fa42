"""Reports as pages show them: to everybody once they are published, to their organisation from the draft on."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.reports.states import ReportState
from crowdfund.campaigns.states import DisbursementState
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.records import slim_record

MOST: Final = 100
S = ReportState


@slim_record
class Listed:
    """A report in a list."""

    public_id: str
    state: ReportState
    kind: str
    since: date
    until: date
    published_at: datetime | None
    drafter: str
    campaign: str
    title_zh: str
    title_en: str

    @property
    def title(self) -> str:
        return in_language(self.title_zh, self.title_en)


@slim_record
class EvidenceDue:
    """A payment that has to be proved by a day."""

    public_id: str
    purpose: str
    fen: int
    due_on: date
    campaign: str
    title_zh: str
    title_en: str
    organisation: str

    @property
    def title(self) -> str:
        return in_language(self.title_zh, self.title_en)

    @property
    def is_overdue(self) -> bool:
        return self.due_on < clock.today()


def listed() -> Any:
    drafter = aliased(Person)
    wanted = select(CampaignReport.public_id, CampaignReport.state, CampaignReport.kind, CampaignReport.since)
    wanted = wanted.add_columns(CampaignReport.until, CampaignReport.published_at, drafter.name.label("drafter"))
    wanted = wanted.add_columns(Campaign.public_id.label("campaign"), Campaign.title_zh, Campaign.title_en)
    wanted = wanted.join(Campaign, Campaign.id == CampaignReport.campaign_id)
    return wanted.join(drafter, drafter.id == CampaignReport.drafter_id)


def published(session: Session, campaign: str) -> list[Listed]:
    """Of one campaign, the latest first. One statement."""
    mine = listed().where(Campaign.public_id == campaign, CampaignReport.state == S.PUBLISHED)
    return [Listed(*row) for row in session.execute(mine.order_by(CampaignReport.id.desc()).limit(MOST))]


def of_organisations(session: Session, organisations: Sequence[str]) -> list[Listed]:
    """Drafts first, then what was published, the latest first. One statement."""
    mine = listed().where(Campaign.organisation_code.in_(organisations), CampaignReport.state != S.WITHDRAWN)
    rows = session.execute(mine.order_by(CampaignReport.state, CampaignReport.id.desc()).limit(MOST))
    return [Listed(*row) for row in rows]


def public(session: Session, campaign: str, report: str) -> CampaignReport:
    """One that was published. Raises NotFound."""
    mine = select(CampaignReport).join(Campaign, Campaign.id == CampaignReport.campaign_id)
    mine = mine.where(Campaign.public_id == campaign, CampaignReport.public_id == report)
    found = session.scalar(mine.where(CampaignReport.state == S.PUBLISHED))
    if found is None:
        raise NotFound(report)
    return found


def get(session: Session, report: str, organisations: Sequence[str]) -> tuple[CampaignReport, str]:
    """One of theirs, and its drafter's name. Raises NotFound for every other."""
    mine = select(CampaignReport, Person.name).join(Campaign, Campaign.id == CampaignReport.campaign_id)
    mine = mine.join(Person, Person.id == CampaignReport.drafter_id)
    row = session.execute(
        mine.where(CampaignReport.public_id == report, Campaign.organisation_code.in_(organisations))
    ).first()
    if row is None:
        raise NotFound(report)
    return row[0], row[1]


def evidence_due(session: Session, organisations: Sequence[str] | None, book: str) -> list[EvidenceDue]:
    """Payments that wait for their evidence, also those at the bank, the earliest first; None: of all organisations. One
    statement."""
    wanted: Any = select(Disbursement.public_id, Disbursement.purpose_zh, Disbursement.fen, Disbursement.evidence_due_on)
    wanted = wanted.add_columns(Campaign.public_id.label("campaign"), Campaign.title_zh, Campaign.title_en)
    wanted = wanted.add_columns(Campaign.organisation_code).join(Campaign, Campaign.id == Disbursement.campaign_id)
    is_sent = Disbursement.state.in_((DisbursementState.PAYING, DisbursementState.PAID))
    wanted = wanted.where(is_sent, Disbursement.evidence_due_on.is_not(None), Disbursement.book == book)
    if organisations is not None:
        wanted = wanted.where(Campaign.organisation_code.in_(organisations))
    rows = session.execute(wanted.order_by(Disbursement.evidence_due_on, Disbursement.id))
    return [EvidenceDue(*row) for row in rows]
