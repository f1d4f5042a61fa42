"""More from the same sponsor, a fund that ends with its campaign, and what its sponsor is told."""

from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.matching import ending, funds, topping_up
from crowdfund.campaigns.states import FundState as F
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.notifications.models import Message
from tests.campaigns.conftest import Fund, hidden, post
from tests.campaigns.matching.conftest import (
    CONTACT,
    differences,
    get_fund,
    matches_of,
    open_fund,
    pay_in,
    promise,
    standing,
)
from tests.campaigns.matching.test_pages import DESK, latest


def top_up(fund: Fund, opened: str, fen: int) -> str:
    """Promised, paid in, opened by the other officer."""
    more = in_transaction(topping_up.top_up, fund=opened, more=Money(fen), owner_id=fund.officer.id)
    pay_in(fund, more)
    in_transaction(funds.activate, fund=more, person=fund.approver.id)
    return more


def letters() -> list[str]:
    db.session.rollback()
    mine = select(Message.fact).where(Message.fact.startswith("matching_fund:")).order_by(Message.id)
    return list(db.session.scalars(mine))


def test_what_tops_up_goes_on_where_the_first_ended_and_counts_a_givers_cap_with_it(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000, giver_cap=800, gift_cap=700)
    more = top_up(fund, opened, 5000)
    fund.give(campaign, 600, contact="a@example.test")
    fund.give(campaign, 600, contact="b@example.test")  # what is left of the first
    assert (matches_of(opened), standing(opened)[0]) == ([600, 400], F.EXHAUSTED)
    fund.give(campaign, 600, contact="a@example.test")  # 200 under the cap
    fund.give(campaign, 900, contact="c@example.test")
    assert matches_of(more) == [200, 700]
    assert get_fund(more).continues_id == get_fund(opened).id
    third = top_up(fund, more, 100)
    assert get_fund(third).continues_id == get_fund(opened).id
    assert differences(fund) == []


def test_only_an_open_or_used_up_fund_is_topped_up(fund: Fund) -> None:
    campaign = fund.open()
    promised = promise(fund, campaign)
    for _ in range(2):
        with pytest.raises(topping_up.CannotBeToppedUp):
            in_transaction(topping_up.top_up, fund=promised, more=Money(5), owner_id=fund.officer.id)
        pay_in(fund, promised) if get_fund(promised).state is F.DRAFT else None
    in_transaction(funds.activate, fund=promised, person=fund.approver.id)
    in_transaction(lifecycle.end, campaign=campaign, person=fund.officer.id, why="enough")
    with pytest.raises(funds.TakesNoFund):
        in_transaction(topping_up.top_up, fund=promised, more=Money(5), owner_id=fund.officer.id)


def test_an_officer_tops_up_at_the_desk(fund: Fund, officer: FlaskClient, approver: FlaskClient) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    page = f"{DESK}/{opened}"
    key = hidden(officer.get(page), "idempotency_key")
    refused = post(officer, f"{page}/top-up", {"more": "abc", "idempotency_key": key})
    assert refused.status_code == 422 and "abc" in refused.text
    for _twice in range(2):
        assert post(officer, f"{page}/top-up", {"more": "50", "idempotency_key": key}).status_code == 303
    more = latest()
    assert (more.total_fen, more.state, more.continues_id) == (5000, F.DRAFT, get_fund(opened).id)
    assert page in officer.get(f"{DESK}/{more.public_id}").text
    assert post(approver, f"{page}/top-up", {"more": "50", "idempotency_key": key}).status_code == 403


def test_a_fund_ends_by_itself_once_its_campaigns_last_gifts_have_come(fund: Fund) -> None:
    campaign = fund.open()
    opened, drafted, other = open_fund(fund, campaign), promise(fund, campaign), open_fund(fund, fund.open())
    late = fund.begin(campaign, 500)
    in_transaction(lifecycle.end, campaign=campaign, person=fund.officer.id, why="enough")
    fund.pay(late)
    assert not in_transaction(ending.end_one_due)
    fund.work()
    assert standing(opened)[:2] == (F.ACTIVE, 500)

    with time_machine.travel(clock.now() + ending.AFTERWARDS + timedelta(minutes=1)):
        assert [in_transaction(ending.end_one_due) for _ in range(3)] == [True, True, False]
        fund.work()
    assert standing(opened) == (F.CLOSED, 500, 9500, 0)
    assert (get_fund(drafted).state, get_fund(other).state) == (F.CLOSED, F.ACTIVE)
    assert differences(fund) == []


def test_the_sponsor_is_told_once_of_each_turn(fund: Fund) -> None:
    campaign = fund.open()
    promised = promise(fund, campaign, 1000)
    assert letters() == []
    pay_in(fund, promised)
    in_transaction(funds.activate, fund=promised, person=fund.approver.id)
    fund.give(campaign, 1000)
    in_transaction(funds.close, fund=promised, person=fund.officer.id, why="all given")
    fund.work()
    assert letters() == [f"matching_fund:{promised}:{state}" for state in ("funded", "active", "exhausted", "closed")]
    rows = db.session.scalars(select(Message).where(Message.fact.startswith("matching_fund:"))).all()
    assert {row.address for row in rows} == {CONTACT} and "¥10" in rows[0].text
    assert all(funds.link_token(promised) in row.text for row in rows)


def test_a_fund_that_nobody_paid_closes_without_a_letter(fund: Fund) -> None:
    promised = promise(fund, fund.open())
    in_transaction(funds.close, fund=promised, person=fund.officer.id, why="changed their mind")
    fund.work()
    assert letters() == []
