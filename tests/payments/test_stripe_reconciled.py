"""Reconciliation through Stripe's own library on the cashier's face; and what Stripe's words mean where no peer has them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import inbox, refunds, sweeping
from marketplace.payments.gateway_news import Movement
from marketplace.payments.reconciliation import rehearsing, running
from marketplace.payments.sandbox import storage
from marketplace.payments.states import AttemptState
from marketplace.payments.stripe.translation import balance_of, movement_of
from tests.payments.conftest import ALLOCATED, CAPTURED, booked, state_of
from tests.payments.test_reconciliation import movements
from tests.payments.test_stripe import ORDER, StripeTill, shop

__all__ = ["shop"]

AT_STRIPE = {(kind, account.replace("sandbox", "stripe")): fen for (kind, account), fen in CAPTURED.items()}


def test_charges_are_matched_with_the_sessions_that_they_belong_to(shop: StripeTill) -> None:
    attempt, session = shop.begin()
    shop.pay(session)
    rehearsed = rehearsing.rehearse(shop.gateway, actor="test")
    assert rehearsed.counts == {"waiting": 1} and not rehearsed.is_red

    standing = running.reconcile(shop.gateway, actor="test")

    assert state_of(attempt) is AttemptState.SUCCEEDED and booked() == AT_STRIPE | ALLOCATED
    (movement,) = movements()
    assert (movement.source_id, movement.known_as) == (session.replace("cs_", "pi_"), session)
    assert movement.matched_entry == f"capture:{attempt}"
    assert standing.counts == {"matched": 1} and not standing.is_red
    assert running.reconcile(shop.gateway, actor="test", whole=True) == standing


@pytest.mark.full
def test_a_whole_day_at_stripe(shop: StripeTill) -> None:
    """A payment of which the webhook was lost, a refund, a payout to our own bank and what the bank has paid of it."""
    attempt, session = shop.begin()
    shop.pay(session)
    running.reconcile(shop.gateway, actor="test")
    while inbox.work():
        pass
    back: dict[str, Any] = {"amount": Money(1000), "shares": {("seller_held", "s1"): Money(1000)}}
    in_transaction(refunds.request, purpose="order", reference=ORDER, reason_key="parcel:1", reason="refused", **back)
    assert sweeping.send_refund()
    shop.till.work_later()
    with shop.till.cashier.writing() as connection:
        payout = {"type": "payout", "source": "po_1", "ours": "", "gross": -2000, "fee": 0, "currency": "CNY"}
        connection.execute(storage.movement.insert().values(id="txn_po", at=clock.now(), **payout))
    paid: dict[books.Account, Money] = {("seller_held", "s1"): Money(700), ("gateway_clearing", "stripe"): Money(-700)}
    in_transaction(books.post, key="payout_paid:l1", book="test", reference="b1", lines=paid)

    standing = running.reconcile(shop.gateway, actor="test")

    assert state_of(attempt) is AttemptState.SUCCEEDED
    proof = standing.proofs["CNY"]
    assert not standing.is_red and standing.counts == {"matched": 2, "at_the_bank": 1}
    assert (proof.balance, proof.books, proof.at_the_bank) == (3980 - 24 - 1000 - 2000, 3980 - 24 - 1000 - 700, 2000 - 700)
    in_transaction(
        books.post,
        key="payout_bounced:l1",
        book="test",
        reference="b1",
        lines={account: -money for account, money in paid.items()},
    )
    again = running.reconcile(shop.gateway, actor="test")
    assert not again.is_red and again.proofs["CNY"].at_the_bank == 2000  # our bank has it again
    db.session.rollback()
    assert [movement.type for movement in shop.till.cashier.movements(running.BEGINNING)].count("payout") == 1


@pytest.mark.full
def test_pages_of_stripe_go_on_by_the_last_one_read(shop: StripeTill) -> None:
    since = clock.now() - timedelta(minutes=1)
    with shop.till.cashier.writing() as connection:
        for number in range(205):
            row = {"type": "adjustment", "source": f"a{number}", "ours": "", "gross": 1, "fee": 0, "currency": "CNY"}
            connection.execute(storage.movement.insert().values(id=f"txn_{number:03}", at=clock.now(), **row))

    read = [movement.remote_id for movement in shop.gateway.movements(since)]

    assert read == [f"txn_{number:03}" for number in reversed(range(205))]
    assert shop.gateway.balance() == {"CNY": 205}


def test_what_stripe_says_of_its_balance() -> None:
    fee = {"id": "txn_1", "type": "stripe_fee", "source": None, "amount": -30, "fee": 0, "net": -30, "currency": "usd"}
    at = datetime(2026, 11, 1, tzinfo=UTC)
    moved: dict[str, Any] = {
        "remote_id": "txn_1",
        "type": "stripe_fee",
        "source_id": "",
        "ours": "",
        "currency": "USD",
        "at": at,
    }
    assert movement_of(fee | {"created": int(at.timestamp())}) == Movement(**moved, gross=-30, fee=0, net=-30)
    unexpanded = movement_of(fee | {"created": int(at.timestamp()), "source": "py_1"})
    assert (unexpanded.source_id, unexpanded.ours) == ("py_1", "")
    parts = {"available": [{"amount": 5, "currency": "usd"}], "pending": [{"amount": 7, "currency": "usd"}]}
    assert balance_of(parts) == {"USD": 12}
