"""The independent reader of presales: silent where all is well, naming what is not."""

from datetime import timedelta

import pytest

from crowdfund.presales import returning
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests.auditing.naming import named
from tests.presales.conftest import Orchard, after, at, real_orchard, work
from tests.presales.test_lives import send

__all__ = ["real_orchard"]

SENT = "(SELECT order_number FROM backing WHERE state = 'ordered')"
ESCROW = "(SELECT id FROM ledger_account WHERE kind = 'presale_escrow')"
TAMPERING = (
    ("tiers count their places", "UPDATE presale_tier SET taken = taken + 1"),
    ("tiers count their places", "UPDATE backing SET state = 'lapsed' WHERE state = 'confirmed'"),
    ("fields bear what is sold of them", "UPDATE presale SET taken_grams = taken_grams + 1"),
    ("places cost what their tier says", "UPDATE presale_tier SET unit_price_fen = unit_price_fen - 1"),
    ("paid places were paid", "UPDATE attempt SET is_surplus = TRUE WHERE purpose = 'presale'"),
    ("escrow is what places paid and nobody has yet", f"UPDATE line SET amount = amount - 1 WHERE account_id IN {ESCROW}"),
    ("escrow is what places paid and nobody has yet", "UPDATE backing SET start_fen = start_fen - 1 WHERE start_fen > 0"),
    (
        "what was released at the start is that of its places",
        "UPDATE backing SET start_fen = start_fen - 1 WHERE start_fen > 0",
    ),
    ("at most thirty per cent are released at the start", "UPDATE presale SET start_percent = 29"),
    ("orders of presales are their places", 'UPDATE "order" SET backing = NULL WHERE backing IS NOT NULL'),
    (
        "orders of presales have their money when they are sent",
        "UPDATE entry SET key = key || 'x' WHERE key LIKE 'release:%' AND reference LIKE 'SX-%'",
    ),
    (
        "money leaves escrow for what is sent or refunded",
        f'UPDATE parcel SET dispatched_at = NULL WHERE order_id IN (SELECT id FROM "order" WHERE number IN {SENT})',
    ),
    ("presales are what they reached", "UPDATE presale SET goal_fen = 99999999"),
    ("somebody else than the seller opened each presale", "DELETE FROM event WHERE from_state = 'submitted'"),
    ("places of presales that are over are seen to", "UPDATE backing SET state = 'confirmed' WHERE state = 'refunded'"),
    (
        "what of a presale was not sent in time has gone back",
        "UPDATE presale SET closes_on = '2020-01-01', harvest_on = '2020-01-02'"
        ";UPDATE backing SET answered_at = '2020-01-01 00:00:00' WHERE answered_at IS NOT NULL"
        f";UPDATE parcel SET state = 'collecting' WHERE order_id IN (SELECT id FROM \"order\" WHERE number IN {SENT})",
    ),
    ("what is owed follows from lines less refunds", "UPDATE backing SET start_fen = start_fen - 2 WHERE state = 'ordered'"),
    ("states have traces", "UPDATE presale SET state = 'live' WHERE state = 'failed'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'backing:%'"),
)


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(real_orchard: Orchard) -> None:
    """One that failed, and one that is being sent: a place sent, one left, one that has not answered."""
    orchard = real_orchard
    with at(clock.now() - timedelta(days=60)):
        orchard.open()
        orchard.paid()
    orchard.end()
    orchard.open()
    left = orchard.paid()
    in_transaction(returning.leave, backing_id=left, actor="guest")
    sent, _silent = orchard.paid(orchard.two), orchard.paid()
    orchard.end()
    orchard.answer(sent)
    with at(after(orchard.row().harvest_on)):
        work()
        send(str(orchard.backing(sent).order_number))
    db.session.remove()
    engine, cashier = db.engine, orchard.shop.cashier.storage

    assert named(engine, cashier) == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(engine, cashier, ours=sql)] == []
