"""The demonstration's campaigns and gifts: made by the real commands, and they stand every check that real ones stand."""

from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import queries
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.models import BudgetLine, Campaign, Contribution, Organisation, PublicRow
from crowdfund.campaigns.plans.models import Installment, Plan
from crowdfund.campaigns.states import CampaignState, ContributionState, FundState, HeldState, InstallmentState
from crowdfund.presales.models import Backing
from crowdfund.presales.states import BackingState
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.sealing import DailyRoot
from marketplace.demo import gifts
from marketplace.demo.load import load


def test_seventeen_campaigns_of_an_example_organisation(demonstration: Session) -> None:
    rows = demonstration.scalars(select(Campaign)).all()
    sums = select(BudgetLine.campaign_id, func.sum(BudgetLine.fen)).group_by(BudgetLine.campaign_id)

    assert Counter(row.kind for row in rows) == {"donation": 10, "student_aid": 7}
    assert {row.state for row in rows} == {CampaignState.LIVE}
    assert all(row.is_demo and row.reviewer_id not in {None, row.owner_id} for row in rows)
    assert dict(demonstration.execute(sums).all()) == {row.id: row.goal_fen for row in rows}
    assert demonstration.scalars(select(Organisation.is_demo)).all() == [True]


def test_loading_again_changes_no_campaign(demonstration: Session) -> None:
    demonstration.scalars(select(Campaign).where(Campaign.public_id == "C001")).one().story_zh = "改过"
    load(demonstration)

    assert demonstration.scalar(select(Campaign.story_zh).where(Campaign.public_id == "C001")) == "改过"
    assert demonstration.scalar(select(func.count()).select_from(Campaign)) == 17


@pytest.fixture
def lived(gifts_app: Flask) -> Iterator[Session]:
    with gifts_app.app_context():
        yield db.session()


@pytest.mark.full
def test_a_month_of_gifts_adds_up(lived: Session, gifts_app: Flask) -> None:
    states = Counter(lived.scalars(select(Campaign.state)))
    given = Counter(lived.scalars(select(Contribution.state)))
    messages = Counter(lived.scalars(select(Contribution.message_state)))
    with gifts_app.test_request_context():
        cards = [card for kind in ("donation", "student_aid") for card in queries.group(lived, kind).over]

    assert states == {CampaignState.LIVE: 13, CampaignState.ENDED: 3, CampaignState.PAUSED: 1}
    months = Counter(lived.scalars(select(Installment.state)))
    assert months in ({InstallmentState.RECEIVED: 2}, {InstallmentState.RECEIVED: 3})  # its day may begin at nine only
    assert given == {ContributionState.RECEIVED: 159 + months.total(), ContributionState.LAPSED: 1}
    assert lived.scalars(select(Plan.mandate.is_not(None))).all() == [True, True]
    (fund,) = lived.scalars(select(MatchingFund)).all()
    assert (fund.state, fund.received_fen, fund.matched_fen, fund.gone_fen) == (FundState.ACTIVE, 500_000, 138_800, 0)
    (waits,) = lived.scalars(select(HeldMatch)).all()
    assert (waits.state, waits.fen, fund.held_fen) == (HeldState.HELD, 40_000, 40_000)
    assert [reason["code"] for reason in waits.reasons] == ["sponsors_card"]
    assert messages["waiting"] == gifts.UNREAD and messages["shown"] > 10
    assert [card.raised_fen for card in cards if card.id == "C002"] == [960_000]
    assert lived.scalars(select(func.max(PublicRow.at))).one() <= clock.now()
    closed = select(func.max(DailyRoot.day), func.count()).where(DailyRoot.chain == "public")
    last, days = lived.execute(closed).one()
    assert last < clock.today() and days > 20  # a day's root can be tried on a fresh house
    places = lived.execute(select(Backing.tier_id, Backing.state, Backing.person_id.is_not(None))).all()
    assert len(places) == 7 and len({tier for tier, _state, _has_account in places}) == 5
    assert {state for _tier, state, _has_account in places} == {BackingState.CONFIRMED}
    assert sum(has_account for _tier, _state, has_account in places) == 2
    before = lived.scalar(select(func.count()).select_from(PublicRow))
    gifts.play()
    assert lived.scalar(select(func.count()).select_from(PublicRow)) == before
    db.session.remove()
    with db.engine.connect() as connection:
        assert [found for found in audit.findings(connection, None) if isinstance(found, Difference)] == []
