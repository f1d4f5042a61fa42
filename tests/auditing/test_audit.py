"""The independent reader: silent where all is well, and naming each thing that is not."""

import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.auditing import audit
from marketplace.core import sealing, triggers
from marketplace.core.db import db, in_transaction
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, Shop, parcels, post, shop

__all__ = ["shop"]

TAMPERING = {
    "trial balance": "UPDATE line SET amount = amount + 1 WHERE id = (SELECT MIN(id) FROM line)",
    "entries balance": "UPDATE line SET amount = amount - 1 WHERE id = (SELECT MIN(id) FROM line)",
    "books do not mix": "UPDATE ledger_account SET book = 'live' WHERE kind = 'seller_held'",
    "captures have attempts": "UPDATE entry SET key = 'capture:nobody' WHERE kind = 'capture'",
    "attempts are captured once": "UPDATE attempt SET fen = fen + 1",
    "orders add up": "UPDATE order_line SET quantity = quantity + 1",
    "parcels add up": "UPDATE order_line SET unit_service_fee_fen = 0",
    "paid orders are allocated": "UPDATE entry SET key = 'allocate:other' WHERE kind = 'allocate'",
    "allocations follow the lines": "UPDATE order_line SET seller_public_id = 'somebody else'",
    "settled parcels moved from held to payable": "UPDATE entry SET key = 'settle:other:' || id WHERE kind = 'settle'",
    "only settled parcels are payable": "UPDATE parcel SET state = 'delivered' WHERE state = 'settled'",
    "stock follows its movements": "UPDATE variant SET on_hand = on_hand + 1",
    "what is held is ordered": "UPDATE variant SET reserved = 1",
    "what was sold was paid": "UPDATE stock_movement SET kind = 'counted' WHERE kind = 'sold'",
    "states have traces": "UPDATE parcel SET state = 'lost' WHERE state = 'settled'",
    "the chain holds": "UPDATE seal SET digest = '00' WHERE number = 1",
    "records are as they were sealed": "UPDATE audit_record SET actor = 'somebody else'",
}


def found() -> list[str]:
    db.session.remove()
    with db.engine.connect() as connection:
        return list(audit.differences(connection))


@pytest.fixture
def traded(shop: Shop, real_app: Flask) -> Shop:
    """One order paid, one parcel of it settled, one refused and refunded."""
    buyer, clerk = shop.browser(), shop.browser()
    number = shop.paid_order(buyer, apples=2, millet=1)
    signed_in(clerk, "station_clerk", station=JIXIAN)
    first, second = parcels(number)
    for step, data in (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "A"})):
        post(clerk, f"/station/parcels/{first.public_id}/{step}", data)
    post(clerk, f"/station/parcels/{first.public_id}/dispatch", {"carrier": "邮政", "tracking_number": "123456"})
    post(buyer, f"/orders/{number}/parcels/{first.public_id}/confirmation", {})
    other = shop.browser()
    signed_in(other, "station_clerk", station=second.station_code)
    post(other, f"/station/parcels/{second.public_id}/refusal", {"reason": "霜打坏了"})
    shop.work()
    while in_transaction(sealing.seal, chain="audit"):
        pass
    return shop


def test_an_honest_shop_has_no_differences(traded: Shop) -> None:
    assert found() == []


@pytest.mark.parametrize("check", TAMPERING)
def test_what_was_tampered_with_is_named(traded: Shop, check: str) -> None:
    db.session.remove()
    with db.engine.begin() as connection:
        triggers.drop_all(connection)
        connection.execute(text(TAMPERING[check]))

    assert any(line.startswith(f"{check}:") for line in found()), found()


def test_the_command_says_so_and_exits_1(traded: Shop) -> None:
    runner = traded.app.test_cli_runner()
    assert runner.invoke(args=["ledger", "audit"]).exit_code == 0

    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE variant SET on_hand = on_hand + 1"))
    answer = runner.invoke(args=["ledger", "audit"])

    assert answer.exit_code == 1 and "the movements say" in answer.output


def test_sealing_by_hand_leaves_nothing_open(traded: Shop) -> None:
    assert traded.app.test_cli_runner().invoke(args=["ledger", "seal"]).exit_code == 0
    assert in_transaction(sealing.seal, chain="audit", everything=True) == 0
