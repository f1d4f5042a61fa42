"""The independent reader of after-sales cases: silent where all is well, naming what is not."""

from datetime import timedelta

import pytest
import time_machine

from marketplace import duties
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders.cases import appealing, deciding, exchanging, returning
from marketplace.orders.cases.rules import Bearer, Condition, Kind, Wish
from marketplace.payments.gateways import RefundRequest
from marketplace.payments.models import Attempt
from tests import factories
from tests.auditing.test_giving import named
from tests.orders.casework import PICTURE, appeal, bought, case_of, do, open_case
from tests.orders.conftest import Shop, shop
from tests.orders.test_case_by_bank import brought_back, lost

__all__ = ["shop"]

JUDGED = "public_id = (SELECT c.refund_public_id FROM after_sales_case c JOIN case_appeal a ON a.case_id = c.id)"
BORNE = "(SELECT id FROM entry WHERE kind = 'case_borne')"
OPEN = "(SELECT id FROM after_sales_case WHERE state = 'requested')"
PARCEL = "(SELECT p.public_id FROM parcel p JOIN after_sales_case c ON c.parcel_id = p.id WHERE c.state = 'requested')"
REPLACEMENT = "(SELECT id FROM parcel WHERE goods_fen = 0)"
SETTLED = "(subject, from_state, to_state, actor, why, at)"
TAMPERING = (
    ("refunded cases have their refund", "UPDATE after_sales_case SET quantity = 2 WHERE is_automatic"),
    ("what is bad in part is paid for in part", "UPDATE after_sales_case SET spoiled_grams = 1 WHERE is_automatic"),
    (
        "what is bad in part is paid for in part",
        "UPDATE after_sales_case SET spoiled_pieces = 1, pieces_of_pack = 30 WHERE is_automatic",
    ),
    (
        "what is bad in part is paid for in part",
        "UPDATE after_sales_case SET spoiled_grams = 1000000000 WHERE is_automatic",
    ),
    ("refunds of cases have their case", "UPDATE refund SET reason_key = 'case:other' || id"),
    ("exchanged cases have their order", 'UPDATE "order" SET is_exchange = FALSE, goods_fen = 1, total_fen = 1'),
    (
        "only exchanges are free",
        f"UPDATE order_line SET unit_price_fen = 0, unit_service_fee_fen = 0 WHERE parcel_id NOT IN {REPLACEMENT}",
    ),
    (
        "only exchanges are free",
        "UPDATE after_sales_case SET state = 'cancelled', exchange_number = NULL WHERE state = 'exchanged'",
    ),
    ("exchanges send what came back", f"UPDATE order_line SET quantity = 2 WHERE parcel_id IN {REPLACEMENT}"),
    ("cases ask for no more than was bought", f"UPDATE after_sales_case SET quantity = 9 WHERE id IN {OPEN}"),
    ("cases are about goods of their parcel", "UPDATE parcel SET delivered_at = NULL"),
    ("cases are about goods of their parcel", f"UPDATE after_sales_case SET parcel_id = {REPLACEMENT}"),
    (
        "open cases stop their parcel",
        f"INSERT INTO event {SETTLED} SELECT 'parcel:' || {PARCEL}, 'delivered', 'settled', 'x', 'x', MAX(at) FROM event",
    ),
    ("who bears a case is what the province decided", f"UPDATE line SET amount = amount * 2 WHERE entry_id = {BORNE}"),
    ("who bears a case is what the province decided", "UPDATE case_appeal SET bearer = 'station'"),
    ("who bears a case is what the province decided", "UPDATE entry SET kind = 'other' WHERE kind = 'case_borne'"),
    ("nobody bears a refund that failed", f"UPDATE refund SET state = 'failed' WHERE {JUDGED}"),
    ("appeals say who decided what", "UPDATE case_appeal SET answer = ''"),
    ("appeals say who decided what", "UPDATE audit_record SET action = 'case.nothing' WHERE action LIKE 'case.appeal_%'"),
    ("quality counts no more than was sold", "UPDATE quality_count SET sold = sold + 100"),
    ("states have traces", "UPDATE after_sales_case SET state = 'rejected' WHERE state = 'requested'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'case_appeal:%'"),
)


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(shop: Shop) -> None:
    """One case refunded at once, one that the province bears, one exchanged, one open."""
    shop.apples = factories.make_variant(factories.make_listing(return_policy="7d_no_reason"), price_fen=1999).code
    order = bought(shop, 5)
    open_case(order, kind=Kind.DAMAGED, pictures=[PICTURE])
    judged = open_case(order)
    do(deciding.reject, judged)
    appeal(judged)
    in_transaction(appealing.grant, case=judged, bearer=Bearer.PLATFORM, why="买家有理", actor="person:9")
    swapped = open_case(order, wish=Wish.EXCHANGE)
    do(deciding.approve, swapped)
    do(returning.witness, swapped, quantity=1, condition=Condition.BAD)
    do(exchanging.exchange, swapped)
    open_case(order)
    duties.count_quality()
    db.session.remove()

    assert named() == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []


BY_BANK = (
    ("what banks have refunded is borne as a refund would be", "UPDATE after_sales_case SET returned_quantity = 1"),
    (
        "what banks have refunded is borne as a refund would be",
        "UPDATE entry SET kind = 'other' WHERE kind = 'dispute_kept'",
    ),
    (
        "what banks have refunded is borne as a refund would be",
        "UPDATE ledger_account SET owner = 'somebody else' WHERE kind = 'seller_payable'",
    ),
    ("banks have refunded what they say", "UPDATE entry SET key = 'dispute_lost:other' || id WHERE kind = 'dispute_lost'"),
    (
        "banks have refunded what they say",
        "UPDATE after_sales_case SET state = 'goods_returned', is_paid_by_bank = FALSE",
    ),
    ("cases ask for no more than was bought", "UPDATE order_line SET quantity = 1"),
)


@pytest.mark.full
def test_what_was_tampered_with_where_a_bank_has_paid_is_named(shop: Shop) -> None:
    shop.apples = factories.make_variant(factories.make_listing(return_policy="7d_no_reason"), price_fen=1999).code
    order, case = brought_back(shop)
    lost(shop, order.number)
    do(deciding.refund, case)
    db.session.remove()

    assert named() == set()
    assert [(check, sql) for check, sql in BY_BANK if check not in named(sql)] == []


@pytest.mark.full
def test_what_was_sent_back_on_the_provider_s_own_pages_pays_for_goods_too(shop: Shop) -> None:
    shop.apples = factories.make_variant(factories.make_listing(return_policy="7d_no_reason"), price_fen=1999).code
    _order, case = brought_back(shop)
    (paid,) = db.session.scalars(db.select(Attempt)).all()
    shop.cashier.refund(RefundRequest("", str(paid.remote_id), paid.amount), key="by hand")
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
    do(deciding.refund, case)
    row = case_of(case)
    assert row.is_paid_by_bank and row.refund_public_id is None
    db.session.remove()

    assert named() == set()
    assert named("UPDATE refund SET reason_key = 'other' || id") >= {"banks have refunded what they say"}
