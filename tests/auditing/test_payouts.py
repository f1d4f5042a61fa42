"""The independent reader of payments to sellers and stations: silent where all is well, naming what is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from flask import Flask

from marketplace.auditing import payouts
from marketplace.auditing.checks import Difference, run
from marketplace.auditing.lives import LIVES, Life, differences as broken_lives
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders.batches import bouncing, payees
from tests.auditing.test_giving import tampered
from tests.batches.conftest import HOUSE, Finance, make_finance

__all__ = ["make_finance"]

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)
CONFIRMED = "settlement_line.state = 'confirmed' AND bounced_at IS NULL"
TAMPERING = {
    "payments that were sent left their owner's account": (
        "UPDATE settlement_line SET fen = fen + 1 WHERE state = 'sent'",
        "UPDATE settlement_line SET state = 'due' WHERE state = 'sent'",
        "UPDATE settlement_line SET owner = 'somebody else' WHERE state = 'returned'",
        "UPDATE entry SET reference = 'PB-22222222' WHERE kind = 'payout'",
    ),
    "payments that were confirmed left the gateway": (
        f"UPDATE settlement_line SET state = 'sent' WHERE {CONFIRMED}",
        "UPDATE settlement_batch SET gateway = 'another'",
        "UPDATE entry SET key = key || 'x' WHERE kind = 'payout_paid'",
    ),
    "payments that came back are owed again": (
        "UPDATE settlement_line SET state = 'confirmed' WHERE state = 'returned'",
        "UPDATE entry SET kind = 'other' WHERE kind = 'payout_failed'",
    ),
    "payments that the bank took back are owed again": (
        "UPDATE settlement_line SET bounced_at = NULL",
        "UPDATE settlement_line SET bounced_at = answered_at WHERE state = 'confirmed'",
        "UPDATE entry SET kind = 'other' WHERE kind = 'payout_bounced'",
    ),
    "payments that the bank took back are ours again": (
        "UPDATE entry SET reference = 'PB-22222222' WHERE kind = 'payout_bounced'",
        "UPDATE settlement_batch SET gateway = 'another'",
    ),
    "only confirmed payments are taken back": (
        "UPDATE settlement_line SET state = 'returned' WHERE bounced_at IS NOT NULL",
        "UPDATE settlement_line SET bounced_because = ''",
    ),
    "entries of payouts have their line": (
        "UPDATE settlement_line SET public_id = 'x' || id",
        "UPDATE settlement_line SET book = 'live'",
    ),
    "settlements in transit are on their way": (
        "UPDATE settlement_line SET state = 'returned' WHERE state = 'sent'",
        "UPDATE line SET amount = amount - 1 WHERE entry_id IN (SELECT id FROM entry WHERE kind = 'payout_paid')",
    ),
    "nobody waits for two payments": (
        "DROP INDEX one_open_payment; UPDATE settlement_line SET state = 'sent' WHERE left_out = ''",
    ),
    "two people pay out": (
        "UPDATE event SET actor = 'person:1' WHERE subject LIKE 'settlement_batch:%'",
        "DELETE FROM event WHERE subject LIKE 'settlement_batch:%' AND to_state = 'approved'",
        "UPDATE event SET actor = 'person:0' WHERE subject LIKE 'settlement_batch:%' AND to_state = 'drafted'",
        "UPDATE event SET actor = 'person:0' WHERE subject LIKE 'settlement_batch:%' AND to_state = 'approved'",
    ),
    "batches that were sent say when and how": (
        "UPDATE settlement_batch SET sent_at = NULL",
        "UPDATE settlement_batch SET way = 'transfer'",
        "UPDATE settlement_batch SET file_sha256 = 'another' WHERE way = 'file'",
        "UPDATE settlement_batch SET sent_at = drafted_at WHERE state = 'drafted'",
    ),
    "batches pay their own station": ("UPDATE settlement_line SET owner = '140430' WHERE owner_kind = 'station'",),
    "payments are answered on a day": (
        "UPDATE settlement_line SET answered_at = NULL",
        "DROP INDEX one_open_payment; UPDATE settlement_line SET state = 'due' WHERE state = 'confirmed'",
    ),
    "batches and their lines go together": (
        "UPDATE settlement_batch SET state = 'closed' WHERE state = 'sent'",
        "UPDATE settlement_batch SET state = 'approved' WHERE state = 'sent'",
    ),
    "statements explain whatever moved": ("UPDATE entry SET kind = 'gift' WHERE kind = 'settle'",),
    "nobody is paid more than they were owed": (
        "UPDATE line SET amount = amount * 2 WHERE entry_id IN (SELECT id FROM entry WHERE kind = 'payout')",
        "DELETE FROM line WHERE entry_id IN (SELECT id FROM entry WHERE kind = 'settle')",
    ),
    "states have traces": (
        "UPDATE event SET to_state = 'returned' WHERE subject LIKE 'settlement_line:%' AND to_state = 'confirmed'",
        "DELETE FROM event WHERE subject LIKE 'settlement_batch:%' AND to_state = 'closed'",
    ),
}
OURS: tuple[Life, ...] = tuple(life for life in LIVES if life.table.startswith("settlement"))


def named(statements: str = "") -> set[str]:
    """Of what there is no order of, only the parts that look at payments."""
    with tampered(statements) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr("marketplace.auditing.lives.LIVES", OURS)
        found = [*run(connection, payouts.PAYOUTS), *payouts.differences(connection), *broken_lives(connection)]
    return {each.check for each in found if isinstance(each, Difference)}


@pytest.fixture
def paid(real_app: Flask, make_finance: Callable[[], Finance]) -> Finance:
    """A batch that is closed, with a line confirmed and one returned; one sent; one drafted; one whose lines dropped out."""
    finance = make_finance()
    with time_machine.travel(clock.now() - timedelta(days=3)):
        finance.settle(finance.feng, 3662)
        finance.settle(HOUSE, 318)
        for owner in (finance.feng, HOUSE, finance.qiao):
            finance.payee(owner)
        closed = finance.sent()
        finance.confirm(closed, finance.feng)
        finance.send_back(closed, HOUSE)
        finance.refund(finance.feng, 1000)
    finance.sent()
    finance.settle(bounced := finance.qiao, 900)
    finance.confirm(taken := finance.sent(), bounced)
    line = finance.line(taken, bounced).public_id
    in_transaction(bouncing.bounce, batch=taken, line=line, reason="销户", actor="person:1")
    in_transaction(payees.release, account=finance.account(bounced).public_id, person_id=finance.approver)
    finance.refund(bounced, 900)
    finance.settle(finance.qiao, 500)
    dropped = finance.draft()
    finance.refund(finance.qiao, 500)
    finance.approve(dropped)
    finance.settle(finance.qiao, 700)
    finance.draft()
    db.session.remove()
    return finance


def test_honest_payments_have_no_differences(paid: Finance) -> None:
    assert {life.table for life in OURS} == {"settlement_batch", "settlement_line"}
    assert named() == set()


def test_whatever_was_tampered_with_is_named(paid: Finance) -> None:
    for check, statements in TAMPERING.items():
        for each in statements:
            assert check in named(each), (check, each)
    assert set(TAMPERING) == {check.name for check in payouts.PAYOUTS} | {payouts.CHECK, "states have traces"}


@pytest.mark.full
def test_a_clock_that_goes_back_is_no_fault(real_app: Flask, make_finance: Callable[[], Finance]) -> None:
    finance = make_finance()
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        finance.settle(finance.feng, 3662)
    finance.payee(finance.feng)
    finance.sent()
    db.session.remove()
    assert named() == set()


@pytest.mark.parametrize(("seconds", "found"), [(20, 0), (60, 0), (61, 1), (3600, 1)])
def test_a_refund_in_the_moment_of_a_payment_is_no_fault(seconds: int, found: int) -> None:
    """It may be booked while the payment is, and be committed later; an hour before, it must have been seen."""
    moved = [("settle", 0, -100), ("refund", 10, 30), ("payout", 10 + seconds, 100)]
    rows: Any = [
        SimpleNamespace(what=what, at=NOON + timedelta(seconds=after), amount=fen, name="payout:1", owner="feng")
        for what, after, fen in moved
    ]
    assert len(list(payouts.paid_too_much(iter(rows)))) == found
