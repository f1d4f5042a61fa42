"""The independent reader of where money went: silent where all is well, naming what was tampered with."""

from collections.abc import Callable

import pytest
from flask import Flask

from marketplace.core.db import db, in_transaction
from tests.auditing.test_giving import named
from tests.public_ledger.conftest import Giving, make_giving
from tests.public_ledger.test_receipts import give, send_back
from tests.whereabouts.conftest import follow

__all__ = ["make_giving"]

TAMPERING = (
    ("lines of invoices add up", "UPDATE bill_line SET fen = fen + 1"),
    ("lines of invoices add up", "DELETE FROM spent_money; DELETE FROM bill_line"),
    ("invoices are as they were sealed", "UPDATE bill_line SET what_zh = '丙' WHERE position = 2"),
    ("invoices are as they were sealed", "UPDATE disbursement SET invoice_number = 'INV-0' WHERE id = 1"),
    ("what goes back names what came", "UPDATE public_row SET commitment = 'ab' WHERE kind = 'refund'"),
    ("what goes back names what came", "UPDATE public_row SET reference = 'capture:x' WHERE id = 1"),
    ("money came as the rows say", "UPDATE given_money SET came_fen = came_fen + 1 WHERE number = 2"),
    ("money came as the rows say", "UPDATE money_followed SET number = 0"),
    ("money is spent as it is said", "UPDATE given_money SET spent_fen = spent_fen - 1 WHERE number = 1"),
    ("lines are paid in full", "UPDATE spent_money SET fen = fen - 1"),
    (
        "lines are paid in full",
        "UPDATE disbursement SET state = 'failed'; DELETE FROM sealed_row WHERE kind = 'disbursement'",
    ),
    ("lines are paid by their campaign", "UPDATE given_money SET campaign_id = 2"),
    ("what is left is what the rows leave", "UPDATE given_money SET back_fen = back_fen + 1 WHERE number = 2"),
)


@pytest.fixture
def given(real_app: Flask, make_giving: Callable[[], Giving]) -> Giving:
    giving = make_giving()
    campaign, _other = giving.campaign(), giving.campaign()
    first, _second = (in_transaction(give, campaign.public_id, fen=300) for _each in range(2))
    giving.pay_out(campaign, 350, lines=(("甲", 300), ("乙", 50)))
    in_transaction(send_back, first, 20)
    giving.request(campaign, 7)
    follow(giving)
    in_transaction(give, campaign.public_id, fen=9)  # not sealed yet
    db.session.remove()
    return giving


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(given: Giving) -> None:
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []
    assert named() == set()
