"""Charges without the payer: once for each try, and a new try only after the former is known to have failed."""

from datetime import timedelta
from typing import Any

import pytest

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.plans import charging, keeping
from crowdfund.campaigns.states import ContributionState
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.payments import attempts
from marketplace.payments.gateways import OutcomeUnknown
from marketplace.payments.models import Refund
from marketplace.payments.sandbox import storage
from tests.campaigns.conftest import gift_of, public_rows
from tests.campaigns.plans.conftest import (
    Monthly,
    attempts_of,
    charges_at,
    differences,
    get_plan,
    latest_gift,
    letters,
    months,
    noon_of,
)

DUE = "2026-02-28"


def test_a_declined_card_is_tried_four_times_and_never_again(monthly: Monthly) -> None:
    plan = monthly.start(later="declined")
    for day in ("2026-02-28", "2026-03-01", "2026-03-02", "2026-03-04", "2026-03-05", "2026-03-09", "2026-03-10"):
        monthly.day(day, hours=2 if day != DUE else 1)
        assert len(charges_at(monthly.cashier)) <= 4
    tried = {"2026-02-28": 1, "2026-03-01": 2, "2026-03-04": 3, "2026-03-09": 4}

    assert months(plan)[1] == (DUE, "failed", len(tried), "pending")
    assert charges_at(monthly.cashier) == ["failed"] * 4
    assert attempts_of(latest_gift(plan)) == ["failed"] * 4
    told = [text for text in letters() if "没扣成" in text]
    assert ["3月1日 再试一次" in text for text in told] == [True, False] and "不再试了" in told[1]
    assert differences(monthly) == []


def test_a_card_that_works_again_is_charged_at_the_next_try(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign, later="declined")
    monthly.day(DUE)
    monthly.later_behaves("succeeds")
    monthly.day("2026-03-01", hours=2)

    assert months(plan)[1] == (DUE, "received", 2, "received")
    assert attempts_of(latest_gift(plan)) == ["failed", "succeeded"]
    assert public_rows(campaign) == [("gift", 2000, "王**")] * 2
    assert differences(monthly) == []


def test_a_bank_that_wants_its_payer_is_not_asked_again_but_the_payer_is(monthly: Monthly) -> None:
    plan = monthly.start(later="authentication")
    for day in (DUE, "2026-03-01", "2026-03-04"):
        monthly.day(day, hours=2)
    assert months(plan)[1] == (DUE, "failed", 1, "pending")
    assert [text for text in letters() if "银行要你本人确认" in text] == letters()[-1:]

    with monthly.at(noon_of("2026-03-05")):
        monthly.pay_by_link(latest_gift(plan))
    assert months(plan)[1] == (DUE, "received", 1, "received")
    monthly.day("2026-03-31")
    assert months(plan)[2] == ("2026-03-31", "received", 1, "received")  # the card that paid by the link is the new one
    assert differences(monthly) == []


def test_a_mandate_that_is_gone_becomes_links(monthly: Monthly) -> None:
    plan = monthly.start()
    with monthly.cashier.writing() as connection:
        connection.execute(storage.mandate.delete())
    monthly.day(DUE)

    assert months(plan)[1] == (DUE, "failed", 1, "pending")
    assert get_plan(plan).mandate is None
    monthly.day("2026-03-31")
    assert months(plan)[2] == ("2026-03-31", "due", 0, "pending")
    assert charges_at(monthly.cashier) == []
    assert letters()[-1].startswith("今天是你月捐的日子")


