"""Bank accounts of payees: changed by them, verified by the province, never by the payee."""

from typing import Any

import pytest
from sqlalchemy import select, text

from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.notifications.models import Message
from marketplace.orders.batches import payees
from tests.batches.conftest import Finance
from tests.factories import make_person

NUMBER = "6217001234567890"


def test_every_change_waits_to_be_verified_again(finance: Finance) -> None:
    finance.payee(finance.feng, number=NUMBER)
    assert finance.account(finance.feng).verified_at
    same: Any = {"owner_kind": "seller", "owner": finance.feng[1], "holder": "冯建国", "bank": "山西农信"}
    assert in_transaction(payees.keep, number=NUMBER, person_id=finance.drafter, **same) is False
    assert finance.account(finance.feng).verified_at
    assert in_transaction(payees.keep, number="6217001234567891", person_id=finance.drafter, **same) is True
    account = finance.account(finance.feng)
    assert (account.verified_at, account.verifier_id, account.revision, account.last4) == (None, None, 2, "7891")
    told = db.session.scalars(select(Message.text).where(Message.fact.startswith("payee:"))).all()
    assert len(told) == 2 and told[1].startswith("你的收款账户改了")


def test_a_number_that_differs_verifies_nothing(finance: Finance) -> None:
    finance.payee(finance.feng, verified=False, number=NUMBER)
    account = finance.account(finance.feng)
    given: Any = {"account": account.public_id, "person_id": finance.approver}
    with pytest.raises(payees.OtherNumber):
        in_transaction(payees.verify, number="6217001234567891", revision=1, **given)
    with pytest.raises(StaleState):
        in_transaction(payees.verify, number=NUMBER, revision=2, **given)
    assert finance.account(finance.feng).verified_at is None


def test_nobody_verifies_or_releases_their_own(finance: Finance) -> None:
    operator = make_person("seller", "finance_operator", station="140000")
    finance.payee(("seller", operator.public_id), verified=False, number=NUMBER)
    account = finance.account(("seller", operator.public_id)).public_id
    with pytest.raises(payees.OwnPayee):
        in_transaction(payees.verify, account=account, number=NUMBER, revision=1, person_id=operator.id)
    in_transaction(payees.freeze, account=account, reason="x", person_id=operator.id)
    with pytest.raises(payees.OwnPayee):
        in_transaction(payees.release, account=account, person_id=operator.id)


def test_numbers_and_holders_are_unreadable_where_they_lie(finance: Finance) -> None:
    finance.payee(finance.feng, number=NUMBER)
    finance.settle(finance.feng, 100)
    finance.draft()
    for table in ("payout_account", "settlement_line"):
        kept = db.session.execute(text(f"SELECT holder, number FROM {table}")).one()
        assert "冯建国" not in kept[0] and NUMBER not in kept[1]
    records = db.session.scalars(select(AuditRecord)).all()
    assert records and not [each.action for each in records if NUMBER in f"{each.detail}{each.why}{each.subject}"]
