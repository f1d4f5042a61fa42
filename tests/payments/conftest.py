"""A shop that pays for orders nobody placed, beside a sandbox whose webhooks come in through the real door."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import attempts, inbox, outcomes, sweeping
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox import delivery, storage
from marketplace.payments.sandbox.cashier import SandboxCashier

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
        remote = self.cashier.find_payment(attempt)
        assert remote
        self.cashier.decide(remote.remote_id, status)
        return remote.remote_id

    def send(self, _url: str, body: bytes, signature: str) -> int:
        headers = {"Stripe-Signature": signature}
        return self.app.test_client().post("/webhooks/sandbox", data=body, headers=headers).status_code

    def deliver(self) -> None:
        while delivery.deliver(self.cashier, self.send):
            pass

    def work(self) -> None:
        """All that the worker would do, until nothing waits."""
        self.deliver()
        while inbox.work() or sweeping.send_refund() or sweeping.ask_after_attempt():
            self.deliver()


@pytest.fixture
def till(real_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    cashier: Any = gateways().get("sandbox")
    storage.prepare(cashier.storage)
    till = Till(real_app, cashier)
    monkeypatch.setitem(outcomes.on_succeeded, "order", till.settle)
    yield till
    cashier.storage.dispose()
