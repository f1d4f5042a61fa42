"""A batch paid by Stripe's own library on the cashier's face: payees, transfers, a reversal, and all of it reconciled."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from werkzeug.serving import make_server

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders.batches import connecting
from marketplace.orders.batches.states import LineState as L
from marketplace.payments.gateways import gateways
from marketplace.payments.reconciliation import running
from marketplace.payments.sandbox import storage
from marketplace.payments.stripe.gateway import StripeGateway
from marketplace.payments.transfers import payees as payees_there
from marketplace.payments.transfers.states import PayeeState, TransferState as T
from tests.answering import answering
from tests.batches.conftest import HOUSE, Finance, balance, make_finance
from tests.batches.test_taking_back import give_back
from tests.batches.transfers import Desk, desk_of
from tests.payments.test_conformance import stripe_at

__all__ = ["make_finance"]


@pytest.fixture
def desk(real_app: Flask, make_finance: Callable[[], Finance]) -> Iterator[tuple[Desk, StripeGateway]]:
    """One whose gateway is Stripe; 100 yuan are there."""
    made = desk_of(make_finance())
    server = make_server("127.0.0.1", 0, real_app, threaded=True)
    gateway = stripe_at(f"http://127.0.0.1:{server.port}/sandbox-cashier", made.cashier.api_key)
    known = gateways()
    known.by_name["stripe"], known.chosen = gateway, "stripe"
    with answering(server):
        yield made, gateway
    made.cashier.storage.dispose()


@pytest.mark.full
def test_a_batch_by_stripe_and_what_came_back_of_it(desk: tuple[Desk, StripeGateway]) -> None:
    made, gateway = desk
    finance, cashier = made.finance, made.cashier
    with cashier.writing() as connection:
        charge = {"id": "txn_1", "type": "charge", "source": "1", "ours": "", "gross": 10_000, "fee": 0}
        connection.execute(insert(storage.movement).values(charge | {"currency": "CNY", "at": clock.now()}))
    lines: Any = {("gateway_clearing", "stripe"): Money(10_000), ("seller_held", "else"): Money(-10_000)}
    in_transaction(books.post, key="suspense:pi_1", book="test", reference="SX-22222222", lines=lines)
    finance.settle(finance.feng, 3662)
    finance.settle(HOUSE, 318)
    for owner in (finance.feng, HOUSE):
        finance.payee(owner)
    given: Any = {"person_id": finance.drafter, "return_url": "http://127.0.0.1:8000/seller/account"}
    status = connecting.connect(owner=finance.feng, **given)
    assert "/sandbox-cashier/payees/" in status.url
    cashier.say_who_they_are(status.remote_id, PayeeState.VERIFIED, "7890")
    known = gateway.payee_status(status.remote_id)
    in_transaction(payees_there.apply, status=known, gateway="stripe", why="evt")
    made.look_at(finance.feng)

    batch = made.sent()
    made.work()
    finance.confirm(batch, HOUSE)
    give_back(made, finance.feng, 1000)
    made.work()

    assert finance.line_state(batch, finance.feng) is L.CONFIRMED
    assert [(each.state, each.fen) for each in made.reversals()] == [(T.SUCCEEDED, 1000)]
    assert finance.owed(finance.feng) == 0 and made.there(status.remote_id) == 2662
    standing = running.reconcile(gateway, actor="test", whole=True)
    proof = standing.proofs["CNY"]
    assert not standing.is_red and standing.counts == {"matched": 3}
    assert balance("gateway_clearing", "stripe") == proof.books == 10_000 - 2662 - 318
    assert (proof.balance, proof.at_the_bank, proof.unexplained) == (10_000 - 2662, -318, 0)
