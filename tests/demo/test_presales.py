"""The demonstration's presales: made by the real commands, open, by two people each; loading again changes none."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.presales.drafting import reachable_fen
from crowdfund.presales.models import Presale
from marketplace.demo.load import load


def test_three_harvests_are_sold_ahead(demonstration: Session) -> None:
    rows = demonstration.scalars(select(Presale)).all()
    assert [(row.state, row.is_demo, row.station_code) for row in rows] == [
        ("live", True, "141031"),
        ("live", True, "140929"),
        ("live", True, "140722"),
    ]
    assert all(row.reviewer_id not in {None, row.seller_id} for row in rows)
    assert all(reachable_fen(row.tiers, row.cap_grams) >= row.goal_fen for row in rows)
    load(demonstration)
    assert demonstration.scalar(select(func.count()).select_from(Presale)) == 3
