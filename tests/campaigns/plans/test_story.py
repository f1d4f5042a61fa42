"""A monthly gift as its giver lives through it: begun, charged, paused, changed, stopped."""

from datetime import date

import pytest
from sqlalchemy import select

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.plans.models import Installment, Plan
from crowdfund.campaigns.states import ContributionState, PlanState
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.payments.models import Refund
from tests.campaigns.conftest import gift_of, public_rows
from tests.campaigns.plans.conftest import (
    CONTACT,
    Monthly,
    charges_at,
    differences,
    get_plan,
    latest_gift,
    letters,
    months,
    noon_of,
    plan_of,
)
from tests.factories import make_person
from tests.payments.conftest import booked, moved


def test_the_first_gift_begins_it_and_its_anniversary_charges_the_card(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    assert (get_plan(plan).state, str(get_plan(plan).next_on)) == (PlanState.ACTIVE, "2026-02-28")
    assert get_plan(plan).mandate is not None
    monthly.day("2026-02-28", hours=-1)
    assert months(plan) == [("2026-01-31", "received", 0, "received")]
    monthly.day("2026-02-28")
    monthly.day("2026-03-01")
    monthly.day("2026-03-31")

    assert months(plan) == [
        ("2026-01-31", "received", 0, "received"),
        ("2026-02-28", "received", 1, "received"),
        ("2026-03-31", "received", 1, "received"),
    ]
    assert str(get_plan(plan).next_on) == "2026-04-30"
    gift = latest_gift(plan)
    assert booked(gift) == moved("capture", "gateway_clearing:sandbox", f"restricted:{campaign}", 2000)
    assert public_rows(campaign) == [("gift", 2000, "王**")] * 3
    assert gift_of(gift).giver == "王晓雯" and gift_of(gift).contact == CONTACT
    assert [text.partition("想停")[0] for text in letters()] == [
        f"你的 ¥20.00 已经到了“给临县添一架书”，谢谢。下次 {day} 从你的卡里扣 ¥20.00，以后每月一次。"
        for day in ("2月28日", "3月31日", "4月30日")
    ]


def test_a_gift_that_is_never_paid_begins_nothing(monthly: Monthly) -> None:
    gift = monthly.begin(monthly.campaign())
    plan = plan_of(gift).public_id
    monthly.day("2026-02-28")

    assert get_plan(plan).state is PlanState.STOPPED and get_plan(plan).stop_reason == "never_began"
    assert months(plan) == [("2026-01-31", "due", 0, "lapsed")]
    assert letters() == []


def test_a_month_that_was_missed_is_asked_for_once(monthly: Monthly) -> None:
    plan = monthly.start()
    monthly.day("2026-05-10")
    monthly.day("2026-05-11")

    assert [period for period, *_rest in months(plan)] == ["2026-01-31", "2026-04-30"]
    assert charges_at(monthly.cashier) == ["succeeded"]
    assert str(get_plan(plan).next_on) == "2026-05-31"


def test_a_wallet_is_asked_by_a_link_each_month(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign, later="kept_by_nobody")
    assert get_plan(plan).mandate is None
    monthly.day("2026-02-28")
    gift = latest_gift(plan)
    assert months(plan)[1] == ("2026-02-28", "due", 0, "pending")
    assert letters()[-1].startswith("今天是你月捐的日子：给“给临县添一架书”捐 ¥20.00。点一下就捐：http")
    assert charges_at(monthly.cashier) == []

    with monthly.at(noon_of("2026-03-02")):
        monthly.pay_by_link(gift, later="kept_by_nobody")
    assert months(plan)[1] == ("2026-02-28", "received", 0, "received")
    assert public_rows(campaign) == [("gift", 2000, "王**")] * 2
    assert differences(monthly) == []


def test_a_link_that_nobody_pays_lapses_when_the_next_is_due(monthly: Monthly) -> None:
    plan = monthly.start(later="kept_by_nobody")
    monthly.day("2026-02-28")
    monthly.day("2026-03-31")

    assert months(plan)[1:] == [("2026-02-28", "due", 0, "lapsed"), ("2026-03-31", "due", 0, "pending")]
    assert len([text for text in letters() if "点一下就捐" in text]) == 2


def test_a_new_amount_counts_from_the_next_month(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    in_transaction(keeping.change_amount, plan=plan, amount=Money(550))
    monthly.day("2026-02-28")

    assert [fen for _kind, fen, _who in public_rows(campaign)] == [2000, 550]


def test_a_pause_charges_nothing_and_goes_on_at_the_next_day(monthly: Monthly) -> None:
    plan = monthly.start()
    in_transaction(keeping.pause, plan=plan)
    monthly.day("2026-02-28")
    assert len(months(plan)) == 1 and get_plan(plan).next_on is None

    with monthly.at(noon_of("2026-03-31")):
        in_transaction(keeping.go_on, plan=plan)
    monthly.day("2026-03-31", hours=3)
    assert len(months(plan)) == 1  # that day was not announced
    monthly.day("2026-04-30")
    assert [period for period, *_rest in months(plan)] == ["2026-01-31", "2026-04-30"]


def test_stopped_means_stopped(monthly: Monthly) -> None:
    plan = monthly.start()
    in_transaction(keeping.stop, plan=plan)
    in_transaction(keeping.stop, plan=plan)
    monthly.day("2026-02-28")

    assert len(months(plan)) == 1 and get_plan(plan).mandate is None
    assert [text for text in letters() if "月捐已经停了" in text] == letters()[-1:]
    for command in (keeping.pause, keeping.go_on):
        with pytest.raises(keeping.NotRunning):
            in_transaction(command, plan=plan)
    with pytest.raises(keeping.NotRunning):
        in_transaction(keeping.change_amount, plan=plan, amount=Money(1))
    assert differences(monthly) == []


def test_a_campaign_that_ends_ends_it_and_tells_once(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    in_transaction(lifecycle.end, campaign=campaign, person=monthly.fund.officer.id, why="够了")
    for day in ("2026-02-28", "2026-03-31"):
        monthly.day(day)

    assert (get_plan(plan).state, get_plan(plan).stop_reason) == (PlanState.STOPPED, "campaign_over")
    assert len(months(plan)) == 1
    assert len([text for text in letters() if "不再收捐款" in text]) == 1


def test_a_campaign_that_is_paused_waits_and_tells_once(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    in_transaction(lifecycle.pause, campaign=campaign, person=monthly.fund.officer.id, why="查一下")
    for day in ("2026-02-28", "2026-03-31"):
        monthly.day(day)
    in_transaction(lifecycle.resume, campaign=campaign, person=monthly.fund.officer.id)
    monthly.day("2026-04-30")

    assert [period for period, *_rest in months(plan)] == ["2026-01-31", "2026-04-30"]
    assert len([text for text in letters() if "暂停了" in text]) == 1


def test_without_a_certificate_nothing_is_charged_and_everybody_hears_why_once(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    for until, day in ((date(2026, 2, 10), "2026-02-11"), (date(2099, 1, 1), "2026-04-02")):
        db.session.scalars(select(Organisation)).one().certificate_until = until
        db.session.commit()
        with monthly.at(noon_of(day)):
            in_transaction(standing.look)
            monthly.work()
        told = [text for text in letters() if "没有有效的公开募捐资格证书" in text]
        assert len(told) == 1 and "不扣钱" in told[0]
        if until.year == 2026:
            for missed in ("2026-02-28", "2026-03-31"):
                monthly.day(missed)
    monthly.day("2026-04-30")

    assert [period for period, *_rest in months(plan)] == ["2026-01-31", "2026-04-30"]
    assert not [text for text in letters() if "项目恢复以后" in text]


def test_a_goal_that_was_reached_ends_it(monthly: Monthly) -> None:
    campaign = monthly.campaign(past_goal="stop")
    plan = monthly.start(campaign)
    monthly.fund.give(campaign, 1_798_000)
    monthly.day("2026-02-28")

    assert (get_plan(plan).state, get_plan(plan).stop_reason) == (PlanState.STOPPED, "goal_reached")
    assert len(months(plan)) == 1


def test_called_off_every_month_goes_back(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    monthly.day("2026-02-28")
    with monthly.at(noon_of("2026-03-01")):
        in_transaction(lifecycle.cancel, campaign=campaign, person=monthly.fund.officer.id, why="材料不实")
        monthly.work()
    monthly.day("2026-03-02")

    assert monthly.fund.balance(campaign) == 0
    assert public_rows(campaign)[2:] == [("refund", -2000, "王**")] * 2
    assert sorted(db.session.query(Refund.fen).all()) == [(2000,), (2000,)]
    assert get_plan(plan).state is PlanState.STOPPED
    assert differences(monthly) == []


def test_whoever_cannot_be_told_cannot_give_monthly(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    with pytest.raises(keeping.NoAddress):
        monthly.begin(campaign, contact="")
    assert db.session.query(Plan).count() == db.session.query(Installment).count() == 0

    person = make_person(address="li@example.test")
    plan = plan_of(monthly.begin(campaign, contact="", person_id=person.id))
    assert (plan.contact, plan.person_id) == ("li@example.test", person.id)


def test_letters_speak_the_givers_language(monthly: Monthly) -> None:
    monthly.start(language="en")
    assert letters()[-1].startswith(
        "Your ¥20.00 has reached “A shelf of books for Linxian”. Thank you. Next: ¥20.00, 28 Feb, from your card"
    )


def test_words_of_the_first_gift_are_not_said_again(monthly: Monthly) -> None:
    plan = monthly.start(message="给孩子们")
    monthly.day("2026-02-28")
    gift = gift_of(latest_gift(plan))
    assert (gift.message, gift.state) == ("", ContributionState.RECEIVED)
    assert Giver(name="王晓雯", anonymity="masked").shown_as == gift.shown_as


def test_a_campaign_that_is_over_before_the_next_day_takes_single_gifts_only(monthly: Monthly) -> None:
    short = monthly.campaign(ends_on=date(2026, 2, 27))
    with pytest.raises(keeping.EndsTooSoon):
        monthly.begin(short)
    assert db.session.query(Plan).count() == 0

    plan = monthly.start(monthly.campaign(ends_on=date(2026, 3, 30)))
    monthly.day("2026-02-28")
    assert "下次" not in letters()[-1] and "已经到了" in letters()[-1]
    monthly.day("2026-03-31")
    assert (len(months(plan)), get_plan(plan).stop_reason) == (2, "campaign_over")
