"""The limits of a campaign, set while it is a draft. They are reviewed and published with it, and hold from then on."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import drafting
from crowdfund.campaigns.criteria.models import CampaignCriteria, CriteriaCounty
from marketplace.core import audit
from marketplace.core.formats import in_language
from marketplace.core.records import record
from marketplace.stations.models import County


@record
class Limits:
    """`counties` are codes with their names in the reader's language."""

    counties: tuple[tuple[str, str], ...]
    most: int
    each_fen: int

    @property
    def names(self) -> list[str]:
        return [name for _code, name in self.counties]


def set_limits(session: Session, *, campaign: str, person: int, counties: Sequence[str], most: int, each_fen: int) -> None:
    """Instead of those of before. Raises NotFound, drafting.Locked."""
    row = drafting.get(session, campaign)
    if row.state not in drafting.OPEN_TO_CHANGE:
        raise drafting.Locked(campaign)
    session.execute(delete(CriteriaCounty).where(CriteriaCounty.campaign_id == row.id))
    session.merge(CampaignCriteria(campaign_id=row.id, most=most, each_fen=each_fen))
    session.flush()
    session.add_all([CriteriaCounty(campaign_id=row.id, county_code=code) for code in counties])
    actor, subject, where = f"person:{person}", f"campaign:{campaign}", " ".join(counties)
    told = {"action": "campaign.criteria_set", "subject": subject}
    audit.record(session, actor=actor, **told, counties=where, most=most, fen=each_fen)


def limits_of(session: Session, campaign_id: int) -> Limits | None:
    """Two statements; None where there are none."""
    row = session.get(CampaignCriteria, campaign_id)
    if row is None:
        return None
    wanted = select(County.code, County.name_zh, County.name_en)
    wanted = wanted.join(CriteriaCounty, CriteriaCounty.county_code == County.code)
    found = session.execute(wanted.where(CriteriaCounty.campaign_id == campaign_id).order_by(County.code)).all()
    return Limits(tuple((each.code, in_language(each.name_zh, each.name_en)) for each in found), row.most, row.each_fen)


def counties(session: Session) -> dict[str, str]:
    """Chinese name to code, as officers write them."""
    return {row.name_zh: row.code for row in session.execute(select(County.name_zh, County.code).order_by(County.code))}
