"""The independent reader of orders on account: silent where all is well, naming what is not."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import refunding, undelivered
from marketplace.orders.institutions import bank_transfers, checking
from marketplace.payments.by_bank import recording
from tests import factories
from tests.auditing.naming import named
from tests.institutions.conftest import Canteen, build_canteen, send
from tests.institutions.test_appeals import refuse
from tests.orders.conftest import build_shop, parcels
from tests.orders.promotions.promoting import promotion

PAID = "(SELECT id FROM account_statement WHERE state = 'paid')"
UNPAID = """(SELECT number FROM "order" WHERE state = 'placed_on_account')"""
TAMPERING = (
    ("institutions owe what they ordered and did not pay", "UPDATE institution SET outstanding_fen = outstanding_fen + 1"),
    ("statements ask for what was ordered less credits", "DELETE FROM bill_credit"),
    ("orders on account fitted the limit", "UPDATE account_order SET outstanding_fen = 0"),
    ("orders on account fitted the limit", "UPDATE audit_record SET action = 'x' WHERE action = 'institution.terms'"),
    (
        "what is on account has an account",
        "UPDATE event SET to_state = 'pending_payment' WHERE to_state = 'placed_on_account'",
    ),
    (
        "nothing of an unpaid order is owed to anybody",
        f"UPDATE entry SET key = 'allocate:' || {UNPAID} WHERE kind = 'allocate' AND id = (SELECT MIN(id) FROM entry "
        "WHERE kind = 'allocate')",
    ),
    ("only what is on account is credited", "DELETE FROM account_order"),
    ("statements add up", "UPDATE account_statement SET total_fen = total_fen + 1"),
    ("statements add up", "UPDATE statement_line SET fen = fen + 1"),
    ("statements ask for what was ordered less credits", "UPDATE account_statement SET credited_fen = 1"),
    ("statements ask for what was ordered less credits", "UPDATE bill_credit SET goods_fen = goods_fen - 1"),
    (
        "statements have the orders of their institution",
        f"UPDATE account_order SET statement_id = NULL WHERE statement_id = {PAID}",
    ),
    ("statements are paid by one payment", "UPDATE attempt SET reference = 'ST-22222222' WHERE purpose = 'statement'"),
    ("orders on account are paid with their statement", f'UPDATE "order" SET paid_at = placed_at WHERE number = {UNPAID}'),
    ("growers of a lost parcel on account are paid by its station", "UPDATE entry SET key = 'x' WHERE kind = 'bill_lost'"),
    ("checks are about parcels on account that arrived", "UPDATE parcel SET delivered_at = NULL"),
    ("paid orders are allocated", "UPDATE bill_credit SET goods_fen = goods_fen - 1"),
    ("allocations follow the lines", "UPDATE bill_credit SET goods_fen = goods_fen - 1"),
    ("refunded units are counted", "UPDATE bill_credit SET quantity = quantity + 1"),
    ("the province keeps its part of what was credited", "UPDATE bill_credit SET platform_discount_fen = 0"),
    (
        "the province keeps its part of what was credited",
        "UPDATE line SET amount = amount - 1 WHERE account_id = (SELECT id FROM ledger_account "
        "WHERE kind = 'operating_grant') AND entry_id = (SELECT id FROM entry WHERE kind = 'allocate')",
    ),
    (
        "no more of a discount goes back than there was",
        "UPDATE bill_credit SET platform_discount_fen = platform_discount_fen + 500 WHERE platform_discount_fen > 0",
    ),
    ("nobody uses a promotion more often than they may", "UPDATE promotion SET uses_each = 1"),
    ("discounts follow what became of their orders", "UPDATE promotion_use SET state = 'returned' WHERE state = 'reserved'"),
    (
        "growers of a lost parcel on account are paid by its station",
        "UPDATE bill_credit SET seller_discount_fen = seller_discount_fen + 1 WHERE reason_key LIKE 'lost:%'",
    ),
    ("states have traces", "UPDATE institution SET state = 'paused'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'account_statement:%'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'goods_check:%'"),
)


AT_THE_BANK = (
    ("bank transfers have four eyes", "UPDATE audit_record SET actor = 'x' WHERE action = 'bank_transfer.confirmed'"),
    ("bank transfers that came are payments", "UPDATE bank_transfer SET fen = fen + 1 WHERE way = 'in'"),
    ("bank transfers that came are payments", "UPDATE bank_transfer SET state = 'withdrawn' WHERE way = 'in'"),
    ("bank transfers that came are payments", "DELETE FROM bank_transfer WHERE way = 'in'"),
    ("refunds by bank were sent by people", "UPDATE bank_transfer SET fen = fen - 1 WHERE way = 'out'"),
    ("refunds by bank were sent by people", "DELETE FROM bank_transfer WHERE way = 'out'"),
    ("refunds by bank were sent by people", "UPDATE refund SET remote_id = 'x'"),
    ("statements are paid by one payment", "UPDATE attempt SET is_surplus = TRUE WHERE gateway = 'bank'"),
    ("attempts are captured once", "UPDATE entry SET key = 'x' WHERE kind = 'capture'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'bank_transfer:%'"),
)

ASKED = "what the province was asked about a check, and its answer, stand in the journal"
OFF = "what comes off for a check was agreed to by its station or granted by the province"
OF_THE_PROVINCE = (
    (ASKED, "UPDATE goods_check SET appeal_is_granted = NOT appeal_is_granted WHERE appeal_is_granted"),
    (ASKED, "UPDATE goods_check SET appeal_is_granted = NOT appeal_is_granted WHERE NOT appeal_is_granted"),
    (ASKED, "UPDATE goods_check SET appeal_is_granted = NULL, appeal_answered_at = NULL"),
    (ASKED, "UPDATE goods_check SET appeal_is_granted = NULL, appeal_answered_at = NULL, appealed_at = NULL"),
    (ASKED, "UPDATE goods_check SET appeal_words = 'x'"),
    (ASKED, "UPDATE goods_check SET appeal_answer = 'x'"),
    (ASKED, "DELETE FROM audit_record WHERE action = 'goods_check.appealed'"),
    (ASKED, "DELETE FROM audit_record WHERE action = 'goods_check.upheld'"),
    (ASKED, "UPDATE audit_record SET subject = 'x' WHERE action = 'goods_check.granted'"),
    (OFF, "UPDATE goods_check SET appeal_is_granted = FALSE WHERE parcel_id IN (SELECT parcel_id FROM order_line l "
     "JOIN bill_credit b ON b.order_line_id = l.id)"),
    (OFF, "UPDATE goods_check SET appeal_is_granted = FALSE WHERE parcel_id IN (SELECT parcel_id FROM order_line l "
     "JOIN refund_line d ON d.order_line_id = l.id)"),
    (OFF, "UPDATE bill_credit SET reason_key = 'check:x:0'"),
    (OFF, "UPDATE refund SET reason_key = 'check:' || (SELECT public_id FROM goods_check WHERE NOT appeal_is_granted)"),
    ("what a station agreed to or the province granted came off", "DELETE FROM bill_credit"),
    ("what a station agreed to or the province granted came off", "DELETE FROM refund_line"),
)  # fmt: skip


@pytest.fixture
def canteen(real_app: Flask) -> Iterator[Canteen]:
    shop = build_shop(real_app)
    yield build_canteen(shop)
    shop.cashier.storage.dispose()


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(canteen: Canteen) -> None:
    """One order paid after a credit, one lost, one that waits, each with something off."""
    promotion(platform_bps=5000, uses_each=None)
    paid = canteen.order("XINQIU", apples=3)
    canteen.deliver(paid)
    (parcel,) = parcels(paid)
    check = canteen.check(parcel.public_id, {parcel.lines[0].public_id: checking.Claim(1, None, "missing")})
    given: dict[str, Any] = {"check": check, "station": None, "agrees": True, "why": "", "actor": "test"}
    in_transaction(checking.answer, **given)
    canteen.pay(canteen.bill().public_id)
    lost = parcels(canteen.order("XINQIU", apples=2))[0].public_id
    send(lost)
    in_transaction(undelivered.lose, parcel=lost, station=None, actor="test", reason="车翻了")
    canteen.order("XINQIU", millet=1)
    cashier = canteen.shop.cashier.storage
    db.session.remove()

    assert named(db.engine, cashier) == set()
    found = {(check, tampering): check in named(db.engine, cashier, ours=tampering) for check, tampering in TAMPERING}
    assert [which for which, is_named in found.items() if not is_named] == []


@pytest.mark.full
def test_whatever_was_tampered_with_at_the_bank_is_named(canteen: Canteen) -> None:
    number = canteen.order(apples=3)
    canteen.deliver(number)
    canteen.accept_all(number)
    statement = canteen.bill()
    due: dict[str, Any] = {"statement": statement.public_id, "fen": statement.due_fen, "number": "N1"}
    people = [factories.make_person("finance_operator").id for _each in range(2)]
    when = clock.today()
    came = in_transaction(bank_transfers.record, institution=canteen.public_id, **due, on=when, person_id=people[0])
    in_transaction(bank_transfers.confirm, transfer=came, person_id=people[1])
    (parcel,) = parcels(number)
    units: dict[str, Any] = {"units": {parcel.lines[0].public_id: 1}, "with_shipping": False, "reason": "坏了"}
    given: dict[str, Any] = {"parcel": parcel.public_id, "station": None, "actor": "clerk"}
    refund = in_transaction(refunding.refund_units, **given, **units)
    back = in_transaction(recording.record_refund, refund=refund, number="N1", on=when, person_id=people[1])
    in_transaction(bank_transfers.confirm, transfer=back, person_id=people[0])
    cashier = canteen.shop.cashier.storage
    db.session.remove()

    assert named(db.engine, cashier) == set()
    assert [(check, sql) for check, sql in AT_THE_BANK if check not in named(db.engine, cashier, ours=sql)] == []


@pytest.mark.full
def test_whatever_was_tampered_with_of_the_provinces_answers_is_named(canteen: Canteen) -> None:
    """One granted after it was paid, one granted on the bill, one not granted."""
    paid = refuse(canteen)
    paid.ask()
    canteen.pay(canteen.bill().public_id)
    billed, upheld = refuse(canteen), refuse(canteen)
    for asked in (billed, upheld):
        asked.ask()
    for asked in (paid, billed, upheld):
        asked.decide(grants=asked is not upheld)
    canteen.shop.work()
    cashier = canteen.shop.cashier.storage
    db.session.remove()

    assert named(db.engine, cashier) == set()
    assert [(check, sql) for check, sql in OF_THE_PROVINCE if check not in named(db.engine, cashier, ours=sql)] == []
