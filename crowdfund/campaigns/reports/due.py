"""The statutory clock: what has to be told to the public by when, and whether it is late.

Charity Law, chapter on disclosure: at least every three months while money is raised or spent, and in full within three
months of the end of raising it. Evidence of a payment: thirty days (`disbursing`)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.plans.periods import anniversary
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.reports.states import ReportState
from crowdfund.campaigns.states import CampaignState
from marketplace.core import clock
from marketplace.core.errors import Refusal
from marketplace.core.records import slim_record

MONTHS: Final = 3
C = CampaignState
REPORTS: Final = frozenset({C.LIVE, C.PAUSED, C.ENDED, C.DISBURSING})
PERIODIC, FULL = "periodic", "full"


class ReportOverdue(Refusal):
    message = _l("A report on this campaign is overdue. Until it is published, this campaign pays nothing more.")


@slim_record
class Due:
    """A report that has to be published by a day, in Shanxi."""

    campaign_id: int
    campaign: str
    title_zh: str
    title_en: str
    organisation: str
    kind: str
    due_on: date

    @property
    def is_overdue(self) -> bool:
        return self.due_on < clock.today()


def days(*, opened: date, ended: date | None, told_until: date | None, told_in_full: date | None) -> dict[str, date]:
    """By when which kind is due. `told_until`, `told_in_full`: the last day of which any report, a full one, has told.

    The three months begin anew on the last day that was told of, not on the day of publication: who publishes late has
    less time for the next one."""
    found = {PERIODIC: anniversary(told_until or opened, MONTHS)}
    if ended and (told_in_full is None or told_in_full < ended):
        found[FULL] = anniversary(ended, MONTHS)
    return found


def of(session: Session, which: Any) -> list[Due]:
    """What is due of these campaigns, the earliest first. One statement."""
    until, is_published = CampaignReport.until, CampaignReport.state == ReportState.PUBLISHED
    in_full = func.max(case((CampaignReport.kind == FULL, until)))
    told: Any = select(CampaignReport.campaign_id, func.max(until).label("told_until"), in_full.label("told_in_full"))
    told = told.where(is_published).group_by(CampaignReport.campaign_id).subquery()
    wanted = select(Campaign.id, Campaign.public_id, Campaign.title_zh, Campaign.title_en, Campaign.organisation_code)
    wanted = wanted.add_columns(Campaign.opened_at, Campaign.closed_at, told.c.told_until, told.c.told_in_full)
    wanted = wanted.outerjoin(told, told.c.campaign_id == Campaign.id)
    wanted = wanted.where(
        Campaign.channel != "mirror"
    )  # what its platform has got is reported there: we hold no money of it
    rows = session.execute(wanted.where(which, Campaign.state.in_(REPORTS), Campaign.opened_at.is_not(None)))
    return sorted((each for row in rows for each in of_row(row)), key=lambda each: (each.due_on, each.campaign, each.kind))


def of_row(row: Any) -> list[Due]:
    opened, ended = clock.local(row.opened_at).date(), clock.local(row.closed_at).date() if row.closed_at else None
    by_kind = days(opened=opened, ended=ended, told_until=row.told_until, told_in_full=row.told_in_full)
    names = (row.id, row.public_id, row.title_zh, row.title_en, row.organisation_code)
    return [Due(*names, kind, due_on) for kind, due_on in by_kind.items()]


def overdue(session: Session, campaign: str = "") -> list[Due]:
    """The late ones, of one campaign or of all. One statement."""
    which = Campaign.public_id == campaign if campaign else Campaign.id.is_not(None)
    return [each for each in of(session, which) if each.is_overdue]


def of_organisations(session: Session, organisations: Sequence[str]) -> list[Due]:
    """One statement."""
    return of(session, Campaign.organisation_code.in_(organisations))


def refuse_overdue(session: Session, campaign: Campaign) -> None:
    """Raises ReportOverdue."""
    if overdue(session, campaign.public_id):
        raise ReportOverdue(campaign.public_id)
