"""Arrivals and closed days: silent where all is well, and naming each thing that is not."""

from datetime import timedelta

import pytest
import time_machine

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders.closing import ending
from marketplace.orders.receiving.models import Rest
from tests.auditing.naming import named
from tests.orders.conftest import JIXIAN, Shop, shop
from tests.receiving.conftest import accepted, bring
from tests.receiving.test_substitutes import other_pack

__all__ = ["shop"]

SHORT = """(SELECT p.order_id FROM parcel p JOIN order_line l ON l.parcel_id = p.id
    JOIN allotment a ON a.order_line_id = l.id WHERE a.missing > 0)"""
TAMPERING = {
    "what came is counted": "UPDATE order_line SET received_quantity = received_quantity - 1 WHERE received_quantity > 0",
    "arrivals are shared out": "UPDATE arrival_line SET came = came + 1",
    "arrivals are for those who ordered it there": "UPDATE arrival SET seller_public_id = 'somebody else'",
    "who paid first is served first": f"UPDATE \"order\" SET paid_at = '2020-01-01' WHERE id IN {SHORT}",
    "what never came is refunded": "UPDATE refund SET reason_key = 'units:' || id WHERE reason_key LIKE 'short:%'",
    "lighter goods cost less": "UPDATE arrival_line SET grams = grams + 400 WHERE grams IS NOT NULL",
    "what comes instead costs no more than was paid": "UPDATE substitute SET unit_price_fen = 99999",
    "shortages and weights have arrivals": "UPDATE arrival SET public_id = 'another' || id",
    "no more goes back of a line than was paid for it": "UPDATE refund_line SET goods_fen = 99999 WHERE quantity = 0",
    "closed days count what happened": "UPDATE station_day SET accepted = accepted + 1",
    "closed days equal the ledger": "UPDATE station_day SET payable_fen = payable_fen + 1",
    "closed days follow each other": "UPDATE station_day SET since = until, until = '2999-01-01'",
}


@pytest.fixture
def received(shop: Shop) -> Shop:
    """Two orders, of which the second lacks a pack; all weigh less; a third is offered something else; two closed days."""
    accepted(shop, apples=2)
    accepted(shop, apples=2)
    bring(shop, came=3, grams=7000, rest=Rest.REFUND)
    accepted(shop, apples=1)
    bring(shop, came=0, rest=Rest.SUBSTITUTE, instead=other_pack(shop))
    shop.work()
    for day in range(2):
        with time_machine.travel(clock.now() + timedelta(days=day, seconds=1), tick=False):
            in_transaction(ending.close, station=JIXIAN, book="test", actor="manager")
    db.session.remove()
    return shop


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(received: Shop) -> None:
    engine, cashier = db.engine, received.cashier.storage
    assert named(engine, cashier) == set()
    silent = [check for check, sql in TAMPERING.items() if check not in named(engine, cashier, ours=sql)]
    assert silent == []
