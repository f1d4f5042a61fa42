"""A gift and its match: by rate and caps, whole fen, once; and back again with the gift."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing, giving, lifecycle, public_ledger, receipts
from crowdfund.campaigns.disbursing import Bill
from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.matching.adding import worth
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.plans import periods
from crowdfund.campaigns.states import FundState as F
from marketplace.core import clock, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.payments import attempts, refunds
from marketplace.payments.disputes import following
from marketplace.payments.sandbox import storage
from tests.campaigns.conftest import Fund, get, public_rows
from tests.campaigns.matching.conftest import SPONSOR, differences, match_of, matches_of, open_fund, standing
from tests.campaigns.plans.conftest import Monthly
from tests.payments.conftest import booked, moved


def send_back(session: Session, gift: str, campaign: str, fen: int) -> None:
    """As an organisation would give a part of a gift back."""
    amount = Money(fen)
    asked = {"purpose": "contribution", "reference": gift, "reason": "asked for", "reason_key": ids.public_id()}
    receipts.void(session, contribution=gift)
    refund = refunds.request(session, amount=amount, shares={("restricted", campaign): amount}, **asked)
    number = session.scalars(select(Contribution.campaign_id).where(Contribution.public_id == gift)).one()
    row: dict[str, Any] = {"campaign_id": number, "book": "test", "who": "", "reference": f"refund:{refund}"}
    public_ledger.write(session, kind="refund", amount=-amount, **row)
    receipts.issue(session, contribution=gift)


def test_a_gift_gets_its_match_at_once_and_everybody_sees_it(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 10_000)
    gift = fund.give(campaign, 660, name="王晓雯", anonymity="masked")

    assert standing(opened) == (F.ACTIVE, 660, 0, 9340)
    assert fund.balance(campaign) == 1320
    assert public_rows(campaign) == [("gift", 660, "王**"), ("match", 660, SPONSOR)]
    assert booked(f"{opened}:{gift}") == moved("match", f"matching:{opened}", f"restricted:{campaign}", 660)
    assert receipts.fen_that_stayed(db.session(), gift) == 660  # a match is no gift of the giver's
    fund.arrive(gift)
    assert matches_of(opened) == [660]
    assert differences(fund) == []


@pytest.mark.parametrize(
    ("gift", "rate", "gift_cap", "giver_cap", "already", "left", "added"),
    [
        (1000, 100, 9999, 9999, 0, 9999, 1000),
        (999, 50, 9999, 9999, 0, 9999, 499),  # rounded down
        (1, 50, 9999, 9999, 0, 9999, 0),
        (1000, 250, 9999, 9999, 0, 9999, 2500),
        (1000, 100, 300, 9999, 0, 9999, 300),
        (1000, 100, 9999, 800, 700, 9999, 100),
        (1000, 100, 9999, 800, 800, 9999, 0),
        (1000, 100, 9999, 800, 900, 9999, 0),
        (1000, 100, 9999, 9999, 0, 7, 7),  # the last takes exactly what is left
    ],
)
def test_what_a_gift_is_worth(
    gift: int, rate: int, gift_cap: int, giver_cap: int, already: int, left: int, added: int
) -> None:
    fund = MatchingFund(rate_percent=rate, gift_cap_fen=gift_cap, giver_cap_fen=giver_cap)
    fund.received_fen, fund.matched_fen, fund.held_fen, fund.gone_fen = 20_000, 20_000 - left - 12, 7, 5
    assert worth(gift, fund, already) == added


def test_the_last_gift_takes_what_is_left_and_later_ones_nothing(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    for fen in (660, 660, 660):
        fund.give(campaign, fen)
    assert matches_of(opened) == [660, 340]
    assert standing(opened) == (F.EXHAUSTED, 1000, 0, 0)
    assert fund.balance(campaign) == 3 * 660 + 1000
    assert differences(fund) == []


def test_before_it_is_opened_and_in_other_campaigns_nothing_is_added(fund: Fund) -> None:
    campaign, other = fund.open(), fund.open()
    opened = open_fund(fund, campaign)
    fund.give(other, 660)
    assert (matches_of(opened), fund.balance(other)) == ([], 660)


def test_the_oldest_open_fund_matches_and_the_next_follows(fund: Fund) -> None:
    campaign = fund.open()
    first, second = open_fund(fund, campaign, 1000), open_fund(fund, campaign, 1000, sponsor="另一家")
    for _each in range(3):
        fund.give(campaign, 600)
    assert (matches_of(first), matches_of(second)) == ([600, 400], [600])


def test_every_month_of_a_plan_is_matched(fund: Fund) -> None:
    monthly = Monthly(fund)
    with time_machine.travel(clock.now(), tick=False):
        campaign = monthly.campaign()
        opened = open_fund(fund, campaign, giver_cap=3000)
        gift = monthly.begin(campaign, 2000)
        monthly.pay(gift)
        first = clock.today()
    assert matches_of(opened) == [2000]
    monthly.day(periods.after(first, first).isoformat())
    assert matches_of(opened) == [2000, 1000]  # the giver's cap
    assert differences(fund) == []


def test_a_part_that_goes_back_takes_its_part_of_the_match_along(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000, rate=50)
    gift = fund.give(campaign, 999)
    assert matches_of(opened) == [499]

    in_transaction(send_back, gift, campaign, 333)
    assert matches_of(opened) == [332]  # of 666 fen that stay, rounded down
    in_transaction(send_back, gift, campaign, 666)

    assert standing(opened) == (F.ACTIVE, 0, 0, 1000)
    assert fund.balance(campaign) == 0
    kinds = [("gift", 999, ""), ("match", 499, SPONSOR), ("unmatch", -167, SPONSOR), ("refund", -333, "")]
    assert public_rows(campaign) == [*kinds, ("unmatch", -332, SPONSOR), ("refund", -666, "")]
    assert differences(fund) == []


def test_a_used_up_fund_with_money_again_is_open_again(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.give(campaign, 1000)
    assert standing(opened)[0] is F.EXHAUSTED
    in_transaction(send_back, gift, campaign, 400)
    assert standing(opened) == (F.ACTIVE, 600, 0, 400)
    fund.give(campaign, 900)
    assert standing(opened) == (F.EXHAUSTED, 1000, 0, 0)
    assert differences(fund) == []


def test_a_closed_fund_sends_what_comes_back_on_to_its_sponsor(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gifts = [fund.give(campaign, 300) for _each in range(2)]
    in_transaction(funds.close, fund=opened, person=fund.officer.id, why="活动结束")
    fund.work()
    for gift in gifts:
        in_transaction(send_back, gift, campaign, 300)
    assert standing(opened) == (F.CLOSED, 0, 400, 600)
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        fund.work()
        assert standing(opened) == (F.CLOSED, 0, 1000, 0)
        assert differences(fund) == []


@pytest.mark.parametrize("is_won", [True, False])
def test_a_disputed_gift_keeps_no_match(fund: Fund, is_won: bool) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.give(campaign, 600)
    dispute = fund.cashier.open_dispute(fund.remote_of(gift))
    fund.work()
    assert (standing(opened), fund.balance(campaign)) == ((F.ACTIVE, 0, 0, 1000), 600)
    assert differences(fund) == []
    page = fund.browser().get(f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}").text
    assert "在追这笔钱" in page and "为你这笔配捐的 ¥6.00 已退回配捐方，不再重配" in page

    fund.cashier.decide_dispute(dispute, is_won=is_won)
    fund.work()

    assert standing(opened) == (F.ACTIVE, 0, 0, 1000)  # once given back, it may be another gift's
    assert fund.balance(campaign) == (600 if is_won else 0)
    assert differences(fund) == []


def test_an_inquiry_takes_nothing_back(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.give(campaign, 600)
    fund.cashier.open_dispute(fund.remote_of(gift), is_inquiry=True)
    fund.work()
    assert matches_of(opened) == [600]


def test_a_gift_that_is_disputed_before_it_is_received_is_not_matched(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.begin(campaign, 600)
    fund.pay(gift)
    remote = fund.cashier.fetch_dispute(fund.cashier.open_dispute(fund.remote_of(gift)))
    in_transaction(following.apply, remote=remote, gateway="sandbox", why="webhook")
    fund.arrive(gift)
    assert (matches_of(opened), fund.balance(campaign)) == ([], 600)


def test_a_dispute_of_money_in_suspense_takes_no_match_of_the_gift(fund: Fund) -> None:
    """Another sum came first and waits for a person; the gift was paid once more, by money that nobody disputes."""
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.begin(campaign, 600)
    attempts.submit(fund.attempt(gift), return_url="/", description="gift")
    strange = fund.remote_of(gift)
    with fund.cashier.writing() as connection:
        connection.execute(storage.payment.update().where(storage.payment.c.id == strange).values(amount=599))
    fund.cashier.decide(strange, "succeeded")
    fund.work()
    in_transaction(giving.pay_again, gift=gift)
    fund.pay(gift)
    fund.work()
    assert matches_of(opened) == [600]

    fund.cashier.open_dispute(strange)
    fund.work()

    assert (standing(opened), fund.balance(campaign)) == ((F.ACTIVE, 600, 0, 400), 1200)
    assert disbursing.free_fen(db.session(), get(campaign), "test") == 1200
    assert differences(fund) == []


def test_what_was_spent_cannot_come_back_and_is_noted(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.give(campaign, 600)
    spend(fund, campaign, 900)
    dispute = fund.cashier.open_dispute(fund.remote_of(gift))
    fund.work()
    found = match_of(gift)
    assert found is not None and (found.returned_fen, found.spent_fen) == (0, 600)  # the 300 there may be the giver's
    fund.cashier.decide_dispute(dispute, is_won=False)
    fund.work()
    assert (standing(opened), fund.balance(campaign)) == ((F.ACTIVE, 600, 0, 400), 0)
    assert differences(fund) == []


def test_what_was_noted_as_spent_is_not_owed_where_the_gift_stays(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.give(campaign, 600)
    spend(fund, campaign, 900)
    dispute = fund.cashier.open_dispute(fund.remote_of(gift))
    fund.work()
    fund.cashier.decide_dispute(dispute, is_won=True)
    fund.work()
    found = match_of(gift)
    assert found is not None and (found.fen, found.returned_fen, found.spent_fen) == (600, 0, 0)
    assert (standing(opened), fund.balance(campaign)) == ((F.ACTIVE, 600, 0, 400), 300)
    assert differences(fund) == []


def test_a_dispute_of_what_is_on_its_way_back_keeps_no_others_match(fund: Fund) -> None:
    """Its money has left the campaign already: nothing of the others' has to wait for what the bank decides."""
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    first, second = (fund.give(campaign, 100) for _each in range(2))
    in_transaction(send_back, first, campaign, 100)
    fund.cashier.open_dispute(fund.remote_of(first))
    fund.work()
    in_transaction(send_back, second, campaign, 100)
    found = match_of(second)
    assert found is not None and (found.returned_fen, found.spent_fen) == (100, 0)
    assert (standing(opened), fund.balance(campaign)) == ((F.ACTIVE, 0, 0, 1000), 0)


def spend(fund: Fund, campaign: str, fen: int) -> str:
    """Told to the bank."""
    bill = Bill(Money(fen), "图书", "临汾新华书店", "91140000MA0K2X7Q3P", ids.public_id())
    asked: dict[str, Any] = {"campaign": campaign, "budget_line": 1, "bill": bill, "requester_id": fund.officer.id}
    made = in_transaction(disbursing.request, **asked)
    in_transaction(disbursing.approve, disbursement=made, approver_id=fund.approver.id)
    in_transaction(disbursing.send, disbursement=made, officer_id=fund.officer.id)
    return str(made)


def test_a_paused_campaigns_late_gift_is_matched_like_any_other(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign)
    gift = fund.begin(campaign, 100)
    fund.pay(gift)
    in_transaction(lifecycle.pause, campaign=campaign, person=fund.officer.id, why="核对")
    fund.work()
    assert matches_of(opened) == [100]
