"""The statutory clock: what is late stops this campaign's payments at every step, is said in public, and is told before."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask, current_app
from hypothesis import given, strategies as st
from sqlalchemy import select

from crowdfund.campaigns import disbursing
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.reports import due, reminding
from crowdfund.campaigns.reports.due import ReportOverdue
from crowdfund.campaigns.states import CampaignState as C, DisbursementState as D
from marketplace.accounts.models import Person
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from tests.factories import sign_in_as
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_disbursing import lay
from tests.reports.conftest import opened, report

OPENED = datetime(2026, 1, 31, 4, 0, tzinfo=UTC)
DAYS = st.dates(date(2024, 1, 1), date(2030, 1, 1))


def test_three_months_from_the_first_day_then_from_the_last_day_that_was_told_of() -> None:
    opened_on, ended = date(2026, 1, 31), date(2026, 5, 10)
    assert due.days(opened=opened_on, ended=None, told_until=None, told_in_full=None) == {"periodic": date(2026, 4, 30)}
    told = due.days(opened=opened_on, ended=ended, told_until=date(2026, 4, 29), told_in_full=None)
    assert told == {"periodic": date(2026, 7, 29), "full": date(2026, 8, 10)}
    told = due.days(opened=opened_on, ended=ended, told_until=date(2026, 8, 1), told_in_full=date(2026, 8, 1))
    assert told == {"periodic": date(2026, 11, 1)}


@given(opened_on=DAYS, told=st.none() | DAYS)
def test_a_report_in_time_never_leaves_more_than_three_months_untold(opened_on: date, told: date | None) -> None:
    by_kind = due.days(opened=opened_on, ended=None, told_until=told, told_in_full=None)
    assert timedelta(days=89) <= by_kind["periodic"] - (told or opened_on) <= timedelta(days=92)


def test_an_overdue_report_stops_every_step_of_this_campaign_and_of_no_other(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        late, other = opened(giving, OPENED), giving.campaign()
        giving.gift(late, 1000)
        giving.gift(other, 1000)
        clock.move_to(datetime(2026, 4, 30, 12, 0, tzinfo=UTC))
        asked, approved = giving.request(late, 10), giving.request(late, 20)
        in_transaction(disbursing.approve, disbursement=approved, approver_id=giving.approver)
        clock.shift(timedelta(hours=4, seconds=1))  # midnight in Shanxi
        for step in (
            lambda: giving.request(late, 1),
            lambda: in_transaction(disbursing.approve, disbursement=asked, approver_id=giving.approver),
            lambda: in_transaction(disbursing.send, disbursement=approved, officer_id=giving.officer),
        ):
            with pytest.raises(ReportOverdue):
                step()
        states = select(Disbursement.state).where(Disbursement.campaign_id == late.id).order_by(Disbursement.id)
        db.session.expire_all()
        assert db.session.scalars(states).all() == [D.REQUESTED, D.APPROVED]
        giving.pay_out(other, 5)
        assert "法定报告逾期了" in bill_page(giving, late) and "逾期" not in bill_page(giving, other)

        report(giving, late)
        assert "逾期" not in bill_page(giving, late)
        in_transaction(disbursing.send, disbursement=approved, officer_id=giving.officer)
        giving.request(late, 1)


def bill_page(giving: Giving, campaign: Campaign) -> str:
    client = current_app.test_client()
    sign_in_as(client, db.session.get_one(Person, giving.officer))
    page: str = client.get(f"/charity/disbursements/new?campaign={campaign.public_id}").text
    return page


def test_a_campaign_that_ended_owes_its_full_report_too(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED, state=C.ENDED, closed_at=OPENED + timedelta(days=20))
        giving.gift(campaign, 1000)
        clock.shift(timedelta(days=60))
        report(giving, campaign)
        assert [(each.kind, each.due_on) for each in due.of_organisations(db.session(), [campaign.organisation_code])] == [
            ("full", date(2026, 5, 20)),
            ("periodic", date(2026, 6, 30)),
        ]
        clock.move_to(datetime(2026, 5, 21, 4, 0, tzinfo=UTC))
        with pytest.raises(ReportOverdue):
            giving.request(campaign, 1)
        report(giving, campaign, "full")
        giving.request(campaign, 1)
        assert due.overdue(db.session()) == []


def test_a_list_of_campaigns_says_whose_report_or_evidence_is_late(app: Flask, giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign, other = opened(giving, OPENED), opened(giving, datetime(2026, 4, 1, 4, 0, tzinfo=UTC))
        giving.gift(campaign, 1000)

        def late() -> list[bool]:
            """Of each of the two cards."""
            parts = app.test_client().get("/campaigns").text.split('href="/campaigns/')
            shown = {part.partition('"')[0]: "报告或凭证逾期" in part.partition("</a>")[0] for part in parts[1:]}
            return [shown[campaign.public_id], shown[other.public_id]]

        assert late() == [False, False]
        payment = giving.pay_out(campaign, 10)
        clock.shift(timedelta(days=31))
        assert late() == [True, False]  # no evidence within thirty days
        clock.move_to(datetime(2026, 5, 1, 4, 0, tzinfo=UTC))
        lay(payment, giving)
        in_transaction(disbursing.complete, disbursement=payment, officer_id=giving.officer)
        assert late() == [True, False]  # no report within three months
        report(giving, campaign)
        assert late() == [False, False]


def test_what_is_late_is_said_on_the_campaigns_page_and_in_its_ledger(app: Flask, giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 1000)
        giving.seal()
        pages = [f"/campaigns/{campaign.public_id}", f"/ledger/{campaign.public_id}", "/ledger"]
        for page in pages:
            assert "法定报告逾期" not in app.test_client().get(page).text
        clock.move_to(datetime(2026, 5, 1, 4, 0, tzinfo=UTC))
        for page in pages:
            shown = app.test_client().get(page).text
            assert "法定报告逾期" in shown and campaign.title_zh in shown and "2026年4月30日" in shown
        report(giving, campaign)
        for page in pages:
            assert "法定报告逾期" not in app.test_client().get(page).text


def test_letters_come_before_and_after_once_a_fact(giving: Giving) -> None:
    told: list[int] = []
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = opened(giving, OPENED)
        giving.gift(campaign, 1000)
        for day in ((4, 15), (4, 16), (4, 26), (4, 27), (4, 30), (5, 1), (5, 9)):
            clock.move_to(datetime(2026, *day, 4, 0, tzinfo=UTC))
            for _again in range(2):
                in_transaction(reminding.remind)
            told.append(len(db.session.scalars(select(Message.fact)).all()))
        assert told == [0, 2, 2, 4, 4, 6, 6]  # both officers, each time
        texts = db.session.scalars(select(Message.text).order_by(Message.id)).all()
        assert all(campaign.title_zh in text and "/charity/reports" in text for text in texts)
        report(giving, campaign)
        in_transaction(reminding.remind)
        assert len(db.session.scalars(select(Message.fact)).all()) == 6


def test_letters_of_evidence(giving: Giving) -> None:
    with time_machine.travel(OPENED, tick=False) as clock:
        campaign = giving.campaign()
        giving.gift(campaign, 1000)
        made = giving.pay_out(campaign, 10)
        clock.shift(timedelta(days=16))
        in_transaction(reminding.remind)
        facts = db.session.scalars(select(Message.fact)).all()
        assert len(facts) == 2 and all(f"evidence:{made}:14:" in fact for fact in facts)
