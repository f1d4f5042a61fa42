"""Money of gifts: straight into the campaign's account, once, in the public ledger at that moment, or back to the giver."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import giving, lifecycle, public_ledger, returning
from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.giving import Giver, NotOpen
from crowdfund.campaigns.models import Contribution, PublicRow
from crowdfund.campaigns.room import GoalReached, LessIsNeeded
from crowdfund.campaigns.states import ContributionState
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.money import Money
from marketplace.core.transitions import EventRow
from marketplace.ledger import books
from marketplace.payments import outcomes
from marketplace.payments.disputes import following
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState
from tests.campaigns.conftest import Fund, get, gift_of, post, public_rows
from tests.payments.conftest import booked, moved


def differences(fund: Fund) -> list[Difference]:
    db.session.remove()
    with db.engine.connect() as connection, fund.cashier.storage.connect() as cashier:
        return [found for found in audit.findings(connection, cashier) if isinstance(found, Difference)]


def test_a_gift_goes_straight_into_the_account_of_its_campaign(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 660, name="王晓雯", anonymity="masked")

    assert booked(gift) == moved("capture", "gateway_clearing:sandbox", f"restricted:{campaign}", 660)
    assert fund.balance(campaign) == 660
    assert public_rows(campaign) == [("gift", 660, "王**")]
    row = gift_of(gift)
    assert (row.state, row.shown_as, row.giver) == (ContributionState.RECEIVED, "王**", "王晓雯")
    assert row.received_at is not None
    steps = select(EventRow.from_state, EventRow.to_state).where(EventRow.subject == f"contribution:{gift}")
    assert [tuple(step) for step in db.session.execute(steps.order_by(EventRow.id))] == [
        ("", "intent"),
        ("intent", "pending"),
        ("pending", "received"),
    ]
    assert differences(fund) == []


def test_the_name_is_committed_to_and_can_be_proved_later(fund: Fund) -> None:
    gift = fund.give(fund.open(), name="王晓雯", anonymity="anonymous")

    row, public = gift_of(gift), db.session.scalars(select(PublicRow)).one()
    assert (public.who, public.reference) == ("", f"capture:{fund.attempt(gift)}")
    assert public.commitment == hashlib.sha256(f"{row.salt}\0王晓雯".encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "anonymity", "shown"),
    [("王晓雯", "named", "王晓雯"), ("王晓雯", "masked", "王**"), ("王晓雯", "anonymous", ""), ("", "named", "")],
)
def test_what_everybody_reads_of_a_giver(name: str, anonymity: str, shown: str) -> None:
    assert Giver(name=name, anonymity=anonymity).shown_as == shown


def test_the_same_answer_twice_counts_once(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.begin(campaign)
    fund.pay(gift)
    fund.arrive(gift)
    fund.arrive(gift)
    fund.work()

    assert fund.balance(campaign) == 660
    assert public_rows(campaign) == [("gift", 660, "")]


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_who_began_before_it_was_closed_is_still_welcome(fund: Fund, state: str) -> None:
    campaign = fund.open()
    gift = fund.begin(campaign)
    fund.pay(gift)
    close = {"paused": lifecycle.pause, "ended": lifecycle.end}[state]
    in_transaction(close, campaign=campaign, person=fund.officer.id, why="查一下报价")
    fund.work()

    assert fund.balance(campaign) == 660
    with pytest.raises(NotOpen):
        fund.begin(campaign)
    assert differences(fund) == []


def test_money_for_a_campaign_that_was_called_off_goes_back(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.begin(campaign)
    fund.pay(gift)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()

    captured = moved("capture", "gateway_clearing:sandbox", "buyer_clearing:", 660)
    surplus = moved("surplus", "buyer_clearing:", "suspense:", 660)
    assert booked(gift) == captured | surplus | moved("refund", "suspense:", "refund_in_transit:", 660)
    assert (public_rows(campaign), fund.balance(campaign)) == ([], 0)
    assert gift_of(gift).state is ContributionState.PENDING
    assert differences(fund) == []


def test_a_gift_nobody_paid_for_a_day_lapses_and_late_money_goes_back(fund: Fund) -> None:
    campaign = fund.open()
    lost, paid = fund.begin(campaign), fund.begin(campaign)
    fund.pay(lost, "failed")
    fund.pay(paid)
    fund.work()
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1), tick=False):
        fund.work()
    assert (gift_of(lost).state, gift_of(paid).state) == (ContributionState.LAPSED, ContributionState.RECEIVED)

    remote = fund.cashier.fetch_payment(fund.remote_of(lost))
    late = replace(remote, status=AttemptState.SUCCEEDED)
    in_transaction(outcomes.apply_payment, remote=late, gateway="sandbox", why="late")

    assert fund.balance(campaign) == 660
    assert db.session.scalars(select(Refund.fen)).all() == [660]


def test_stop_takes_exactly_what_is_needed_and_sends_the_rest_back(fund: Fund) -> None:
    campaign = fund.open(past_goal="stop")
    slow = fund.begin(campaign, 1)
    fund.give(campaign, 1_799_900)
    with pytest.raises(LessIsNeeded) as refusal:
        fund.begin(campaign, 101)
    assert refusal.value.left_fen == 100
    last, late = fund.begin(campaign, 100), fund.begin(campaign, 100)
    for gift in (last, late, slow):  # all begun while there was room
        fund.pay(gift)
        fund.work()

    assert fund.balance(campaign) == 1_800_000
    assert [gift_of(each).state for each in (last, late, slow)] == ["received", "lapsed", "lapsed"]
    assert sorted(db.session.scalars(select(Refund.fen))) == [1, 100]
    with pytest.raises(GoalReached):
        fund.begin(campaign, 1)
    assert differences(fund) == []


def test_366_needs_and_a_crowd_that_goes_on_giving(fund: Fund) -> None:
    """Thirty pay at one moment for what only eight can: to the fen, and every other fen goes back."""
    campaign = fund.open(past_goal="stop", goal_fen=366, budget=(Line("一份", 366),))
    gifts = [fund.begin(campaign, 45) for _number in range(30)]
    for gift in gifts:
        fund.pay(gift)

    def arrive(gift: str) -> None:
        with fund.app.app_context():
            fund.arrive(gift)
            db.session.remove()

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(arrive, gift) for gift in gifts]:
            done.result()
    fund.work()

    assert fund.balance(campaign) == 8 * 45
    assert [kind for kind, _fen, _who in public_rows(campaign)] == ["gift"] * 8
    assert sum(db.session.scalars(select(Refund.fen))) == 22 * 45
    fund.give(campaign, 6)
    assert fund.balance(campaign) == 366
    with pytest.raises(GoalReached):
        fund.begin(campaign, 1)
    assert differences(fund) == []


def test_a_payment_that_failed_is_not_tried_again_once_the_goal_is_reached(fund: Fund) -> None:
    campaign = fund.open(past_goal="stop")
    failed = fund.begin(campaign, 1)
    fund.pay(failed, "failed")
    fund.work()
    fund.give(campaign, 1_800_000)

    with pytest.raises(GoalReached):
        in_transaction(giving.pay_again, gift=failed)
    place, client = f"/campaigns/{campaign}/gifts/{giving.link_token(failed)}", fund.browser()
    assert post(client, f"{place}/payment", {}).headers["Location"] == place
    assert "不再收。没有扣钱" in client.get(place).text
    assert db.session.scalar(select(func.count()).select_from(Attempt).where(Attempt.reference == failed)) == 1


def test_stretch_goes_on(fund: Fund) -> None:
    campaign = fund.open(past_goal="stretch")
    fund.give(campaign, 1_800_000)
    fund.give(campaign, 1)

    assert fund.balance(campaign) == 1_800_001


def test_nobody_gives_to_what_is_not_open(fund: Fund) -> None:
    with pytest.raises(NotOpen):
        fund.begin(fund.approved())
    with pytest.raises(NotFound):
        fund.begin("nowhere")
    over = fund.open()
    with time_machine.travel(clock.now() + timedelta(days=10)), pytest.raises(NotOpen):
        fund.begin(over)
    assert db.session.scalars(select(Contribution.id)).all() == []


def test_called_off_every_gift_goes_back_by_itself(fund: Fund) -> None:
    campaign = fund.open()
    gifts = [fund.give(campaign, fen, name="李承志", anonymity="named") for fen in (1, 660, 5000)]
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()
    assert fund.balance(campaign) == 0
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        fund.cashier.finish_refunds()
        fund.work()

    assert public_rows(campaign)[3:] == [("refund", -fen, "李承志") for fen in (1, 660, 5000)]
    assert db.session.scalars(select(Refund.state)).all() == [RefundState.SUCCEEDED] * 3
    spent = moved("refund", f"restricted:{campaign}", "refund_in_transit:", 5000)
    assert spent.items() <= booked(gifts[2]).items()
    assert differences(fund) == []


def test_returning_that_was_interrupted_goes_on_and_returns_nothing_twice(
    fund: Fund, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = fund.open()
    for fen in (100, 200, 300):
        fund.give(campaign, fen)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    monkeypatch.setattr(returning, "PAGE", 1)
    first = returning.received(db.session(), campaign=campaign, after=0)[0][1]
    in_transaction(returning.return_one, reference=first)
    returning.return_page(campaign=campaign)
    assert fund.balance(campaign) == 300  # one page at a time: nothing else waits for all of them
    fund.work()

    assert fund.balance(campaign) == 0
    assert public_rows(campaign)[3:] == [("refund", -100, ""), ("refund", -200, ""), ("refund", -300, "")]
    assert differences(fund) == []


def test_a_refund_that_fails_is_the_campaigns_again(fund: Fund) -> None:
    campaign = fund.open()
    fund.give(campaign, 700)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    while fund.balance(campaign):
        fund.work()
    refund = db.session.scalars(select(Refund)).one()
    back = fund.cashier.fetch_refund(str(refund.remote_id))
    failed = replace(back, status=RefundState.FAILED)
    in_transaction(outcomes.apply_refund, remote=failed, why="wallet closed")

    assert fund.balance(campaign) == 700
    assert public_rows(campaign) == [("gift", 700, ""), ("refund", -700, ""), ("return", 700, "")]


def test_calling_off_while_gifts_arrive_leaves_none_behind(fund: Fund) -> None:
    campaign = fund.open()
    gifts = [fund.begin(campaign, 100) for _number in range(12)]
    for gift in gifts:
        fund.pay(gift)

    def arrive(gift: str) -> None:
        with fund.app.app_context():
            fund.arrive(gift)
            db.session.remove()

    def call_off(_gift: str) -> None:
        with fund.app.app_context():
            in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
            db.session.remove()

    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(arrive, gift) for gift in gifts[:6]]
        work += [pool.submit(call_off, campaign)]
        work += [pool.submit(arrive, gift) for gift in gifts[6:]]
        for done in work:
            done.result()
    fund.work()

    assert fund.balance(campaign) == 0
    assert sum(fen for _kind, fen, _who in public_rows(campaign)) == 0
    assert len(db.session.scalars(select(Refund.id)).all()) == 12
    assert differences(fund) == []


def test_one_disputed_gift_holds_up_no_other_refund_and_is_not_spent(fund: Fund) -> None:
    campaign = fund.open()
    gifts = [fund.give(campaign, 100 * number) for number in (1, 2, 3)]
    remote = fund.cashier.open_dispute(fund.remote_of(gifts[0]))
    fund.work()
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()
    assert fund.balance(campaign) == 100
    fund.cashier.decide_dispute(remote, is_won=True)
    fund.work()
    with time_machine.travel(clock.now() + timedelta(hours=7), tick=False):
        fund.work()
        assert fund.balance(campaign) == 0
        fund.cashier.finish_refunds()
        fund.work()
        assert differences(fund) == []


def test_a_gift_lost_to_a_bank_leaves_the_campaign_and_comes_back_on_appeal(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 10_000)
    remote = fund.cashier.open_dispute(fund.remote_of(gift))
    fund.work()
    fund.cashier.decide_dispute(remote, is_won=False)
    fund.work()
    assert fund.balance(campaign) == 0
    won = replace(fund.cashier.fetch_dispute(remote), status=DisputeState.WON, raw_status="won", is_reinstated=True)
    in_transaction(following.apply, remote=won, gateway="sandbox", why="appeal")
    fund.work()
    assert fund.balance(campaign) == 10_000
    assert [(kind, fen) for kind, fen, _who in public_rows(campaign)] == [
        ("gift", 10_000),
        ("refund", -10_000),
        ("return", 10_000),
    ]
    assert books.balance(db.session(), "chargeback_loss", book="test") == 0


def test_the_database_stops_at_the_goal_by_itself(fund: Fund) -> None:
    campaign = fund.open(past_goal="stop", goal_fen=366, budget=(Line("一份", 366),))
    fund.give(campaign, 300)
    row: dict[str, Any] = {"campaign_id": get(campaign).id, "book": "test", "who": "", "amount": Money(67)}
    for kind in ("gift", "match"):
        with pytest.raises(IntegrityError, match="stops at its goal"):
            in_transaction(public_ledger.write, kind=kind, reference="x", **row)
    in_transaction(public_ledger.write, kind="gift", reference="y", **row | {"amount": Money(66)})
    assert public_rows(campaign) == [("gift", 300, ""), ("gift", 66, "")]
    on = fund.open(past_goal="stretch", goal_fen=366, budget=(Line("一份", 366),))
    fund.give(on, 400)
    assert public_rows(on) == [("gift", 400, "")]
