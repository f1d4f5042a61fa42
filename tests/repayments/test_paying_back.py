"""What a provider pays back: two people, never more than was paid, once a credit of the bank, spent again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import disbursing, spending
from crowdfund.campaigns.models import Campaign, PublicRow
from crowdfund.campaigns.repayments import paying_back, queries
from crowdfund.campaigns.repayments.models import Repayment
from crowdfund.campaigns.states import CampaignState as C, DisbursementState as D
from crowdfund.campaigns.totals import sums
from crowdfund.campaigns.whereabouts import queries as whereabouts
from crowdfund.campaigns.whereabouts.models import GivenMoney
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal, StaleState
from marketplace.ledger import books
from tests.public_ledger.conftest import Giving
from tests.public_ledger.racing import race
from tests.repayments.conftest import approve, enter, paid, pay_back, row_of
from tests.undone import Undone
from tests.whereabouts.conftest import follow, refuse_another_order, refuse_any_difference


def in_account(campaign: Campaign) -> int:
    db.session.expire_all()
    return -books.balance(db.session(), "restricted", campaign.public_id, book="test")


def at_the_gateway() -> int:
    return books.balance(db.session(), "gateway_clearing", "sandbox", book="test")


def left(campaign: Campaign) -> list[tuple[int, int, int]]:
    """(came, spent, left) of each gift, the first first."""
    db.session.expire_all()
    rows = db.session.scalars(select(GivenMoney).where(GivenMoney.campaign_id == campaign.id).order_by(GivenMoney.number))
    return [(row.came_fen, row.spent_fen, row.left_fen) for row in rows]


def refused(why: type[Refusal], command: Callable[..., object], *args: Any, **given: Any) -> Refusal:
    """And nothing was changed by it."""
    with Undone().attempt() as seen, pytest.raises(why) as caught:
        command(*args, **given)
    assert seen.changed == set()
    return caught.value


def test_money_comes_back_by_two_people_and_is_spent_again(app: Flask, giving: Giving) -> None:
    campaign, payment = paid(giving)
    follow(giving)
    assert left(campaign) == [(300, 300, 0), (150, 150, 0), (70, 50, 20)] and in_account(campaign) == 20
    there = at_the_gateway()

    made = enter(giving, payment, {1: 120, 2: 60}, bank_reference="HUI-1", why="少发了 30 册；书架没有货了")
    assert (in_account(campaign), at_the_gateway(), row_of(made).decided_at) == (20, there, None)
    approve(giving, made)
    assert (in_account(campaign), at_the_gateway()) == (200, there + 180)
    row = db.session.scalars(select(PublicRow).where(PublicRow.kind == "repayment")).one()
    assert (row.fen, row.who, row.what) == (180, "临汾新华书店", "少发了 30 册；书架没有货了")

    follow(giving)  # line 1 was paid by 300 and 100 of 150, line 2 by 50 of 150 and 50 of 70: what was spent last is back
    assert left(campaign) == [(300, 280, 20), (150, 40, 110), (70, 0, 70)]
    refuse_any_difference(campaign)
    lines = [
        (line.fen, line.gift_fen, line.back_fen)
        for line in whereabouts.of_payment(db.session(), row_of(made).disbursement_id)
    ]
    assert lines == [(400, 280, 120), (100, 40, 60)]
    totals = db.session.execute(select(sums("test", campaign.id))).one()
    assert (totals.raised, totals.spent, totals.returned) == (520, 320, 0)
    spent = spending.of(db.session(), campaign.public_id, book="test", left_words="", left_fen=0)
    assert [line.spent_fen for line in spent.lines] == [320, 0]
    refuse_another_order(app, campaign.public_id)

    giving.pay_out(campaign, 200)
    follow(giving)
    assert left(campaign) == [(300, 300, 0), (150, 150, 0), (70, 70, 0)] and in_account(campaign) == 0
    refuse_another_order(app, campaign.public_id)


def test_never_more_than_was_paid_on_a_line_less_what_came_back(giving: Giving) -> None:
    _campaign, payment = paid(giving)
    refusal = refused(paying_back.TooMuchBack, enter, giving, payment, {1: 1, 2: 101})
    assert isinstance(refusal, paying_back.TooMuchBack) and refusal.line == 2 and "¥1.00" in str(refusal.message)
    pay_back(giving, payment, {2: 60})
    waiting = enter(giving, payment, {2: 30})
    refused(paying_back.TooMuchBack, enter, giving, payment, {2: 11})
    in_transaction(paying_back.refuse, repayment=waiting, approver_id=giving.approver, reason="对账单上没有")
    pay_back(giving, payment, {2: 40})
    assert "已经全部退回" in str(refused(paying_back.TooMuchBack, enter, giving, payment, {2: 1}).message)
    refused(paying_back.NothingBack, enter, giving, payment, {1: 0})


def test_a_credit_of_the_bank_is_entered_once_unless_it_was_refused(giving: Giving) -> None:
    _campaign, payment = paid(giving)
    first = enter(giving, payment, {1: 10}, bank_reference="HUI-1")
    refused(paying_back.CreditUsed, enter, giving, payment, {1: 20}, bank_reference="HUI-1")
    in_transaction(paying_back.refuse, repayment=first, approver_id=giving.approver, reason="金额抄错了")
    pay_back(giving, payment, {1: 20}, bank_reference="HUI-1")
    refused(paying_back.CreditUsed, enter, giving, payment, {1: 20}, bank_reference="HUI-1")


def test_another_person_decides_and_once(giving: Giving) -> None:
    campaign, payment = paid(giving)
    made = enter(giving, payment, {1: 10})
    own = {"repayment": made, "approver_id": giving.officer}
    refused(paying_back.SamePerson, in_transaction, paying_back.approve, **own)
    refused(paying_back.SamePerson, in_transaction, paying_back.refuse, reason="不是", **own)
    approve(giving, made)
    refused(StaleState, approve, giving, made)
    theirs = {"repayment": made, "approver_id": giving.approver, "reason": "不是"}
    refused(StaleState, in_transaction, paying_back.refuse, **theirs)
    assert in_account(campaign) == 30


@pytest.mark.parametrize("state", [C.REPORTED, C.CLOSED, C.CANCELLED])
def test_a_campaign_that_can_spend_nothing_takes_nothing_back(giving: Giving, state: C) -> None:
    campaign, payment = paid(giving)
    made = enter(giving, payment, {1: 10})
    db.session.execute(text("UPDATE campaign SET state = :state WHERE id = :id"), {"state": state, "id": campaign.id})
    db.session.commit()
    refused(paying_back.CampaignIsOver, enter, giving, payment, {1: 10})
    refused(paying_back.CampaignIsOver, approve, giving, made)


@pytest.mark.parametrize("state", [C.PAUSED, C.ENDED, C.DISBURSING])
def test_one_that_can_or_may_again_does(giving: Giving, state: C) -> None:
    campaign, payment = paid(giving)
    db.session.execute(text("UPDATE campaign SET state = :state WHERE id = :id"), {"state": state, "id": campaign.id})
    db.session.commit()
    pay_back(giving, payment, {1: 10})
    assert in_account(campaign) == 30


def test_only_what_was_paid_comes_back_and_not_before(giving: Giving) -> None:
    campaign, payment = paid(giving)
    waiting = giving.request(campaign, 10)
    refused(paying_back.NotPaid, enter, giving, waiting, {1: 10})
    refused(paying_back.BeforePayment, enter, giving, payment, {1: 10}, on=clock.today() - timedelta(days=1))


def test_the_database_itself_lets_nothing_else_in(giving: Giving) -> None:
    campaign, payment = paid(giving)
    made = enter(giving, payment, {1: 10})
    row = row_of(made)
    waiting = giving.request(campaign, 10)
    other = db.session.scalars(text("SELECT id FROM disbursement WHERE public_id = :id").bindparams(id=waiting)).one()
    rest = "received_on, why_zh, sha256, file_name, officer_id, entered_at"
    names = f"public_id, disbursement_id, fen, bank_reference, {rest}, refused_why"
    for sql in (
        "UPDATE repayment SET fen = 11",
        "UPDATE repayment SET decider_id = officer_id, decided_at = entered_at",
        "UPDATE repayment SET decider_id = officer_id + 1",
        "UPDATE repaid_line SET fen = 11",
        "DELETE FROM repaid_line",
        "DELETE FROM repayment",
        "INSERT INTO repaid_line (repayment_id, bill_line_id, fen) SELECT repayment_id, bill_line_id + 1, 1"
        " FROM repaid_line",
        f"INSERT INTO repayment ({names}) SELECT 'x', {other}, 1, 'x', {rest}, '' FROM repayment",
    ):
        with pytest.raises(IntegrityError):
            db.session.execute(text(sql))
        db.session.rollback()
    assert row_of(made).fen == row.fen


def test_what_came_back_in_full_needs_no_invoice(giving: Giving) -> None:
    _campaign, payment = paid(giving)
    done: Any = {"disbursement": payment, "officer_id": giving.officer}
    pay_back(giving, payment, {1: 400, 2: 99})
    refused(disbursing.NoEvidence, in_transaction, disbursing.complete, **done)
    pay_back(giving, payment, {2: 1})
    in_transaction(disbursing.complete, **done)
    db.session.expire_all()
    assert disbursing.get(db.session(), payment).state is D.EVIDENCED
    assert queries.is_all_back(db.session(), disbursing.get(db.session(), payment))


def test_ten_people_at_once_let_it_in_once(real_giving: Giving) -> None:
    campaign, payment = paid(real_giving)
    made = enter(real_giving, payment, {1: 400, 2: 100})
    refusals = race([lambda: approve(real_giving, made)] * 10)
    assert refusals.count(None) == 1 and in_account(campaign) == 520
    assert db.session.scalars(select(Repayment.fen)).all() == [500]


def test_two_credits_at_once_are_never_more_than_the_line(real_giving: Giving) -> None:
    _campaign, payment = paid(real_giving)
    refusals = race([lambda: enter(real_giving, payment, {2: 60})] * 4)
    assert refusals.count(None) == 1
    db.session.expire_all()
    assert db.session.scalars(select(Repayment.fen)).all() == [60]
