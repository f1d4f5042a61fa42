"""A campaign whose providers have paid everything back has spent nothing, so that it may still be called off."""

from typing import Any

import pytest

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.lifecycle import AlreadySpent
from crowdfund.campaigns.models import Campaign
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core.db import db, in_transaction
from marketplace.ledger import books
from tests.campaigns.conftest import Fund, fund
from tests.campaigns.moving.conftest import settle, spend
from tests.public_ledger.conftest import Giving
from tests.repayments.conftest import approve, enter, pay_back
from tests.whereabouts.conftest import refuse_another_order

__all__ = ["fund"]


def test_every_gift_goes_back_once_all_of_the_money_is_there_again(fund: Fund) -> None:
    campaign, officers = fund.open(), Giving(fund.officer.id, fund.approver.id)
    for fen in (1000, 1):
        fund.give(campaign, fen)
    first, second = (spend(fund, campaign, fen, invoice_number=f"INV{fen}") for fen in (700, 300))
    pay_back(officers, first, {1: 700})
    pay_back(officers, second, {1: 299})
    told: dict[str, Any] = {"campaign": campaign, "person": fund.officer.id, "why": "学校合并了"}
    waiting = enter(officers, second, {1: 1})  # nobody has confirmed it
    with pytest.raises(AlreadySpent):
        in_transaction(lifecycle.cancel, **told)
    db.session.rollback()
    approve(officers, waiting)

    in_transaction(lifecycle.cancel, **told)
    settle(fund)

    assert books.balance(db.session(), "restricted", campaign, book="test") == 0
    refuse_another_order(fund.app, campaign)
    with fund.cashier.storage.connect() as cashier:
        found = list(audit.findings(db.session.connection(), cashier))
    assert [each for each in found if isinstance(each, Difference)] == []
    assert db.session.query(Campaign).filter_by(public_id=campaign).one().state == "cancelled"
