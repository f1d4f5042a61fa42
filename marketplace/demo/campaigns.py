"""The demonstration's organisation and its fifteen campaigns, opened by the real commands with the clock set back."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import drafting, lifecycle
from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.models import Campaign, Organisation
from marketplace.core import clock
from marketplace.demo.people import ORGANISATION, ids_of, person_id
from marketplace.demo.tables import Row, add_missing, is_true, read
from marketplace.stations.models import County

OPENS_AT: Final = time(8, 0)
FILED_BEFORE: Final = timedelta(days=14)
FOUNDATION: Final = {
    "code": ORGANISATION[1],
    "name_zh": "示例青少年基金会",
    "name_en": "Example Youth Foundation",
    "credit_code": "53140000DEMO000417",
    "certificate_number": "慈募证字第 DEMO-2026 号",
    "address_zh": "太原市示例路 1 号",
    "phone": "0351-555-0417",
    "is_demo": True,
}


def load(session: Session) -> None:
    """What is not there yet; what is there stays as it is."""
    today = clock.today()
    dates = {"certificate_from": date(today.year - 2, 1, 1), "certificate_until": date(today.year + 3, 12, 31)}
    add_missing(session, Organisation.code, [FOUNDATION | dates])
    known = set(session.scalars(select(Campaign.public_id)))
    officers = ids_of(session, [person_id("charity"), person_id("charity2")])
    owner, reviewer = officers[person_id("charity")], officers[person_id("charity2")]
    regions = {row.code: row.name_zh for row in session.execute(select(County.code, County.name_zh))}
    budgets = budget_lines()
    for number, row in enumerate(read("campaigns"), start=1):
        if row["id"] not in known:
            live_through(session, row, owner, reviewer, budgets[row["id"]], regions[row["station_code"]], number)


def live_through(
    session: Session, row: Row, owner: int, reviewer: int, budget: list[Line], region: str, number: int
) -> None:
    """Written, handed in, approved by somebody else, opened on its first day."""
    start = clock.today() - timedelta(days=int(row["started_days_ago"]))
    opened = datetime.combine(start, OPENS_AT, clock.SHANGHAI)
    facts = facts_of(row, start, region, number)
    with clock.at(opened - timedelta(days=20)):
        drafting.create(
            session,
            organisation=ORGANISATION[1],
            owner=owner,
            facts=facts | {"created_at": clock.now()},
            budget=budget,
            public_id=row["id"],
        )
    with clock.at(opened - timedelta(days=19)):
        lifecycle.submit(session, campaign=row["id"], person=owner)
    with clock.at(opened - timedelta(days=17)):
        lifecycle.approve(session, campaign=row["id"], person=reviewer, why="预算和标准都核过")
    with clock.at(opened):
        lifecycle.open_to_all(session, campaign=row["id"], person=owner)
    session.flush()


def facts_of(row: Row, start: date, region: str, number: int) -> dict[str, Any]:
    kept = (
        *("kind", "station_code", "title_zh", "title_en", "story_zh", "purpose_zh", "beneficiaries_zh", "criteria_zh"),
        *("past_goal", "next_project_zh", "residue_zh", "unit_zh", "unit_en", "channel", "platform", "platform_url"),
    )
    return {name: row[name] for name in kept} | {
        "region_zh": region,
        "leader_zh": "周予安",
        "bank_account_zh": "示例银行太原分行 尾号 0417",
        "filing_number": f"DEMO-04{number:02}",
        "filed_on": start - FILED_BEFORE,
        "starts_on": start,
        "ends_on": start + timedelta(days=int(row["days"])),
        "goal_fen": int(row["goal_fen"]),
        "unit_fen": int(row["unit_yuan"]) * 100 if row["unit_yuan"] else None,
        "milestones_zh": row["milestones_zh"].split("，"),
        "drawings": row["drawings"].split(),
        "is_demo": is_true(row["is_demo"]),
    }


def budget_lines() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for row in read("budget_lines"):
        found[row["campaign"]].append(Line(row["name_zh"], int(row["yuan"]) * 100, row["name_en"]))
    return found
