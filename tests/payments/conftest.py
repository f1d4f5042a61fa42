"""A shop that pays for orders nobody placed, beside a sandbox whose webhooks come in through the real door."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments import attempts, inbox, outcomes, sweeping
from marketplace.payments.gateways import gateways
from marketplace.payments.models import Attempt
from marketplace.payments.sandbox import delivery
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.states import AttemptState
from tests import cashiers

RETURN = "http://127.0.0.1:8000/orders/SX-7F3KQ2MD"


@dataclass
class Till:
    """Both sides of the counter."""

    app: Flask
    cashier: SandboxCashier
    uses_money: bool = True
    told: list[str] = field(default_factory=list)

    def settle(self, session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool:
        if self.uses_money:
            self.told.append(reference)
            shares: dict[books.Account, Money] = {("buyer_clearing", ""): amount, ("seller_held", "s1"): -amount}
            books.post(session, key=f"allocate:{reference}", book="test", reference=reference, lines=shares)
        return self.uses_money

    def start(self, reference: str = "SX-7F3KQ2MD", fen: int = 3980) -> str:
        return in_transaction(attempts.start, purpose="order", reference=reference, amount=Money(fen))

    def pay(self, attempt: str, status: str = "succeeded") -> str:
        """Submit, and decide at the cashier's; returns the gateway's id."""
        attempts.submit(attempt, return_url=RETURN, description="SX-7F3KQ2MD")
        remote = self.remote_of(attempt)
        self.cashier.decide(remote, status)
        return remote

    def send(self, _url: str, body: bytes, signature: str) -> int:
        headers = {"Stripe-Signature": signature}
        return self.app.test_client().post("/webhooks/sandbox", data=body, headers=headers).status_code

    def remote_of(self, attempt: str) -> str:
        remote = self.cashier.find_payment(attempt)
        assert remote
        return remote.remote_id

    def deliver(self) -> None:
        while delivery.deliver(self.cashier, self.send):
            pass

    def work(self) -> None:
        """All that the worker would do, until nothing waits."""
        self.deliver()
        while inbox.work() or sweeping.send_refund() or sweeping.ask_after_attempt() or self.cashier.finish_refunds():
            self.deliver()

    def work_later(self, wait: timedelta = timedelta(minutes=3)) -> None:
        """The worker again when leases have ended, and once more when the sandbox's refunds are through."""
        for moment in (wait, wait + timedelta(minutes=3)):
            with time_machine.travel(clock.now() + moment, tick=False):
                self.work()


def booked(reference: str = "SX-7F3KQ2MD") -> dict[tuple[str, str], int]:
    """(kind of entry, account) -> fen of everything the books say of this reference; nothing may be there twice."""
    db.session.rollback()
    rows = select(Entry.kind, LedgerAccount.kind, LedgerAccount.owner, Line.amount)
    rows = rows.join(Line, Line.entry_id == Entry.id).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    found = db.session.execute(rows.where(Entry.reference == reference)).all()
    assert len({(kind, f"{account}:{owner}") for kind, account, owner, _fen in found}) == len(found), "booked twice"
    return {(kind, f"{account}:{owner}"): fen for kind, account, owner, fen in found}


def state_of(attempt: str) -> AttemptState:
    db.session.rollback()
    return db.session.scalars(select(Attempt.state).where(Attempt.public_id == attempt)).one()


def moved(kind: str, debit: str, credit: str, fen: int = 3980) -> dict[tuple[str, str], int]:
    """An entry of two lines, as `booked` shows it."""
    return {(kind, debit): fen, (kind, credit): -fen}


CAPTURED = moved("capture", "gateway_clearing:sandbox", "buyer_clearing:")
ALLOCATED = moved("allocate", "buyer_clearing:", "seller_held:s1")
SURPLUS = moved("surplus", "buyer_clearing:", "suspense:") | moved("refund", "suspense:", "refund_in_transit:")
REFUNDED = moved("refund_done", "refund_in_transit:", "gateway_clearing:sandbox")


@pytest.fixture
def till(real_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    yield from opened_till(real_app, monkeypatch)


@pytest.fixture
def quick_till(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    """One whose side of the counter is rolled back."""
    yield from opened_till(app, monkeypatch)


def opened_till(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    cashier: Any = gateways().get("sandbox")
    cashiers.opened(cashier)
    till = Till(app, cashier)
    monkeypatch.setitem(outcomes.on_succeeded, "order", till.settle)
    yield till
    cashier.storage.dispose()
