"""Campaigns for the JSON face: the same figures as their pages."""

from typing import Any

from sqlalchemy.orm import Session

from crowdfund.campaigns import drafting, queries
from crowdfund.campaigns.criteria import publishing
from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.queries import Card
from crowdfund.campaigns.students import queries as students
from marketplace.api.schemas import (
    BudgetItem,
    CampaignAnswer,
    CampaignItem,
    CampaignsAnswer,
    CampaignsQuery,
    FreePlace,
    GivenElsewhere,
    Limits,
    Students,
)
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language


def campaigns(session: Session, asked: CampaignsQuery) -> CampaignsAnswer:
    """Two statements."""
    which: dict[str, Any] = {"kinds": asked.kind, "states": asked.state, "counties": asked.county}
    total, found = queries.page_of(session, **which, page=asked.page, per_page=asked.per_page)
    return CampaignsAnswer(total=total, page=asked.page, items=[CampaignItem(**item(card)) for card in found])


def campaign(session: Session, public_id: str) -> CampaignAnswer:
    """Four statements, one more where limits were published, two more of student aid.

    Raises NotFound for what is not shown to everybody."""
    card, row, organisation = queries.find(session, public_id)
    if card.channel == gate.DIRECTED:
        raise NotFound(public_id)
    budget = drafting.budget_of(session, row.id)
    return CampaignAnswer(
        **item(card),
        organisation=in_language(organisation.name_zh, organisation.name_en),
        filing_number=row.filing_number,
        filed_on=row.filed_on,
        purpose=row.purpose_zh,
        beneficiaries=row.beneficiaries_zh,
        criteria=row.criteria_zh,
        limits=limits_of(session, row.id),
        region=row.region_zh,
        leader=row.leader_zh,
        residue=row.residue_zh,
        past_goal=row.past_goal,
        story=row.story_zh,
        unit_fen=row.unit_fen,
        unit=in_language(row.unit_zh, row.unit_en),
        budget=[BudgetItem(name=in_language(line.name_zh, line.name_en), fen=line.fen) for line in budget],
        students=students_of(session, card, row.id),
    )


def limits_of(session: Session, number: int) -> Limits | None:
    found = publishing.limits_of(session, number)
    if found is None:
        return None
    return Limits(counties=[code for code, _name in found.counties], most=found.most, each_fen=found.each_fen)


def students_of(session: Session, card: Card, number: int) -> Students | None:
    """As its page shows them; where nothing can be given any more, nobody waits."""
    if card.kind != "student_aid":
        return None
    free = students.offered(session, card.id) if card.is_open else ()
    names = ("alias", "stage", "month_fen", "term_fen", "url")
    places = [FreePlace(**{name: getattr(place, name) for name in names}) for place in free]
    return Students(sponsored=students.sponsored_now(session, number), free=places)


def item(card: Card) -> dict[str, Any]:
    names = ("id", "kind", "title", "goal_fen", "raised_fen", "spent_fen", "returned_fen", "gifts", "starts_on", "ends_on")
    plain = {name: getattr(card, name) for name in (*names, "is_demo", "url")}
    return plain | {"state": str(card.state), "county_code": card.station.code, "elsewhere": elsewhere(card)}


def elsewhere(card: Card) -> GivenElsewhere | None:
    """Of a mirrored campaign: never a part of `raised_fen`."""
    there = card.elsewhere
    if there is None:
        return None
    return GivenElsewhere(
        platform=there.platform, url=there.url, raised_fen=there.fen, gifts=there.gifts, until=there.latest_at
    )