def test_no_answer_is_no_failure_and_is_never_charged_again(monthly: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    monkeypatch.setattr(monthly.fund.cashier, "announce", lambda *_told: None)  # nor does a webhook come
    with monkeypatch.context() as broken:
        monthly.swallow_answers(broken, ConnectionResetError())
        monthly.day(DUE)
    assert attempts_of(latest_gift(plan)) == ["unknown"]
    for hours in (2, 3, 30):
        monthly.day(DUE, hours=hours)
    assert months(plan)[1] == (DUE, "charging", 1, "pending")
    assert charges_at(monthly.cashier) == ["succeeded"]

    with monthly.at(noon_of("2026-03-02")):
        monthly.ask_again()
        monthly.work()
    assert months(plan)[1] == (DUE, "received", 1, "received")
    assert charges_at(monthly.cashier) == ["succeeded"] and len(public_rows(campaign)) == 2
    assert differences(monthly) == []


def test_an_unknown_charge_that_the_gateway_never_saw_may_be_tried_again(
    monthly: Monthly, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_args: Any, **_kwargs: Any) -> Any:
        raise OutcomeUnknown("lost")

    plan = monthly.start()
    with monkeypatch.context() as broken:
        broken.setattr(monthly.cashier, "charge_mandate", lose)
        monthly.day(DUE)
    with monthly.at(noon_of("2026-03-01")):
        monthly.ask_again()
        monthly.work()
    assert months(plan)[1] == (DUE, "failed", 1, "pending")
    monthly.day("2026-03-02", hours=6)

    assert months(plan)[1] == (DUE, "received", 2, "received")
    assert attempts_of(latest_gift(plan)) == ["cancelled", "succeeded"]
    assert [text for text in letters() if "没扣成" in text] == []  # of that its giver need not hear


@pytest.mark.parametrize("is_asked", [False, True])
def test_killed_between_the_commit_and_the_answer_it_charges_once(
    monthly: Monthly, monkeypatch: pytest.MonkeyPatch, is_asked: bool
) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    monthly.die(DUE, monkeypatch, is_asked=is_asked)
    assert months(plan)[1] == (DUE, "charging", 1, "pending")
    assert attempts_of(latest_gift(plan)) == (["submitting"] if is_asked else ["created"])
    with monthly.at(noon_of(DUE)):
        assert charging.charge_one()

    assert months(plan)[1] == (DUE, "received", 1, "received")
    assert charges_at(monthly.cashier) == ["succeeded"] and len(public_rows(campaign)) == 2
    assert differences(monthly) == []


def test_a_key_that_the_gateway_may_have_forgotten_is_not_sent_again(
    monthly: Monthly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monthly.start()
    monthly.die(DUE, monkeypatch, is_asked=True)
    monkeypatch.setattr(charging, "charge", lambda *_args, **_kwargs: pytest.fail("sent again"))
    with monthly.at(noon_of("2026-03-01")):
        assert charging.charge_one()


def test_stopped_while_it_is_charged_the_money_goes_back(monthly: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign)
    monthly.die(DUE, monkeypatch, is_asked=True)
    with monthly.at(noon_of(DUE)):
        in_transaction(keeping.stop, plan=plan)
        monthly.work()
        db.session.rollback()
        assert db.session.query(Refund.reason, Refund.fen).all() == [("surplus", 2000)]
    with monthly.at(noon_of(DUE) + timedelta(minutes=5)):
        monthly.settle_refunds()

    assert months(plan)[1] == (DUE, "failed", 1, "lapsed")
    assert public_rows(campaign) == [("gift", 2000, "王**")] and monthly.fund.balance(campaign) == 2000
    assert differences(monthly) == []


def test_stopped_before_the_gateway_was_asked_nothing_is_charged(monthly: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = monthly.start()
    monthly.die(DUE, monkeypatch, is_asked=False)
    gift = latest_gift(plan)
    with monthly.at(noon_of(DUE)):
        in_transaction(keeping.stop, plan=plan)
        monthly.work()

    assert charges_at(monthly.cashier) == []
    assert (gift_of(gift).state, attempts_of(gift)) == (ContributionState.LAPSED, ["cancelled"])
    assert months(plan)[1] == (DUE, "failed", 1, "lapsed")
    assert differences(monthly) == []


def test_paused_no_second_try_is_made(monthly: Monthly) -> None:
    plan = monthly.start(later="declined")
    monthly.day(DUE)
    with monthly.at(noon_of(DUE)):
        in_transaction(keeping.pause, plan=plan)
    for day in ("2026-03-01", "2026-03-04"):
        monthly.day(day, hours=4)

    assert charges_at(monthly.cashier) == ["failed"]
    assert months(plan)[1] == (DUE, "failed", 1, "lapsed")
    assert differences(monthly) == []


def test_while_its_giver_is_at_the_cashier_the_card_is_left_alone(monthly: Monthly) -> None:
    plan = monthly.start(later="declined")
    monthly.day(DUE)
    gift = latest_gift(plan)
    with monthly.at(noon_of(DUE)):
        attempt = in_transaction(attempts.start, purpose=keeping.PURPOSE, reference=gift, amount=Money(2000))
        attempts.submit(attempt, return_url="/", description="gift", for_later=True)
    monthly.day("2026-03-01", hours=4)
    assert charges_at(monthly.cashier) == ["failed"]

    with monthly.at(noon_of("2026-03-01")):
        monthly.cashier.decide(monthly.fund.remote_of(gift), "succeeded")
        monthly.work()
    assert months(plan)[1] == (DUE, "received", 1, "received")
    assert charges_at(monthly.cashier) == ["failed"]
    assert differences(monthly) == []


def test_a_campaign_that_ended_meanwhile_is_not_charged_for(monthly: Monthly) -> None:
    campaign = monthly.campaign()
    plan = monthly.start(campaign, later="declined")
    monthly.day(DUE)
    with monthly.at(noon_of(DUE)):
        in_transaction(lifecycle.end, campaign=campaign, person=monthly.fund.officer.id, why="够了")
    monthly.later_behaves("succeeds")
    monthly.day("2026-03-01", hours=4)

    assert charges_at(monthly.cashier) == ["failed"]
    assert get_plan(plan).stop_reason == "campaign_over"
    assert differences(monthly) == []
