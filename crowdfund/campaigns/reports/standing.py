"""How a campaign stands with the statutory clock, as everybody reads it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.reports import due, queries
from crowdfund.campaigns.reports.due import Due
from crowdfund.campaigns.reports.queries import EvidenceDue, Listed
from marketplace.core.formats import in_language
from marketplace.core.memory import remembered
from marketplace.payments.gateways import current_book


@dataclass(frozen=True, eq=False)
class Standing:
    """What is late, and of one campaign the reports that were published and when the next is due."""

    reports: tuple[Due, ...]
    evidence: tuple[EvidenceDue, ...]
    published: tuple[Listed, ...]
    next: Due | None

    @property
    def is_late(self) -> bool:
        return bool(self.reports or self.evidence)

    def titles(self) -> list[str]:
        """Of the campaigns whose reports are late."""
        return list(dict.fromkeys(in_language(each.title_zh, each.title_en) for each in self.reports))


@remembered("giving", "ledger", kilobytes=8)
def of(session: Session, campaign: str = "") -> Standing:
    """Three statements at most; all campaigns together where none is named."""
    if not campaign:
        late = [each for each in due.of(session, Campaign.id.is_not(None)) if each.is_overdue]
        return Standing(tuple(late), (), (), None)
    ahead = due.of(session, Campaign.public_id == campaign)
    proofs = [each for each in queries.evidence_due(session, None, current_book()) if each.campaign == campaign]
    return Standing(
        reports=tuple(each for each in ahead if each.is_overdue),
        evidence=tuple(each for each in proofs if each.is_overdue),
        published=tuple(queries.published(session, campaign)),
        next=next((each for each in ahead if not each.is_overdue), None),
    )


@remembered("giving", "ledger")
def late(session: Session) -> frozenset[str]:
    """The campaigns that owe the public a report or evidence whose day is over, for lists of them. Two statements."""
    proofs = {each.campaign for each in queries.evidence_due(session, None, current_book()) if each.is_overdue}
    return frozenset(each.campaign for each in due.overdue(session)) | proofs
