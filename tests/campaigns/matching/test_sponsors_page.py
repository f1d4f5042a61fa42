"""The sponsor's page when the fund is not waited for any more: nobody is led to pay what only comes back. And what it
and the campaign's page say while the sponsor's bank disputes the money."""

from typing import Any

import pytest

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.matching import funds, paying_in
from crowdfund.campaigns.states import FundState as F
from marketplace.core import page_versions
from marketplace.core.db import in_transaction
from marketplace.payments import attempts
from tests.campaigns.conftest import Fund, post
from tests.campaigns.matching.conftest import SPONSOR, matches_of, open_fund, paid_in, promise, standing
from tests.campaigns.matching.test_pages import link_of

OVER = "这个项目不再收捐款，没有可配的了。"
NOT_CHARGED = "这笔配捐资金已经关了，没有扣钱。"
COMES_BACK = "这笔配捐资金已经关了，再付进来的钱原路退回。"


def close(fund: Fund, promised: str) -> None:
    in_transaction(funds.close, fund=promised, person=fund.officer.id, why="换了赞助人")


def end(fund: Fund, campaign: str) -> None:
    in_transaction(lifecycle.end, campaign=campaign, person=fund.officer.id, why="够了")


@pytest.mark.parametrize("is_closed", [True, False])
def test_an_attempt_that_was_never_sent_is_not_gone_on_with(fund: Fund, is_closed: bool) -> None:
    campaign = fund.open()
    promised = promise(fund, campaign)
    in_transaction(paying_in.start, fund=promised, person_id=None)
    if is_closed:
        close(fund, promised)
    else:
        end(fund, campaign)
    client, page = fund.browser(), link_of(promised)

    pressed = post(client, f"{page}/payment", {})

    assert (pressed.status_code, pressed.headers["Location"]) == (303, page)
    assert "这笔配捐资金不用再付款，没有再扣钱。" in client.get(page).text
    assert fund.cashier.find_payment(fund.attempt(promised)) is None


def test_of_a_campaign_that_is_over_nothing_is_asked_for(fund: Fund) -> None:
    campaign = fund.open()
    promised, client = promise(fund, campaign), fund.browser()
    assert "付款 ¥100.00" in client.get(link_of(promised)).text
    end(fund, campaign)
    page = client.get(link_of(promised)).text
    assert OVER in page and "付款 ¥100.00" not in page


def test_what_a_closed_funds_page_says_of_money(fund: Fund) -> None:
    """That nobody was charged, only where nobody was and nobody may be."""
    campaign = fund.open()
    unpaid, begun = promise(fund, campaign), promise(fund, campaign)
    attempt = in_transaction(paying_in.start, fund=begun, person_id=None)
    attempts.submit(attempt, return_url="/", description="fund")
    for each in (unpaid, begun):
        close(fund, each)

    def said(promised: str) -> Any:
        return fund.browser().get(link_of(promised)).text

    assert NOT_CHARGED in said(unpaid) and COMES_BACK not in said(unpaid)
    assert COMES_BACK in said(begun) and NOT_CHARGED not in said(begun)
    fund.cashier.decide(fund.remote_of(begun), "succeeded")
    fund.work()
    assert COMES_BACK in said(begun) and "¥100.00 正在退回" in said(begun) and NOT_CHARGED not in said(begun)
    assert standing(begun) == (F.CLOSED, 0, 0, 0)


def test_whoever_presses_twice_is_not_told_that_nothing_was_paid(fund: Fund) -> None:
    promised = paid_in(fund, fund.open())
    client, page = fund.browser(), link_of(promised)
    assert post(client, f"{page}/payment", {}).headers["Location"] == page
    again = client.get(page).text
    assert "没有再扣钱" in again and "没有扣钱" not in again


def test_while_the_sponsors_bank_disputes_the_fund_no_match_is_promised(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_versions, "GLANCE", 0.0)
    campaign = fund.open()
    opened, client = open_fund(fund, campaign), fund.browser()
    fund.give(campaign, 600)
    dispute = fund.cashier.open_dispute(fund.remote_of(opened))
    fund.work()
    fund.give(campaign, 600)

    page = client.get(f"/campaigns/{campaign}").text
    assert matches_of(opened) == [600] and "跟着配" not in page and "其中 ¥6.00 是配捐" in page
    assert "结果出来以前不配捐" in client.get(link_of(opened)).text

    fund.cashier.decide_dispute(dispute, is_won=True)
    fund.work()
    fund.give(campaign, 600)
    page = client.get(f"/campaigns/{campaign}").text
    assert matches_of(opened) == [600, 600] and f"{SPONSOR}跟着配 ¥1.00" in page
    assert "有人捐就跟着配" in client.get(link_of(opened)).text
