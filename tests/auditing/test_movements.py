"""Movements, fees and money in suspense: silent where they agree with the books, each tampering named."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from marketplace.auditing import checks, movements
from marketplace.auditing.checks import Difference
from marketplace.core import clock, triggers
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import suspense
from marketplace.payments.reconciliation import running
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.converting import conversion_into
from tests.payments.conftest import Till, till
from tests.payments.test_suspense import parked

__all__ = ["till"]

TAMPERING = {
    "movements add up": "UPDATE gateway_movement SET net = net + 1",
    "matched movements are what the books say": "UPDATE gateway_movement SET gross = gross + 1, net = net + 1",
    "matched movements have entries": "UPDATE gateway_movement SET matched_entry = 'capture:nobody'",
    "fees of gateways are booked once": "UPDATE gateway_movement SET fee = fee + 1, net = net - 1",
    "booked fees were taken": "DELETE FROM gateway_movement",
    "grants cover no more than was taken": "UPDATE line SET amount = -amount WHERE account_id IN "
    "(SELECT id FROM ledger_account WHERE kind = 'gateway_fee')",
    "money in suspense goes back once": "UPDATE refund SET fen = fen + 1",
    "conversions are what gateways gave": "UPDATE line SET amount = amount * 2 WHERE commodity = 'HKD' AND entry_id IN "
    "(SELECT id FROM entry WHERE kind = 'settled')",
    "conversions have movements": "UPDATE entry SET key = key || 'x' WHERE kind = 'settled'",
    "conversions change nothing but the currency": "UPDATE ledger_account SET kind = 'cash_desk' "
    "WHERE kind = 'fx_conversion'",
}
AT_THE_CASHIER = {
    "one that was never read": "DELETE FROM gateway_movement WHERE type = 'charge'",
    "one that never was": "INSERT INTO gateway_movement (gateway, book, remote_id, type, source_id, known_as, ours, gross, "
    "fee, net, currency, at, verdict, note, seen_at) SELECT gateway, book, 'txn_x', type, source_id, known_as, ours, gross, "
    "fee, net, currency, at, 'waiting', note, seen_at FROM gateway_movement WHERE type = 'charge'",
    "another sum that its payer saw": "UPDATE gateway_movement SET presented = 1 WHERE presented IS NOT NULL",
    "another fee": "UPDATE gateway_movement SET fee = fee + 1, net = net - 1",
}


@pytest.fixture
def reconciled(till: Till, monkeypatch: pytest.MonkeyPatch) -> Till:
    """A wrong sum in suspense and on its way back, in another currency; money that the bank has paid."""
    remote = parked(till)
    in_transaction(suspense.send_back, payment=remote, actor="person:1", why="a wrong sum")
    monkeypatch.setattr(till.cashier.book_keeping, "conversion", conversion_into("HKD"))
    till.work()
    lines: dict[books.Account, Money] = {("seller_held", "s1"): Money(5), ("gateway_clearing", "sandbox"): Money(-5)}
    in_transaction(books.post, key="disburse_paid:d1", book="test", reference="c1", lines=lines)
    till.work_later()
    assert running.reconcile(till.cashier, actor="test").counts == {"matched": 3}
    with till.cashier.writing() as connection:  # long before it was read
        connection.execute(storage.movement.update().values(at=clock.now() - timedelta(days=1)))
    db.session.remove()
    return till


def named(till: Till, sql: str = "") -> set[str]:
    """The checks that find something after this tampering, which is undone again."""
    with db.engine.connect() as connection, connection.begin() as transaction, till.cashier.storage.connect() as cashier:
        if sql:
            triggers.drop_all(connection)
            connection.execute(text(sql))
        found = set(names(connection, cashier))
        transaction.rollback()
    return found


def names(connection: Connection, cashier: Connection) -> list[str]:
    ours = checks.run(connection, movements.MOVEMENTS)
    both = [*ours, *movements.differences(connection, cashier)]
    return [finding.check for finding in both if isinstance(finding, Difference)]


def test_whatever_was_tampered_with_is_named(reconciled: Till) -> None:
    assert named(reconciled) == set()
    assert [check for check, sql in TAMPERING.items() if check not in named(reconciled, sql)] == []
    at_the_cashier = {what: movements.AT_THE_CASHIER in named(reconciled, sql) for what, sql in AT_THE_CASHIER.items()}
    assert at_the_cashier == dict.fromkeys(AT_THE_CASHIER, True)
    assert set(TAMPERING) == {check.name for check in movements.MOVEMENTS}
