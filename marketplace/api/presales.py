"""Presales for the JSON face: the same figures as their pages."""

from typing import Any

from sqlalchemy.orm import Session

from crowdfund.presales import queries
from crowdfund.presales.queries import Card, Row
from marketplace.api.presale_schemas import (
    PresaleAnswer,
    PresaleItem,
    PresaleNews,
    PresalesAnswer,
    PresalesQuery,
    PresaleTierItem,
)


def presales(session: Session, asked: PresalesQuery) -> PresalesAnswer:
    """Two statements."""
    which: dict[str, Any] = {"states": asked.state, "counties": asked.county}
    total, found = queries.page_of(session, **which, page=asked.page, per_page=asked.per_page)
    return PresalesAnswer(total=total, page=asked.page, items=[PresaleItem(**item(card)) for card in found])


def presale(session: Session, public_id: str) -> PresaleAnswer:
    """Five statements. Raises NotFound for what is not shown to everybody."""
    shown = queries.find(session, public_id)
    row = shown.row
    figures = ("area_tenths", "yield_kg", "cap_grams", "start_percent", "grace_days")
    return PresaleAnswer(
        **item(shown.card),
        **{name: getattr(row, name) for name in figures},
        left_grams=shown.left_grams,
        listing=shown.listing,
        seller=shown.seller,
        village=shown.village,
        story=row.story_zh,
        plan=row.plan_zh,
        tiers=[tier(each) for each in shown.tiers],
        updates=[PresaleNews(at=at, text=text) for text, at in shown.updates],
    )


def item(card: Card) -> dict[str, Any]:
    names = ("id", "title", "goal_fen", "paid_fen", "places", "closes_on", "harvest_on", "is_demo", "url")
    return {name: getattr(card, name) for name in names} | {"state": str(card.state), "county_code": card.station.code}


def tier(row: Row) -> PresaleTierItem:
    names = ("id", "title", "unit", "packs", "grams", "fen", "shipping_fen", "taken", "most")
    return PresaleTierItem(**{name: getattr(row, name) for name in names}, left=max(0, row.most_now))
