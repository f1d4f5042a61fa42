"""The life of a matching fund: money first, two people, and what is left goes back to whoever brought it."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
import time_machine
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.matching import funds, paying_in, sending_back
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.states import MATCHING_FUND, FundState as F
from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, StaleState
from marketplace.core.transitions import EventRow, transition
from marketplace.ledger import books
from marketplace.payments import attempts
from marketplace.payments.disputes import following
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.sandbox import storage
from marketplace.payments.states import RefundState
from tests.campaigns.conftest import Fund
from tests.campaigns.matching.conftest import SPONSOR, differences, get_fund, open_fund, paid_in, pay_in, promise, standing
from tests.payments.conftest import booked, moved


def test_its_money_comes_in_by_the_ordinary_way_and_only_then_is_there(fund: Fund) -> None:
    promised = promise(fund, fund.open(), 10_000)
    assert standing(promised) == (F.DRAFT, 0, 0, 0)

    pay_in(fund, promised)

    assert standing(promised) == (F.FUNDED, 0, 0, 10_000)
    assert booked(promised) == moved("capture", "gateway_clearing:sandbox", "buyer_clearing:", 10_000) | moved(
        "match_in", "buyer_clearing:", f"matching:{promised}", 10_000
    )
    assert get_fund(promised).received_fen == 10_000
    assert differences(fund) == []


def test_a_payment_that_failed_may_be_tried_again(fund: Fund) -> None:
    promised = promise(fund, fund.open())
    pay_in(fund, promised, "failed")
    assert standing(promised)[0] is F.DRAFT
    pay_in(fund, promised)
    assert standing(promised) == (F.FUNDED, 0, 0, 10_000)
    with pytest.raises(paying_in.NotAwaited):
        in_transaction(paying_in.start, fund=promised, person_id=None)


def test_money_for_a_draft_that_was_closed_goes_back(fund: Fund) -> None:
    promised = promise(fund, fund.open())
    attempt = in_transaction(paying_in.start, fund=promised, person_id=None)
    attempts.submit(attempt, return_url="/", description="fund")
    in_transaction(funds.close, fund=promised, person=fund.officer.id, why="换了赞助人")
    fund.cashier.decide(fund.remote_of(promised), "succeeded")
    fund.work()

    assert standing(promised) == (F.CLOSED, 0, 0, 0)
    assert db.session.scalars(select(Refund.fen)).all() == [10_000]
    assert differences(fund) == []


def test_two_people_and_money_before_it_opens(fund: Fund) -> None:
    campaign = fund.open()
    draft, paid = promise(fund, campaign), paid_in(fund, campaign)
    with pytest.raises(StaleState):
        in_transaction(funds.activate, fund=draft, person=fund.approver.id)
    with pytest.raises(funds.OwnFund):
        in_transaction(funds.activate, fund=paid, person=fund.officer.id)
    assert (standing(draft)[0], standing(paid)[0]) == (F.DRAFT, F.FUNDED)

    in_transaction(funds.activate, fund=paid, person=fund.approver.id, why="合同已核")

    assert standing(paid)[0] is F.ACTIVE and get_fund(paid).approver_id == fund.approver.id
    said = select(AuditRecord.action, AuditRecord.actor, AuditRecord.why)
    said = said.where(AuditRecord.subject == f"matching_fund:{paid}").order_by(AuditRecord.id)
    assert [tuple(row) for row in db.session.execute(said)] == [
        ("matching_fund.draft", f"person:{fund.officer.id}", ""),
        ("matching_fund.funded", "system", "paid in"),
        ("matching_fund.active", f"person:{fund.approver.id}", "合同已核"),
    ]
    steps = select(EventRow.to_state).where(EventRow.subject == f"matching_fund:{paid}").order_by(EventRow.id)
    assert db.session.scalars(steps).all() == ["draft", "funded", "active"]


def test_closed_it_matches_no_more_and_what_is_left_goes_back(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 10_000)
    fund.give(campaign, 3000)
    with pytest.raises(lifecycle.NoReason):
        in_transaction(funds.close, fund=opened, person=fund.officer.id, why=" ")
    in_transaction(funds.close, fund=opened, person=fund.officer.id, why="活动结束")
    fund.work()
    fund.give(campaign, 500)

    assert standing(opened) == (F.CLOSED, 3000, 7000, 0)
    assert fund.balance(campaign) == 6500
    spent = moved("refund", f"matching:{opened}", "refund_in_transit:", 7000)
    assert spent.items() <= booked(opened).items()
    with pytest.raises(IllegalTransition):
        in_transaction(funds.close, fund=opened, person=fund.officer.id, why="再来一次")
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        fund.cashier.finish_refunds()
        fund.work()
    assert db.session.scalars(select(Refund.state)).all() == [RefundState.SUCCEEDED]
    assert differences(fund) == []


def test_a_refund_that_did_not_reach_the_sponsor_is_sent_once_more_by_a_person(fund: Fund) -> None:
    opened = open_fund(fund, fund.open(), 10_000)
    in_transaction(funds.close, fund=opened, person=fund.officer.id, why="活动结束")
    fund.work()
    fund.cashier.fail_refund(fund.cashier.refunds_of(fund.remote_of(opened))[-1].remote_id)
    fund.work()
    assert standing(opened) == (F.CLOSED, 0, 0, 10_000)

    in_transaction(sending_back.send_once_more, fund=opened, person=fund.officer.id)

    assert standing(opened) == (F.CLOSED, 0, 10_000, 0)
    with pytest.raises(sending_back.NothingLeft):
        in_transaction(sending_back.send_once_more, fund=opened, person=fund.officer.id)
    fund.work()
    assert differences(fund) == []


def test_a_sponsor_whose_bank_takes_the_money_back(fund: Fund) -> None:
    """The fund gives what it has and is closed; what gifts have stays with them, the province bears it."""
    campaign = fund.open()
    opened = open_fund(fund, campaign, 10_000)
    fund.give(campaign, 4000)
    dispute = fund.cashier.open_dispute(fund.remote_of(opened))
    fund.work()
    fund.give(campaign, 100)  # not matched while it is open
    assert standing(opened) == (F.ACTIVE, 4000, 0, 6000)

    fund.cashier.decide_dispute(dispute, is_won=False)
    fund.work()

    assert standing(opened) == (F.CLOSED, 4000, 6000, 0)
    assert fund.balance(campaign) == 8100
    assert booked(opened)["dispute_lost", "chargeback_loss:"] == 4000
    assert differences(fund) == []


def test_what_comes_back_to_a_fund_that_was_lost_lessens_the_loss(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 10_000)
    fund.give(campaign, 4000)
    dispute = fund.cashier.open_dispute(fund.remote_of(opened))
    fund.work()
    fund.cashier.decide_dispute(dispute, is_won=False)
    fund.work()
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        fund.work()
        assert standing(opened) == (F.CLOSED, 0, 10_000, 0)
        assert sum(fen for (_kind, account), fen in booked(opened).items() if account == "chargeback_loss:") == 0
        assert differences(fund) == []


@pytest.mark.parametrize("given", [0, 4000, 10_000])
def test_an_appeal_that_was_won_gives_the_sponsor_all_that_no_gift_has(fund: Fund, given: int) -> None:
    """Also what had come back meanwhile and lessened a loss that is none any more."""
    campaign = fund.open()
    opened = open_fund(fund, campaign, 10_000)
    if given:
        fund.give(campaign, given)
    dispute = fund.cashier.open_dispute(fund.remote_of(opened))
    fund.work()
    fund.cashier.decide_dispute(dispute, is_won=False)
    fund.work()
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        fund.work()
        won = replace(fund.cashier.fetch_dispute(dispute), status=DisputeState.WON, raw_status="won", is_reinstated=True)
        in_transaction(following.apply, remote=won, gateway="sandbox", why="appeal")
        fund.work()

        assert standing(opened) == (F.CLOSED, 0, 10_000, 0)
        mine = select(Refund.fen).join(Attempt, Attempt.id == Refund.attempt_id).where(Attempt.reference == opened)
        assert db.session.scalars(mine).all() == [10_000]
        assert books.balance(db.session(), "chargeback_loss", book="test") == 0
        assert differences(fund) == []


def test_a_campaign_that_is_called_off_gives_the_sponsor_everything(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 10_000)
    for fen in (1000, 9500):
        fund.give(campaign, fen)
    assert standing(opened) == (F.EXHAUSTED, 10_000, 0, 0)

    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()

    assert standing(opened) == (F.CLOSED, 0, 10_000, 0)
    assert fund.balance(campaign) == 0
    assert sorted(db.session.scalars(select(Refund.fen))) == [1000, 9500, 10_000]  # one to the sponsor
    assert differences(fund) == []


def test_nothing_is_promised_to_what_takes_no_gifts(fund: Fund) -> None:
    ended = fund.open()
    in_transaction(lifecycle.end, campaign=ended, person=fund.officer.id, why="够了")
    with pytest.raises(funds.TakesNoFund):
        promise(fund, ended)
    with pytest.raises(NotFound):
        promise(fund, "nowhere")
    live = fund.open()
    paid, unpaid = paid_in(fund, live), promise(fund, live)
    in_transaction(lifecycle.end, campaign=live, person=fund.officer.id, why="够了")
    with pytest.raises(funds.TakesNoFund):
        in_transaction(funds.activate, fund=paid, person=fund.approver.id)
    assert standing(paid)[0] is F.FUNDED
    with pytest.raises(paying_in.NotAwaited):
        in_transaction(paying_in.start, fund=unpaid, person_id=None)


@pytest.mark.parametrize(("here", "there"), [(a, b) for a, b in permutations(F, 2) if b not in MATCHING_FUND[a]])
def test_whatever_is_not_in_the_table_is_refused(here: F, there: F) -> None:
    with pytest.raises(IllegalTransition):
        transition(Session(), MatchingFund(public_id="f"), there, expected=here, actor="anyone", why="test")


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_percent": 0},
        {"gift_cap_fen": -1},
        {"giver_cap_fen": 0},
        {"received_fen": 10_001},
        {"received_fen": 10_000, "matched_fen": 10_001},
        {"received_fen": 10_000, "matched_fen": 6000, "gone_fen": 4001},
        {"matched_fen": -1},
        {"state": "active"},
        {"approver_id": text("owner_id")},
    ],
)
def test_the_database_itself_refuses_such_numbers(fund: Fund, wrong: dict[str, object]) -> None:
    promised = promise(fund, fund.open(), 10_000)
    with pytest.raises(IntegrityError):
        db.session.execute(update(MatchingFund).where(MatchingFund.public_id == promised).values(wrong))
    db.session.rollback()
    assert standing(promised) == (F.DRAFT, 0, 0, 0)


def test_another_sum_than_was_promised_waits_in_suspense(fund: Fund) -> None:
    promised = promise(fund, fund.open())
    attempt = in_transaction(paying_in.start, fund=promised, person_id=None)
    attempts.submit(attempt, return_url="/", description=SPONSOR)
    remote = fund.remote_of(promised)
    with fund.cashier.writing() as connection:
        connection.execute(storage.payment.update().where(storage.payment.c.id == remote).values(amount=9_999))
    fund.cashier.decide(remote, "succeeded")
    fund.work()

    assert standing(promised) == (F.DRAFT, 0, 0, 0)
    assert db.session.scalars(select(Attempt.state)).all() == ["quarantine"]
