"""The independent reader of transfers and reversals: silent where all is well, naming what is not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from marketplace.auditing import cashier as cashiers_book, movements, payouts, transfers
from marketplace.auditing.checks import Difference, run
from marketplace.auditing.lives import LIVES, Life, differences as broken_lives
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.payments.transfers import sending
from tests.auditing.test_giving import tampered
from tests.batches.conftest import HOUSE, Finance, make_finance
from tests.batches.test_taking_back import give_back
from tests.batches.transfers import Desk, desk_of

__all__ = ["make_finance"]

TAMPERING = {
    "transfers are lines of batches": (
        "UPDATE transfer SET fen = fen + 1",
        "UPDATE transfer SET reference = 'x' || id",
        "UPDATE transfer SET booked_under = 'PB-22222222'",
        "UPDATE gateway_payee SET owner = owner || 'x'",
        "UPDATE settlement_batch SET way = 'file'",
        "UPDATE gateway_payee SET gateway = 'another'",
        "UPDATE gateway_payee SET book = 'live'",
    ),
    "transfers and their lines go together": (
        "UPDATE transfer SET state = 'unknown' WHERE state = 'succeeded'",
        "UPDATE transfer SET state = 'succeeded' WHERE state = 'failed'",
        "UPDATE settlement_line SET state = 'returned' WHERE state = 'confirmed'",
    ),
    "what has moved is known by the gateway's id": (
        "UPDATE transfer SET remote_id = NULL",
        "UPDATE transfer_reversal SET remote_id = NULL",
        "UPDATE transfer SET remote_id = 'tr_x' WHERE state = 'failed'",
    ),
    "no more is taken back than was sent": (
        "UPDATE transfer_reversal SET fen = 999999",
        "UPDATE transfer_reversal SET transfer_id = (SELECT id FROM transfer WHERE state = 'failed')",
    ),
    "what was taken back is at the gateway again": (
        "UPDATE transfer_reversal SET state = 'unknown' WHERE state = 'succeeded'",
        "UPDATE transfer_reversal SET fen = fen + 1 WHERE state = 'succeeded'",
        "UPDATE entry SET key = key || 'x' WHERE kind = 'reversal'",
        "UPDATE entry SET reference = 'PB-22222222' WHERE kind = 'reversal'",
    ),
    "what was taken back is owed no more": (
        "UPDATE gateway_payee SET owner = owner || 'x'",
        "UPDATE transfer_reversal SET state = 'succeeded' WHERE state = 'failed'",
    ),
    "entries of reversals have their reversal": ("UPDATE transfer_reversal SET public_id = 'x' || id",),
    "reversals have a refund or a late answer": ("UPDATE transfer_reversal SET cause = 'refund:x' || id",),
    "states have traces": (
        "DELETE FROM event WHERE subject LIKE 'transfer:%' AND to_state = 'succeeded'",
        "DELETE FROM event WHERE subject LIKE 'transfer_reversal:%' AND to_state = 'failed'",
        "UPDATE gateway_payee SET state = 'restricted'",
    ),
}
TABLES = {"gateway_payee", "transfer", "transfer_reversal"}
OURS: tuple[Life, ...] = tuple(life for life in LIVES if life.table in TABLES)


def named(statements: str = "") -> set[str]:
    """Of what there is no order of, only the parts that look at transfers."""
    with tampered(statements) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr("marketplace.auditing.lives.LIVES", OURS)
        checks = (*transfers.TRANSFERS, *payouts.PAYOUTS)
        found = [*run(connection, checks), *payouts.differences(connection), *broken_lives(connection)]
    return {each.check for each in found if isinstance(each, Difference)}


@pytest.fixture
def desk(real_app: Flask, make_finance: Callable[[], Finance]) -> Iterator[Desk]:
    """Two transfers that arrived: a part of the one came back, of the other it was refused; one refused; one on its way."""
    made = desk_of(finance := make_finance())
    made.fill(10_000)
    for owner, fen, back in ((finance.feng, 3662, 1000), (finance.qiao, 2000, 500)):
        there = made.connect(owner)
        finance.settle(owner, fen)
        made.sent()
        give_back(made, owner, back)
        assert sending.send_transfer()
        if owner == finance.qiao:
            made.cashier.pay_payee_out(there)
        assert sending.send_reversal()
    made.connect(HOUSE)
    finance.settle(HOUSE, 90_000)
    made.sent()
    assert sending.send_transfer()
    made.sent()
    db.session.remove()
    yield made
    made.cashier.storage.dispose()


def test_honest_transfers_have_no_differences(desk: Desk) -> None:
    assert {life.table for life in OURS} == TABLES
    assert named() == set()


def test_whatever_was_tampered_with_is_named(desk: Desk) -> None:
    for check, statements in TAMPERING.items():
        for each in statements:
            assert check in named(each), (check, each)
    assert set(TAMPERING) == {check.name for check in transfers.TRANSFERS} | {"states have traces"}


@pytest.mark.full
def test_what_the_cashier_has_is_held_beside_what_we_have(desk: Desk) -> None:
    def found(statement: str = "") -> list[str]:
        with tampered(statement) as connection, desk.cashier.storage.connect() as theirs:
            both: list[Any] = [*cashiers_book.differences(connection, theirs), *movements.differences(connection, theirs)]
        return [each.words for each in both if isinstance(each, Difference)]

    with time_machine.travel(clock.now() + timedelta(hours=1)):
        assert found() == []
        assert any("transfer" in words for words in found("UPDATE transfer SET fen = fen + 1 WHERE state = 'succeeded'"))
        assert any("reversal" in words for words in found("UPDATE transfer_reversal SET state = 'unknown'"))
        assert any("not at the cashier" in words for words in found("UPDATE transfer_reversal SET public_id = 'x' || id"))
