"""The way of a campaign: written by one officer, reviewed by another, opened only with all that the law wants."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import drafting, lifecycle
from crowdfund.campaigns.drafting import Line, Locked
from crowdfund.campaigns.lifecycle import AlreadySpent, NoReason, OwnReview
from crowdfund.campaigns.models import Campaign, Disbursement, Organisation
from crowdfund.campaigns.requirements import NotReady
from crowdfund.campaigns.states import CampaignState as C, DisbursementState
from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition
from marketplace.core.transitions import EventRow
from tests import factories
from tests.campaigns.conftest import BUDGET, Fund, facts, get, officer_of
from tests.factories import sign_in_as


def test_from_draft_to_live_two_people_have_signed(fund: Fund) -> None:
    campaign = fund.open()

    row = get(campaign)
    assert (row.state, row.owner_id, row.reviewer_id) == (C.LIVE, fund.officer.id, fund.approver.id)
    assert row.opened_at is not None
    deeds = select(AuditRecord.action, AuditRecord.actor).where(AuditRecord.subject == f"campaign:{campaign}")
    assert [tuple(deed) for deed in db.session.execute(deeds.order_by(AuditRecord.id))] == [
        ("campaign.submitted", f"person:{fund.officer.id}"),
        ("campaign.approved", f"person:{fund.approver.id}"),
        ("campaign.live", f"person:{fund.officer.id}"),
    ]


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        *((name, " ", name) for name in ("title_zh", "story_zh", "purpose_zh", "beneficiaries_zh", "criteria_zh")),
        *((name, "", name) for name in ("region_zh", "leader_zh", "bank_account_zh", "residue_zh")),
        ("goal_fen", 1_800_001, "budget"),
        ("past_goal", "next_project", "next_project_zh"),
    ],
)
def test_each_thing_that_a_reviewer_must_read_is_named(fund: Fund, column: str, value: Any, named: str) -> None:
    campaign = fund.draft(**{column: value})

    with pytest.raises(NotReady) as refusal:
        in_transaction(lifecycle.submit, campaign=campaign, person=fund.officer.id)
    assert set(refusal.value.missing) == {named}
    assert get(campaign).state is C.DRAFT


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"filing_number": ""}, "filing_number"),
        ({"filed_on": None}, "filed_on"),
        ({"filed_on": 9}, "filed_on"),
        ({"starts_on": -1, "filed_on": 20}, "starts_on"),
        ({"starts_on": 9, "ends_on": 1, "filed_on": 30}, "ends_on"),
    ],
)
def test_each_thing_that_is_missing_on_the_first_day_is_named(fund: Fund, changes: dict[str, Any], named: str) -> None:
    today = clock.today()  # figures are days ago
    days = {name: today - timedelta(days=value) if isinstance(value, int) else value for name, value in changes.items()}
    campaign = fund.approved(**days)

    with pytest.raises(NotReady) as refusal:
        in_transaction(lifecycle.open_to_all, campaign=campaign, person=fund.officer.id)
    assert set(refusal.value.missing) == {named}
    assert get(campaign).state is C.APPROVED


def test_no_opening_without_a_valid_certificate(fund: Fund) -> None:
    campaign = fund.approved()
    db.session.scalars(select(Organisation)).one().certificate_until = clock.today()
    db.session.commit()

    with pytest.raises(NotReady) as refusal:
        in_transaction(lifecycle.open_to_all, campaign=campaign, person=fund.officer.id)
    assert set(refusal.value.missing) == {"organisation"}


def test_nobody_reviews_their_own(fund: Fund) -> None:
    campaign = fund.draft()
    in_transaction(lifecycle.submit, campaign=campaign, person=fund.officer.id)

    for review, told in ((lifecycle.approve, {}), (lifecycle.ask_for_work, {"why": "预算太粗"})):
        with pytest.raises(OwnReview):
            in_transaction(review, campaign=campaign, person=fund.officer.id, **told)
    assert get(campaign).state is C.SUBMITTED
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("UPDATE campaign SET reviewer_id = owner_id"))


def test_who_wrote_in_anothers_draft_does_not_approve_it(fund: Fund) -> None:
    """Somebody with both roles: the account to which the money goes would be the word of one person."""
    campaign = fund.draft()
    told: dict[str, Any] = {"campaign": campaign, "person": fund.approver.id}
    in_transaction(drafting.change, **told, facts={"bank_account_zh": "别的银行 尾号 0001"}, budget=BUDGET)
    in_transaction(lifecycle.submit, campaign=campaign, person=fund.officer.id)
    for review in (lifecycle.approve, lifecycle.ask_for_work):
        with pytest.raises(OwnReview):
            in_transaction(review, **told, why="很好")
    assert (get(campaign).state, get(campaign).reviewer_id) == (C.SUBMITTED, None)
    client = fund.browser()
    sign_in_as(client, fund.approver)
    page = client.get(f"/charity/campaigns/{campaign}").text
    assert "/approval" not in page and "自己写的，要请另一个人来审" in page
    in_transaction(lifecycle.approve, campaign=campaign, person=officer_of("charity_approver", "赵明").id)
    assert get(campaign).state is C.APPROVED


def test_what_needs_work_is_changed_and_handed_in_again(fund: Fund) -> None:
    campaign = fund.draft()
    in_transaction(lifecycle.submit, campaign=campaign, person=fund.officer.id)
    with pytest.raises(NoReason):
        in_transaction(lifecycle.ask_for_work, campaign=campaign, person=fund.approver.id, why="  ")
    in_transaction(lifecycle.ask_for_work, campaign=campaign, person=fund.approver.id, why="预算太粗")
    changed = facts(goal_fen=500, title_zh="一本书")
    in_transaction(
        drafting.change,
        campaign=campaign,
        person=fund.officer.id,
        facts=changed,
        budget=[Line("书", 300), Line("运费", 200)],
    )
    in_transaction(lifecycle.submit, campaign=campaign, person=fund.officer.id)

    row = get(campaign)
    assert (row.state, row.goal_fen, row.title_zh) == (C.SUBMITTED, 500, "一本书")
    assert [(line.name_zh, line.fen) for line in drafting.budget_of(db.session(), row.id)] == [("书", 300), ("运费", 200)]
    assert "预算太粗" in db.session.scalars(select(AuditRecord.why)).all()


def test_what_was_approved_is_not_changed_any_more(fund: Fund) -> None:
    campaign = fund.approved()

    with pytest.raises(Locked):
        in_transaction(
            drafting.change, campaign=campaign, person=fund.officer.id, facts=facts(purpose_zh="别的"), budget=BUDGET
        )
    assert get(campaign).purpose_zh == "为村小添置图书和书架"


def test_the_database_itself_locks_the_purpose_at_the_first_gift(fund: Fund) -> None:
    campaign = fund.open()
    db.session.scalars(select(Campaign)).one().purpose_zh = "为村小添置图书"
    db.session.commit()
    fund.give(campaign, 1)

    with pytest.raises(IntegrityError, match="locked at the first gift"), db.engine.begin() as connection:
        connection.execute(text("UPDATE campaign SET purpose_zh = '别的'"))
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE campaign SET purpose_zh = purpose_zh, story_zh = '补一句'"))
    assert get(campaign).purpose_zh == "为村小添置图书"


def test_pause_and_resume_with_a_reason(fund: Fund) -> None:
    campaign = fund.open()
    with pytest.raises(NoReason):
        in_transaction(lifecycle.pause, campaign=campaign, person=fund.officer.id, why="")
    in_transaction(lifecycle.pause, campaign=campaign, person=fund.officer.id, why="核对名单")
    assert get(campaign).state is C.PAUSED
    with pytest.raises(IllegalTransition):
        in_transaction(lifecycle.end, campaign=campaign, person=fund.officer.id, why="够了")
    in_transaction(lifecycle.resume, campaign=campaign, person=fund.officer.id)
    assert get(campaign).state is C.LIVE
    in_transaction(lifecycle.end, campaign=campaign, person=fund.officer.id, why="够了")
    row = get(campaign)
    assert row.state is C.ENDED and row.closed_at is not None
    with pytest.raises(IllegalTransition):
        in_transaction(lifecycle.resume, campaign=campaign, person=fund.officer.id)


def test_a_paused_one_ends_with_its_last_day_as_any_other(fund: Fund) -> None:
    campaign = fund.open()
    fund.give(campaign, 660)
    in_transaction(lifecycle.pause, campaign=campaign, person=fund.officer.id, why="核对名单")
    with time_machine.travel(clock.start_of(get(campaign).ends_on) + timedelta(days=1, minutes=1), tick=False):
        in_transaction(lifecycle.end_due)
        row = get(campaign)
        assert (row.state, row.closed_at) == (C.ENDED, clock.now())
        steps = select(EventRow.from_state, EventRow.to_state).where(EventRow.subject == f"campaign:{campaign}")
        steps = steps.order_by(EventRow.id.desc()).limit(3)
        assert db.session.execute(steps).all() == [("live", "ended"), ("paused", "live"), ("live", "paused")]
    assert fund.balance(campaign) == 660


def test_the_worker_ends_what_had_its_last_day(fund: Fund) -> None:
    campaign = fund.open()
    last = clock.start_of(get(campaign).ends_on)
    with time_machine.travel(last + timedelta(hours=23, minutes=59), tick=False):
        in_transaction(lifecycle.end_due)
        assert get(campaign).state is C.LIVE
    with time_machine.travel(last + timedelta(days=1, minutes=1), tick=False):
        in_transaction(lifecycle.end_due)
        row = get(campaign)
        assert (row.state, row.closed_at) == (C.ENDED, clock.now())


def test_ended_by_hand_before_its_last_day(fund: Fund) -> None:
    campaign = fund.open()
    in_transaction(lifecycle.end, campaign=campaign, person=fund.officer.id, why="够了")
    assert get(campaign).state is C.ENDED
    with pytest.raises(IllegalTransition):
        in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="晚了")


def test_what_was_spent_cannot_be_called_off(fund: Fund) -> None:
    campaign = fund.open()
    row = get(campaign)
    line = drafting.budget_of(db.session(), row.id)[0]
    paid = {"provider_zh": "书店", "provider_credit_code": "91", "invoice_number": "1", "purpose_zh": "书", "book": "test"}
    who = {"requester_id": fund.officer.id, "approver_id": fund.approver.id, "state": DisbursementState.APPROVED}
    factories.make(Disbursement, {"campaign_id": row.id, "budget_line_id": line.id, "fen": 1} | paid | who, {})

    with pytest.raises(AlreadySpent):
        in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    assert get(campaign).state is C.LIVE
