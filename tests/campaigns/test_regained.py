"""What a bank gives back to a campaign that can spend nothing any more goes back to its giver, who is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import drafting, giving, lifecycle, receipt_letters, receipts, returning, stranded
from crowdfund.campaigns.states import CampaignState as C
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.notifications.models import Message
from marketplace.payments.disputes import following
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.gateways import gateways
from marketplace.payments.models import Refund
from tests import cashiers
from tests.auditing.test_giving import named
from tests.campaigns.conftest import Fund, build_fund, public_rows
from tests.campaigns.test_criteria import pay_out
from tests.campaigns.test_receiving import differences

GONE = "SELECT id FROM entry WHERE kind = 'refund' AND reference IN (SELECT public_id FROM contribution)"
KEEPS = f"DELETE FROM line WHERE entry_id IN ({GONE});UPDATE entry SET at = '2020-01-01 00:00:00'"
TAMPERING = (
    ("campaigns that are over keep no gift", f"{KEEPS};UPDATE event SET at = '2020-01-01 00:00:00'"),
    (
        "campaigns that are over keep no gift",
        f"{KEEPS};UPDATE event SET at = '2020-01-01 00:00:00', to_state = 'cancelled' WHERE to_state = 'reported'"
        ";UPDATE campaign SET state = 'cancelled'",
    ),
)


@pytest.fixture
def fund(real_app: Flask) -> Iterator[Fund]:
    cashiers.opened(gateways().get("sandbox"))
    yield (built := build_fund(real_app))
    built.cashier.storage.dispose()


def lost(fund: Fund, gift: str) -> str:
    """Its giver's bank has taken it back, and decided so; the bank's case."""
    remote = fund.cashier.open_dispute(fund.remote_of(gift))
    fund.work()
    fund.cashier.decide_dispute(remote, is_won=False)
    fund.work()
    return remote


def appeal(fund: Fund, remote: str) -> None:
    """Won: the bank has given it back."""
    won = replace(fund.cashier.fetch_dispute(remote), status=DisputeState.WON, raw_status="won", is_reinstated=True)
    in_transaction(following.apply, remote=won, gateway="sandbox", why="appeal")


def once_more(fund: Fund, first: str, *statuses: DisputeState, fen: int) -> None:
    """Another case of the same bank about the same gift, of so much, which goes this way."""
    for status in statuses:
        known = fund.cashier.fetch_dispute(first)
        news = replace(known, remote_id=f"{first}again", amount=Money(fen), status=status, raw_status=status.value)
        in_transaction(following.apply, remote=replace(news, is_withdrawn=True), gateway="sandbox", why="again")


def over(campaign: str, *states: C) -> None:
    """By the list of states, whoever decided it."""
    for state in states or (C.ENDED, C.DISBURSING, C.REPORTED):
        in_transaction(go_on, campaign=campaign, state=state)


def go_on(session: Session, *, campaign: str, state: C) -> None:
    lifecycle.move(session, drafting.get(session, campaign), state, None, "test")


def loss() -> int:
    """Fen that the province bears."""
    db.session.rollback()
    return books.balance(db.session(), "chargeback_loss", book="test")


def page_of(fund: Fund, campaign: str, gift: str) -> str:
    """As its giver sees it."""
    return fund.browser().get(f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}").text


def texts() -> list[str]:
    db.session.rollback()
    told = select(Message.text).where(Message.fact.like("gift_returned:%")).order_by(Message.id)
    return list(db.session.scalars(told))


def replaced() -> list[str]:
    db.session.rollback()
    told = select(Message.text).where(Message.fact.like("receipt_replaced:%")).order_by(Message.id)
    return list(db.session.scalars(told))


def sums_back() -> list[tuple[int, str]]:
    db.session.rollback()
    return [(row.fen, row.state.value) for row in db.session.scalars(select(Refund).order_by(Refund.id))]


@pytest.mark.parametrize("states", [(), (C.ENDED, C.DISBURSING, C.REPORTED, C.CLOSED)])
def test_after_the_last_report_it_goes_back_to_its_giver(fund: Fund, states: tuple[C, ...]) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 10_000, contact="giver@example.test")
    remote = lost(fund, gift)
    over(campaign, *states)

    appeal(fund, remote)
    assert fund.balance(campaign) == 10_000
    fund.work()

    assert fund.balance(campaign) == 0
    assert [(kind, fen) for kind, fen, _who in public_rows(campaign)] == [
        ("gift", 10_000),
        ("refund", -10_000),
        ("return", 10_000),
        ("refund", -10_000),
    ]
    (text,) = texts()
    assert "¥100.00" in text and "已经结束" in text and f"/campaigns/{campaign}/gifts/" in text
    returning.return_regained(gift=gift)  # told twice
    fund.work()
    assert sums_back() == [(10_000, "pending")] and len(texts()) == 1 and differences(fund) == []


def test_of_what_was_spent_only_what_the_campaign_had_borne_goes_back(fund: Fund) -> None:
    """The bank took 100.00, of which 70.00 were spent: the province bore those, and has them again."""
    campaign = fund.open()
    gift = fund.give(campaign, 10_000, name="王晓雯", contact="giver@example.test")
    pay_out(fund, campaign, 7_000)
    before = receipts.of(db.session(), contribution=gift)
    remote = fund.cashier.open_dispute(fund.remote_of(gift))
    fund.work()
    page = page_of(fund, campaign, gift)
    assert "你的银行在追这笔钱，还没有结果" in page and "这期间你的收据有效" in page
    assert before and before[0] in page and replaced() == []
    fund.cashier.decide_dispute(remote, is_won=False)
    fund.work()
    assert fund.balance(campaign) == 0 and loss() == 7_000
    assert "还没有结果" not in page_of(fund, campaign, gift)
    after = receipts.of(db.session(), contribution=gift)
    in_transaction(receipts.issue, contribution=gift)  # told twice
    receipt_letters.tell(receipt=before[0])
    fund.work()
    (text,) = replaced()
    assert after and f"收据 {before[0]} 已作废，换开为 {after[0]}，金额 ¥70.00" in text
    assert giving.link_token(gift) in text and "晓雯" not in text and after[1] not in text
    page = fund.app.test_client().get(f"/campaigns/{campaign}/gifts/{giving.link_token(gift)}").text
    assert "你的银行把这笔钱追回了。其中 ¥70.00 已经花了，由省里承担。" in page
    over(campaign)
    appeal(fund, remote)
    fund.work()
    assert (fund.balance(campaign), loss(), [fen for fen, _state in sums_back()]) == (0, 0, [3_000])
    assert differences(fund) == []


def test_what_came_back_in_time_and_was_spent_since_stays_spent(fund: Fund) -> None:
    """Also where somebody looks at it again, and where money of another gift lies in the account meanwhile."""
    campaign = fund.open()
    spent, other = fund.give(campaign, 10_000), fund.give(campaign, 500)
    first = lost(fund, spent)
    appeal(fund, first)
    pay_out(fund, campaign, 10_000)
    second = lost(fund, other)
    over(campaign)
    returning.return_regained(gift=spent)
    assert (fund.balance(campaign), sums_back()) == (0, [])
    assert named("UPDATE entry SET at = '2020-01-01 00:00:00';UPDATE event SET at = '2020-01-02 00:00:00'") == set()

    appeal(fund, second)
    returning.return_regained(gift=spent)
    assert (fund.balance(campaign), sums_back()) == (500, [])
    once_more(fund, first, DisputeState.NEEDS_RESPONSE, DisputeState.LOST, fen=10_000)
    assert (fund.balance(campaign), loss()) == (500, 10_000)  # what lies there is the other giver's
    fund.work()
    assert (fund.balance(campaign), sums_back()) == (0, [(500, "pending")])


def test_what_the_bank_takes_once_more_before_it_has_gone_back_is_gone(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 10_000)
    pay_out(fund, campaign, 4_000)
    first = lost(fund, gift)
    over(campaign)
    appeal(fund, first)
    once_more(fund, first, DisputeState.NEEDS_RESPONSE, fen=6_000)
    fund.work()
    assert (fund.balance(campaign), sums_back()) == (6_000, [])  # it waits for the bank

    once_more(fund, first, DisputeState.LOST, fen=6_000)
    with time_machine.travel(clock.now() + timedelta(hours=7), tick=False):
        fund.work()
    assert (fund.balance(campaign), loss(), sums_back()) == (0, 0, [])


def test_a_called_off_campaign_gives_it_back_too(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 660, contact="giver@example.test")
    kept = fund.give(campaign, 500, contact="other@example.test")
    assert "¥6.60 已经进了项目的账" in page_of(fund, campaign, gift)
    remote = lost(fund, gift)
    assert "银行把这笔钱追回了" in page_of(fund, campaign, gift)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()
    assert kept and fund.balance(campaign) == 0

    appeal(fund, remote)
    fund.work()

    assert (fund.balance(campaign), [fen for fen, _state in sums_back()]) == (0, [500, 660])
    page = page_of(fund, campaign, gift)
    assert "你的 ¥6.60 已经不在项目里了" in page and "¥6.60 正在退回" in page and "已经进了" not in page
    first, second = texts()
    assert "取消了" in first and "¥5.00" in first and "¥6.60" in second and differences(fund) == []


def test_whoever_paid_too_late_is_told_that_it_is_back(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.begin(campaign, 660, contact="late@example.test", language="en")
    fund.pay(gift)
    over(campaign, C.ENDED, C.DISBURSING)
    fund.work()
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        fund.cashier.finish_refunds()
        fund.work()
    db.session.rollback()
    (text,) = db.session.scalars(select(Message.text).where(Message.fact.like("gift_refunded:%"))).all()
    assert text.startswith("Your ¥6.60 for “") and "came too late, and was refunded to where it came from" in text
    assert fund.balance(campaign) == 0 and "¥6.60 已原路退回" in page_of(fund, campaign, gift)


def test_what_does_not_arrive_waits_for_a_person_with_its_own_sum(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 10_000, contact="giver@example.test")
    remote = lost(fund, gift)
    over(campaign)
    appeal(fund, remote)
    fund.work()
    fund.cashier.fail_refund(fund.cashier.refunds_of(fund.remote_of(gift))[-1].remote_id)
    fund.work()
    db.session.rollback()
    (row,) = stranded.page(db.session(), None).rows
    assert (row.gift, row.fen, fund.balance(campaign)) == (gift, 10_000, 10_000)

    in_transaction(stranded.send_again, gift=gift, organisations=None, actor="person:1", why="换了银行卡")

    fund.work()
    assert fund.balance(campaign) == 0 and sums_back() == [(10_000, "failed"), (10_000, "pending")]
    db.session.rollback()
    assert not stranded.page(db.session(), None).rows and differences(fund) == []


def test_while_it_can_still_be_spent_it_stays(fund: Fund) -> None:
    campaign = fund.open()
    remote = lost(fund, fund.give(campaign, 10_000))
    over(campaign, C.ENDED, C.DISBURSING)
    appeal(fund, remote)
    with time_machine.travel(clock.now() + timedelta(hours=7), tick=False):
        fund.work()
    assert fund.balance(campaign) == 10_000 and sums_back() == []
    waiting = select(outbox.OutboxRow.id).where(outbox.OutboxRow.topic == "gift.regained")
    assert db.session.scalars(waiting).all() == []


def test_what_stays_where_nothing_is_spent_any_more_is_named(fund: Fund) -> None:
    campaign = fund.open()
    remote = lost(fund, fund.give(campaign, 10_000))
    over(campaign)
    appeal(fund, remote)
    fund.work()
    db.session.remove()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []
    assert named() == set()
