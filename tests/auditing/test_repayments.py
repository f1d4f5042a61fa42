"""The independent reader of what providers paid back: silent where all is well, naming what was tampered with."""

from collections.abc import Callable

import pytest
from flask import Flask

from marketplace.core.db import db, in_transaction
from tests.auditing.test_giving import named
from tests.public_ledger.conftest import Giving, make_giving
from tests.public_ledger.test_receipts import give
from tests.repayments.conftest import SHELVES, correct, enter, pay_back
from tests.whereabouts.conftest import follow

__all__ = ["make_giving"]

ELSEWHERE = "SELECT id FROM ledger_account WHERE kind = 'payout_in_transit'"
TAKEN_OUT = """entry_id = (SELECT id FROM entry WHERE kind = 'repaid_undone')
    AND account_id = (SELECT id FROM ledger_account WHERE kind = 'gateway_clearing')"""
TAMPERING = (
    ("what providers paid back is booked", "UPDATE repayment SET fen = fen + 1 WHERE id = 1"),
    ("what providers paid back is booked", "UPDATE repayment SET refused_why = '不是' WHERE id = 1"),
    ("what providers paid back is booked", "UPDATE repayment SET decided_at = entered_at, decider_id = 2 WHERE id = 2"),
    ("entries of repayments have one", "UPDATE repayment SET public_id = 'x' WHERE id = 1"),
    ("repayments are the sum of their lines", "UPDATE repaid_line SET fen = fen - 1"),
    ("lines come back once, of their own payment", "UPDATE repaid_line SET fen = 401 WHERE bill_line_id = 1"),
    ("lines come back once, of their own payment", "UPDATE repayment SET disbursement_id = 2 WHERE id = 1"),
    ("only what was paid comes back", "UPDATE disbursement SET state = 'failed' WHERE id = 1"),
    ("what counts as proved has an invoice or came back in full", "UPDATE disbursement SET state = 'evidenced'"),
    ("repayments are as they were sealed", "UPDATE public_row SET commitment = 'ab' WHERE kind = 'repayment'"),
    ("repayments are as they were sealed", "UPDATE repaid_line SET fen = 61 - fen WHERE repayment_id = 1"),
    ("repayments are as they were sealed", "UPDATE public_row SET commitment = 'ab' WHERE kind = 'correction'"),
    ("corrections of what came back are booked", "UPDATE repayment SET corrected_at = NULL"),
    ("corrections of what came back are booked", "UPDATE repayment SET corrected_at = decided_at WHERE id = 1"),
    ("corrections of what came back are booked", f"UPDATE line SET account_id = ({ELSEWHERE}) WHERE {TAKEN_OUT}"),
    ("two people correct what came back", "UPDATE repayment SET corrected_at = NULL"),
    ("two people correct what came back", "UPDATE repayment_correction SET refused_why = '不是'"),
    ("entries of corrections have one", "UPDATE repayment SET public_id = 'y' WHERE id = 3"),
    ("lines are paid in full", "UPDATE spent_money SET fen = fen - 1"),
    ("lines are paid in full", "DELETE FROM repaid_line WHERE repayment_id = 1"),
    ("days add up", "UPDATE ledger_day SET spent_fen = spent_fen + 61"),
    ("what moved is shown once", "UPDATE public_row SET fen = fen + 1 WHERE kind = 'repayment'"),
)


@pytest.fixture
def given(real_app: Flask, make_giving: Callable[[], Giving]) -> Giving:
    """What came back of two lines; what waits for a second person; what had not come back after all."""
    giving = make_giving()
    campaign = giving.campaign()
    for fen in (300, 300):
        in_transaction(give, campaign.public_id, fen=fen)
    payment = giving.pay_out(campaign, 500, lines=SHELVES)
    giving.pay_out(campaign, 10)
    pay_back(giving, payment, {1: 41, 2: 20})
    enter(giving, payment, {1: 7})
    correct(giving, pay_back(giving, payment, {1: 9}))
    follow(giving)
    db.session.remove()
    return giving


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(given: Giving) -> None:
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []
    assert named() == set()
