"""A till whose cashier settles in Hong Kong dollars, at a rate that may change, with what its tests look at."""

from decimal import Decimal
from typing import Any

import pytest

from marketplace.auditing import cashier, checks, money, movements as auditing
from marketplace.auditing.checks import Difference
from marketplace.core.db import db
from marketplace.ledger import books
from marketplace.ledger.queries import postings_of
from marketplace.payments import sweeping
from marketplace.payments.reconciliation import running
from marketplace.payments.reconciliation.proof import Standing
from marketplace.payments.sandbox.converting import Conversion, conversion_into
from tests.payments.conftest import Till
from tests.payments.test_reconciliation import ORDER, request_refund

IN_HKD = 4298  # 39.80 yuan at 1.08 are 42.984 dollars
FEE = 26  # 0.6 % of that


class Abroad:
    """A till whose cashier settles in another currency, at a rate that may change."""

    def __init__(self, till: Till) -> None:
        self.till = till

    def rate_is(self, rate: str, currency: str = "HKD") -> None:
        self.till.cashier.book_keeping.conversion = Conversion(currency, Decimal(rate))

    def reconcile(self, **how: Any) -> Standing:
        db.session.rollback()
        return running.reconcile(self.till.cashier, actor="test", **how)

    def held(self) -> dict[str, int]:
        return self.till.cashier.balance()


def abroad_of(till: Till, monkeypatch: pytest.MonkeyPatch) -> Abroad:
    monkeypatch.setattr(till.cashier.book_keeping, "conversion", conversion_into("HKD"))
    return Abroad(till)


@pytest.fixture
def abroad(quick_till: Till, monkeypatch: pytest.MonkeyPatch) -> Abroad:
    return abroad_of(quick_till, monkeypatch)


@pytest.fixture
def real_abroad(till: Till, monkeypatch: pytest.MonkeyPatch) -> Abroad:
    return abroad_of(till, monkeypatch)


def balance(kind: str, currency: str, owner: str = "") -> int:
    db.session.rollback()
    return books.balance(db.session(), kind, owner, book="test", commodity=currency)


def clearing(currency: str, gateway: str = "sandbox") -> int:
    return balance("gateway_clearing", currency, gateway)


def lines_of(key: str, reference: str = ORDER) -> set[tuple[str, str, int]]:
    """(account, currency, amount) of one entry."""
    db.session.rollback()
    (found,) = (posting for posting in postings_of(db.session(), reference) if posting.key == key)
    return {(kind, currency, amount) for kind, _owner, currency, amount in found.lines}


def named(till: Till) -> set[str]:
    """The checks of the auditor that find something: those of money, which know nothing of what was sold."""
    db.session.rollback()
    connection = db.session.connection()
    with till.cashier.storage.connect() as theirs:
        ours = checks.run(connection, (*money.BOOKS, *money.GATEWAYS, *auditing.MOVEMENTS))
        both = [*ours, *cashier.differences(connection, theirs), *auditing.differences(connection, theirs)]
    db.session.rollback()
    return {finding.check for finding in both if isinstance(finding, Difference)}


def refund_back(abroad: Abroad, fen: int, rate: str, key: str) -> str:
    abroad.rate_is(rate)
    refund = request_refund(fen, key)
    assert sweeping.send_refund()
    abroad.till.work_later()
    return refund
