"""The independent reader of gifts, payments, receipts and public rows: silent where all is well, naming what is not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, select, text, update

from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import clock, sealing, triggers
from marketplace.core.db import db, in_transaction
from tests.public_ledger.conftest import Giving, make_giving
from tests.public_ledger.test_receipts import give, send_back

__all__ = ["make_giving"]

TAMPERING = {
    "campaigns' accounts belong to campaigns": "UPDATE campaign SET public_id = 'other' WHERE id = 1",
    "what moved is shown once": "UPDATE public_row SET fen = fen + 1 WHERE kind = 'gift'",
    "what is shown moved": "UPDATE public_row SET reference = reference || 'x' WHERE kind = 'refund'",
    "gifts received are captured": "UPDATE contribution SET fen = fen + 1",
    "payments out are booked": "UPDATE disbursement SET fen = fen + 1 WHERE state = 'paid'",
    "payments that arrived left the gateway": "UPDATE entry SET key = 'disburse_paid:other' WHERE kind = 'disburse_paid'",
    "entries of payments have one": "UPDATE entry SET key = key || 'x' WHERE kind = 'disburse'",
    "payouts in transit are on their way": "UPDATE disbursement SET state = 'paid' WHERE state = 'paying'",
    "no more is promised than is there": "UPDATE disbursement SET fen = 999999 WHERE state = 'approved'",
    "two people paid": "UPDATE disbursement SET approver_id = NULL",
    "receipt numbers have no gap": "UPDATE receipt SET sequence = 77 WHERE sequence = 2",
    "receipts belong to a series": "UPDATE receipt SET series = 'T1999' WHERE sequence = 2",
    "gifts received got a receipt": "DELETE FROM receipt WHERE sequence = 1",
    "valid receipts say what stayed": "UPDATE receipt SET fen = fen + 1 WHERE state = 'issued'",
    "gifts on years' receipts stayed": "UPDATE receipt_gift SET fen = fen + 1",
    "years' receipts add up": "UPDATE receipt_gift SET fen = fen + 1",
    "gifts stand on one valid receipt": "UPDATE receipt SET state = 'issued' WHERE state = 'reissued' AND fen IN (11, 12)",
    "years' receipts list their giver's gifts": "UPDATE contribution SET person_id = NULL",
    "balances follow the chain": "UPDATE sealed_row SET campaign_fen = campaign_fen + 1 WHERE number = 2",
    "sealed rows are those of the chain": "UPDATE sealed_row SET kind = 'match' WHERE number = 1",
    "days add up": "UPDATE ledger_day SET spent_fen = spent_fen + 1",
    "public rows are as they were sealed": "UPDATE public_row SET who = 'somebody else' WHERE kind = 'gift'",
}
OTHERS = {
    "what moved is shown once": (
        "DELETE FROM sealed_row; DELETE FROM public_row WHERE kind = 'disbursement'",
        "INSERT INTO public_row (at, book, kind, campaign_id, fen, who, what, commitment, reference) "
        "SELECT at, book, 'match', campaign_id, fen, who, what, commitment, reference FROM public_row WHERE kind = 'gift'",
        "UPDATE public_row SET fen = fen - 1 WHERE kind = 'disbursement'",
        "UPDATE public_row SET book = 'live'",
    ),
    "what is shown moved": ("UPDATE public_row SET campaign_id = (SELECT MAX(id) FROM campaign)",),
    "gifts received are captured": (
        "UPDATE contribution SET state = 'pending'",
        "UPDATE entry SET reference = 'nobody' WHERE kind = 'capture'",
        "UPDATE contribution SET book = 'live'",
    ),
    "payments out are booked": (
        "UPDATE disbursement SET state = 'approved' WHERE state IN ('paid', 'paying')",
        "UPDATE disbursement SET state = 'rejected' WHERE state = 'paying'",
        "UPDATE entry SET key = key || 'x' WHERE kind = 'disburse_undone'",
    ),
    "entries of payments have one": ("UPDATE entry SET key = key || 'x' WHERE kind = 'disburse_undone'",),
    "payouts in transit are on their way": ("UPDATE entry SET kind = 'x' WHERE kind = 'disburse_undone'",),
    "receipt numbers have no gap": (
        "UPDATE receipt_series SET last = last + 1",
        "DELETE FROM receipt WHERE sequence = 1",
    ),
    "valid receipts say what stayed": ("UPDATE receipt SET state = 'issued' WHERE state = 'voided'",),
    "years' receipts add up": ("DELETE FROM receipt_gift WHERE fen = 11",),
    "years' receipts list their giver's gifts": (
        "UPDATE receipt_year SET book = 'live'",
        "UPDATE receipt_year SET person_id = 1",
        "UPDATE contribution SET book = 'live'",
    ),
    "balances follow the chain": ("UPDATE sealed_row SET book_fen = 0 WHERE number = 3",),
    "sealed rows are those of the chain": ("DELETE FROM sealed_row WHERE number = 1",),
    "public rows are as they were sealed": (
        "UPDATE public_row SET commitment = 'ab'",
        "UPDATE seal SET record_id = 9999 WHERE chain = 'public' AND number = 1",
    ),
    "the chains hold": ("UPDATE seal SET digest = '00' WHERE chain = 'public' AND number = 2",),
    "the daily roots hold": ("UPDATE daily_root SET root = '00' WHERE chain = 'public'",),
    "states have traces": (
        "UPDATE event SET to_state = 'paid' WHERE subject LIKE 'disbursement:%' AND to_state = 'approved'",
        "UPDATE contribution SET state = 'lapsed'",
        "DELETE FROM event WHERE subject LIKE 'receipt:%'",
    ),
    "no account is overdrawn": (
        "UPDATE line SET amount = -amount WHERE entry_id IN (SELECT id FROM entry WHERE kind = 'capture')",
    ),
}


@contextmanager
def tampered(statements: str) -> Iterator[Connection]:
    with db.engine.connect() as connection, connection.begin() as transaction:
        triggers.drop_all(connection)
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        for statement in filter(None, statements.split(";")):
            connection.execute(text(statement))
        yield connection
        transaction.rollback()


def named(statements: str = "") -> set[str]:
    with tampered(statements) as connection:
        return {finding.check for finding in audit.findings(connection, None) if isinstance(finding, Difference)}


@pytest.fixture
def given(real_app: Flask, make_giving: Callable[[], Giving]) -> Giving:
    """Gifts with receipts, one sent back in part and one whole; payments in every state; a closed day."""
    giving = make_giving()
    books, lights = giving.campaign(), giving.campaign()
    with time_machine.travel(clock.now() - timedelta(days=1)):
        for fen in (5000, 3000):
            in_transaction(give, books.public_id, fen=fen)
        giving.pay_out(books, 815)
        partly, whole = (in_transaction(give, lights.public_id, fen=1000) for _each in range(2))
        in_transaction(send_back, partly, 300)
        in_transaction(send_back, whole, 1000)
        giving.seal()
    in_transaction(sealing.close_days, chain="public")
    approved, sent = giving.request(books, 400), giving.request(books, 100)
    giving.request(books, 7)
    undone = giving.request(books, 55)
    approve(giving, undone)
    give_up(giving, undone)
    approve(giving, approved, sent)
    in_transaction(give, lights.public_id, fen=1)
    stands_on_a_year(lights.public_id)
    giving.seal()
    db.session.remove()
    return giving


def stands_on_a_year(campaign: str) -> None:
    """Two gifts of somebody, on one receipt."""
    from crowdfund.campaigns.models import Contribution
    from crowdfund.campaigns.yearly import issuing
    from tests.factories import make_person
    from tests.public_ledger.conftest import FOUNDATION

    person = make_person().id
    gifts = [in_transaction(give, campaign, fen=fen) for fen in (11, 12)]
    mine = Contribution.public_id.in_(gifts)
    db.session.execute(update(Contribution).where(mine).values(person_id=person))
    numbers = db.session.scalars(select(Contribution.id).where(mine)).all()
    db.session.commit()
    whose: Any = {"person": person, "organisation": FOUNDATION, "book": "test", "year": 2026}
    in_transaction(issuing.bring_together, **whose, gifts=numbers)


def approve(giving: Giving, *made: str) -> None:
    from crowdfund.campaigns import disbursing

    for each in made:
        in_transaction(disbursing.approve, disbursement=each, approver_id=giving.approver)
    in_transaction(disbursing.send, disbursement=made[-1], officer_id=giving.officer)


def give_up(giving: Giving, made: str) -> None:
    from crowdfund.campaigns import disbursing

    in_transaction(disbursing.fail, disbursement=made, officer_id=giving.officer, reason="账号注销了")
    in_transaction(disbursing.reject, disbursement=made, approver_id=giving.approver, reason="店关了")


def test_honest_giving_has_no_differences(given: Giving) -> None:
    with db.engine.connect() as connection:
        found = [finding for finding in audit.findings(connection, None) if isinstance(finding, Difference)]
    assert found == []


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(given: Giving) -> None:
    every = [*TAMPERING.items(), *((check, sql) for check, several in OTHERS.items() for sql in several)]
    assert [(check, sql) for check, sql in every if check not in named(sql)] == []
    assert named() == set()


def test_a_gift_that_could_not_be_used_is_shown_nowhere(given: Giving) -> None:
    """Credited to its campaign and, in the same moment, given back through suspense."""
    from marketplace.core.money import Money
    from marketplace.ledger import books

    campaign = given.campaign().public_id
    for key, fen, other in (("capture:late", -5, "gateway_clearing"), ("surplus:late", 5, "suspense")):
        lines: dict[books.Account, Money] = {("restricted", campaign): Money(fen), (other, ""): Money(-fen)}
        in_transaction(books.post, key=key, book="test", reference="late", lines=lines)
    assert {"what moved is shown once", "gifts received are captured"} & named() == set()
