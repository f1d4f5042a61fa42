"""Gifts that look as if one person gave them all, and what became of their matches."""

from typing import Any

from sqlalchemy import select

from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.traces import Origin
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.states import HeldState
from marketplace.core.db import db
from marketplace.payments import attempts
from tests.campaigns.conftest import Fund


def give_with(
    fund: Fund, campaign: str, fen: int, *, card: str = "", device: str = "", network: str = "", **giver: Any
) -> str:
    """From a device on a network, paid with a card."""
    gift = fund.begin(campaign, fen, origin=Origin(device, network), **giver)
    attempts.submit(fund.attempt(gift), return_url="/", description="gift")
    fund.cashier.decide(fund.remote_of(gift), "succeeded", card)
    fund.work()
    return gift


def held_of(gift: str) -> HeldMatch | None:
    db.session.rollback()
    mine = select(HeldMatch).join(Contribution, Contribution.id == HeldMatch.contribution_id)
    return db.session.scalar(mine.where(Contribution.public_id == gift).execution_options(populate_existing=True))


def held_state(gift: str) -> HeldState:
    found = held_of(gift)
    assert found is not None
    return found.state


def name_of(gift: str) -> str:
    found = held_of(gift)
    assert found is not None
    return found.public_id


def codes_of(gift: str) -> list[str]:
    found = held_of(gift)
    return [reason["code"] for reason in found.reasons] if found else []


def sums_of(fund: str) -> tuple[int, int, int]:
    """(matched, kept for matches that wait, left)."""
    db.session.rollback()
    row = db.session.scalars(select(MatchingFund).where(MatchingFund.public_id == fund)).one()
    return row.matched_fen, row.held_fen, row.left_fen
