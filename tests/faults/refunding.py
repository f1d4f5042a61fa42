"""A worker of its own process that sends gifts back through a bad line.

`python -m tests.faults.refunding URL DATA SEED LATER`

Of a hundred requests five go wrong: of these every other one never reaches the gateway, of the rest the answer is lost. Each
webhook comes twice. LATER: by so many seconds its clock is ahead, so that what has to wait for another try is due."""

import random
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine
from flask import Flask

from marketplace.app import create_app
from marketplace.core import clock, outbox
from marketplace.core.settings import load_settings
from marketplace.payments import inbox, sweeping
from marketplace.payments.gateways import OutcomeUnknown, gateways
from marketplace.payments.sandbox import delivery
from marketplace.payments.sandbox.gateway import SandboxCashier

WRONG = 0.05


def disturb(cashier: SandboxCashier, chance: random.Random) -> None:
    """The faults of the gateway and of its webhooks."""
    cashier.faults = ("duplicate",)
    for name in ("refund", "fetch_refund"):
        setattr(cashier, name, badly(getattr(cashier, name), chance))


def badly(call: Callable[..., Any], chance: random.Random) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        fate = chance.random()
        if fate < WRONG / 2:
            raise OutcomeUnknown("never arrived")
        answer = call(*args, **kwargs)
        if fate < WRONG:
            raise OutcomeUnknown("the answer was lost")
        return answer

    return called


def work(app: Flask, cashier: SandboxCashier) -> None:
    """All that the worker would do now."""

    def send(_url: str, body: bytes, signature: str) -> int:
        told = {"Stripe-Signature": signature}
        return app.test_client().post("/webhooks/sandbox", data=body, headers=told).status_code

    steps = (
        outbox.deliver,
        sweeping.send_refund,
        cashier.finish_refunds,
        lambda: delivery.deliver(cashier, send),
        inbox.work,
    )
    worked = True
    while worked:
        worked = False
        for step in steps:
            worked = step() or worked


def main(url: str, data: str, seed: str, later: str) -> None:
    app = create_app(load_settings(app_env="test", database_url=url, data=Path(data)), TESTING=True, PAGE_CACHE=False)
    with app.app_context(), time_machine.travel(clock.now() + timedelta(seconds=int(later))):
        cashier: Any = gateways().get("sandbox")
        disturb(cashier, random.Random(seed))
        work(app, cashier)


if __name__ == "__main__":
    main(*sys.argv[1:])
