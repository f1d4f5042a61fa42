"""A gift that somebody sent back on the payment provider's own pages leaves its campaign, and its receipt says so."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from crowdfund.campaigns import receipts
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.states import ReceiptState
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments.gateways import RefundRequest
from marketplace.payments.models import Refund
from tests.campaigns.conftest import Fund, public_rows
from tests.campaigns.matching.conftest import match_of, open_fund, standing
from tests.campaigns.test_criteria import pay_out
from tests.campaigns.test_receiving import differences


def send_back_there(fund: Fund, gift: str, fen: int) -> str:
    """As somebody with the provider's password does; the provider's number of it."""
    remote = fund.cashier.refund(RefundRequest("", fund.remote_of(gift), Money(fen)), key=f"by hand {fen}")
    fund.work()
    return remote.remote_id


def arrive(fund: Fund) -> None:
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        fund.cashier.finish_refunds()
        fund.work()


def rows(campaign: str) -> list[tuple[str, int]]:
    return [(kind, fen) for kind, fen, _who in public_rows(campaign)]


def receipted() -> int | None:
    """Fen that valid receipts say."""
    db.session.rollback()
    return db.session.scalar(select(func.sum(Receipt.fen)).where(Receipt.state == ReceiptState.ISSUED))


def loss() -> int:
    return books.balance(db.session(), "chargeback_loss", book="test")


@pytest.mark.parametrize(("fen", "stayed"), [(660, None), (200, 460)])
def test_it_leaves_its_campaign_and_the_receipt_says_what_stayed(fund: Fund, fen: int, stayed: int | None) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 660)
    send_back_there(fund, gift, fen)
    arrive(fund)
    assert rows(campaign) == [("gift", 660), ("refund", -fen)]
    assert db.session.scalars(select(Refund.state)).one() == "succeeded"
    assert (fund.balance(campaign), receipted(), loss()) == (660 - fen, stayed, 0)
    assert differences(fund) == []


def test_what_does_not_arrive_is_the_campaigns_again(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 660)
    remote = send_back_there(fund, gift, 660)
    fund.cashier.fail_refund(remote)
    fund.work()
    assert (fund.balance(campaign), receipted(), loss()) == (660, 660, 0)
    assert rows(campaign) == [("gift", 660), ("refund", -660), ("return", 660)]
    assert differences(fund) == []


@pytest.mark.parametrize("arrives", [True, False])
def test_what_is_spent_is_the_provinces_loss_and_the_receipt_says_what_is_spent(fund: Fund, arrives: bool) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 660)
    pay_out(fund, campaign, 500)
    remote = send_back_there(fund, gift, 660)
    if arrives:
        arrive(fund)
        assert (fund.balance(campaign), receipted(), loss()) == (0, 500, 500)
        assert rows(campaign) == [("gift", 660), ("disbursement", -500), ("refund", -160)]
    else:
        fund.cashier.fail_refund(remote)
        fund.work()
        assert (fund.balance(campaign), receipted(), loss()) == (160, 660, 0)
        assert rows(campaign) == [("gift", 660), ("disbursement", -500), ("refund", -160), ("return", 160)]
    assert receipts.fen_that_stayed(db.session(), gift) == (500 if arrives else 660)
    assert differences(fund) == []


def test_its_match_goes_back_to_its_fund(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.give(campaign, 100)
    send_back_there(fund, gift, 100)
    arrive(fund)
    found = match_of(gift)
    assert found is not None and (found.returned_fen, found.spent_fen) == (100, 0)
    assert (standing(opened)[1:], fund.balance(campaign)) == ((0, 0, 1000), 0)
    assert differences(fund) == []
