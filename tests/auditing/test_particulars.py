"""Whose money a refund took, under which number it is known, what a dispute was about: each tampering is named."""

from datetime import timedelta
from typing import Any

import time_machine

from marketplace.auditing import checks, particulars
from marketplace.auditing.checks import Difference
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.orders import fulfilment
from marketplace.payments.gateways import RefundRequest
from marketplace.payments.reconciliation import running
from tests.auditing.test_giving import tampered
from tests.orders.conftest import JIXIAN, Shop, parcels, shop

__all__ = ["shop"]

ONE_REFUND = "reason_key LIKE 'parcel:%'"
TAMPERING = (
    ("payments and refunds bear the gateway's number", "UPDATE attempt SET remote_id = 'pay_other' || id"),
    ("payments and refunds bear the gateway's number", f"UPDATE refund SET remote_id = 're_other' WHERE {ONE_REFUND}"),
    ("refunds that were made elsewhere say where", "UPDATE refund SET reason_key = 'elsewhere:re_' || id"),
    ("refunds that were made elsewhere say where", "UPDATE audit_record SET action = 'x' WHERE action LIKE 'refund.made%'"),
    ("disputes are booked as they are", "UPDATE dispute SET fen = fen + 1"),
    ("disputes are booked as they are", "UPDATE dispute SET fee_fen = fee_fen + 1"),
    ("disputes are booked as they are", "UPDATE dispute SET attempt_id = (SELECT MIN(id) FROM attempt)"),
    ("what a bank has taken for good is borne", "UPDATE entry SET key = 'other:' || key WHERE kind = 'dispute_lost'"),
    (
        "what a bank has taken for good is borne",
        "UPDATE event SET to_state = 'x' WHERE to_state = 'lost'; UPDATE dispute SET state = 'under_review'",
    ),
    (particulars.SHARES, f'UPDATE refund SET shares = \'[["chargeback_loss", "", 4580]]\' WHERE {ONE_REFUND}'),
    (particulars.SHARES, f"UPDATE refund SET shares = '[]' WHERE {ONE_REFUND}"),
)


def named(sql: str = "") -> set[str]:
    with tampered(sql) as connection:
        found = [*checks.run(connection, particulars.PARTICULARS), *particulars.differences(connection)]
    return {each.check for each in found if isinstance(each, Difference)}


def test_whatever_was_tampered_with_is_named(shop: Shop) -> None:
    """One order refused and refunded, one sent back on the provider's own pages, one lost to a bank."""
    numbers = [shop.paid_order(shop.browser(), apples=1) for _each in range(3)]
    (parcel,) = parcels(numbers[0])
    who: dict[str, Any] = {"station": JIXIAN, "actor": "clerk", "reason": "霜"}
    in_transaction(fulfilment.refuse, parcel=parcel.public_id, **who)
    shop.cashier.refund(RefundRequest("", shop.remote_of(numbers[1]), Money(1000)), key="by hand")
    dispute = shop.cashier.open_dispute(shop.remote_of(numbers[2]))
    shop.work()
    shop.cashier.decide_dispute(dispute, is_won=False)
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
        running.reconcile(shop.cashier, actor="test", whole=True)
    db.session.remove()

    assert named() == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []
