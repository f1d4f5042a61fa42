"""The independent reader of gifts: silent where all is well, and naming each thing that is not."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from crowdfund.campaigns import lifecycle
from marketplace.auditing import audit, giving
from marketplace.auditing.checks import Difference
from marketplace.core import clock, triggers
from marketplace.core.db import db, in_transaction
from tests.campaigns.conftest import Fund

TAMPERING = {
    "received gifts were paid": "UPDATE attempt SET fen = fen + 1",
    "gifts went to their campaign": "UPDATE ledger_account SET owner = owner || 'x' WHERE kind = 'restricted'",
    "restricted money came from gifts": "UPDATE contribution SET state = 'lapsed'",
    "received gifts stand in the public ledger": "DELETE FROM public_row WHERE kind = 'gift'",
    "public refunds are the books'": "UPDATE public_row SET fen = fen - 1 WHERE kind = 'refund'",
    "refunds of gifts stand in the public ledger": "DELETE FROM public_row WHERE kind = 'refund'",
    "states have traces": "DELETE FROM event WHERE subject LIKE 'contribution:%' AND to_state = 'pending'",
}


@pytest.fixture
def given(fund: Fund) -> Fund:
    """One gift that was kept, one that went back."""
    fund.give(fund.open(), 660)
    cancelled = fund.open()
    fund.give(cancelled, 500)
    in_transaction(lifecycle.cancel, campaign=cancelled, person=fund.officer.id, why="材料不实")
    fund.work()
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        fund.cashier.finish_refunds()
        fund.work()
    db.session.remove()
    return fund


def named(fund: Fund, sql: str = "") -> set[str]:
    """The checks that find something after `sql`, which is taken back."""
    with db.engine.connect() as connection, fund.cashier.storage.connect() as cashier, connection.begin() as transaction:
        triggers.drop_all(connection)
        if sql:
            connection.execute(text(sql))
        found = {each.check for each in audit.findings(connection, cashier) if isinstance(each, Difference)}
        transaction.rollback()
    return found


def test_whatever_was_tampered_with_is_named(given: Fund) -> None:
    assert named(given) == set()
    silent = [check for check, sql in TAMPERING.items() if check not in named(given, sql)]
    assert silent == []
    assert named(given) == set()
    assert {check.name for check in giving.GIFTS} <= set(TAMPERING)
