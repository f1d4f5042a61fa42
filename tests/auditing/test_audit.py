"""The independent reader: silent where all is well, and naming each thing that is not."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from marketplace.auditing import audit, cli, devices, movements
from marketplace.auditing.checks import Difference
from marketplace.core import clock, sealing
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.orders import refunding
from marketplace.payments.sandbox.gateway import SandboxCashier
from tests.auditing.naming import named
from tests.auditing.test_arrivals import TAMPERING as ARRIVALS
from tests.auditing.test_beneficiaries import TAMPERING as REACHED
from tests.auditing.test_cases import BY_BANK, TAMPERING as CASES
from tests.auditing.test_editing import TAMPERING as EDITING
from tests.auditing.test_giving import TAMPERING as GIVING
from tests.auditing.test_groups import TAMPERING as GROUPS
from tests.auditing.test_imports import TAMPERING as SHEETS
from tests.auditing.test_institutions import AT_THE_BANK, OF_THE_PROVINCE, TAMPERING as INSTITUTIONS
from tests.auditing.test_matching import TAMPERING as MATCHING
from tests.auditing.test_movements import TAMPERING as MOVEMENTS
from tests.auditing.test_offline import TAMPERING as OFFLINE
from tests.auditing.test_particulars import TAMPERING as PARTICULARS
from tests.auditing.test_payouts import TAMPERING as PAYOUTS
from tests.auditing.test_plans import TAMPERING as PLANS
from tests.auditing.test_presales import TAMPERING as PRESALES
from tests.auditing.test_programs import TAMPERING as PROGRAMS
from tests.auditing.test_promotions import TAMPERING as PROMOTIONS
from tests.auditing.test_repayments import TAMPERING as REPAYMENTS
from tests.auditing.test_reports import TAMPERING as REPORTS
from tests.auditing.test_students import TAMPERING as STUDENTS
from tests.auditing.test_transfers import TAMPERING as TRANSFERS
from tests.auditing.test_waiting import TAMPERING as WAITING
from tests.auditing.test_whereabouts import TAMPERING as WHEREABOUTS
from tests.campaigns.moving.test_moving import TAMPERING as MOVED
from tests.campaigns.moving.test_whole import TAMPERING as MOVED_WHOLE
from tests.campaigns.test_banking import TAMPERING as BANKING
from tests.campaigns.test_cash import TAMPERING as TOGETHER
from tests.campaigns.test_certificates import TAMPERING as CERTIFICATES
from tests.campaigns.test_organisation_officers import TAMPERING as OFFICERS
from tests.campaigns.test_organisations import TAMPERING as ORGANISATIONS
from tests.campaigns.test_regained import TAMPERING as REGAINED
from tests.complaints.test_story import TAMPERING as COMPLAINTS
from tests.customer_reviews.test_audit import TAMPERING as FEEDBACK
from tests.factories import signed_in
from tests.invited.test_closed_list import TAMPERING as INVITED
from tests.mirrors.test_files import TAMPERING as MIRRORS
from tests.notifications.test_giving_facts import TAMPERING as TOLD_OF_GIVING
from tests.notifications.test_presale_facts import TAMPERING as TOLD_OF_PRESALES
from tests.orders.conftest import JIXIAN, Shop, parcels, post, shop
from tests.payments.test_nobodys_money import AUDITED as OF_NOBODY

__all__ = ["shop"]

FIRST_LINE = "id = (SELECT MIN(id) FROM line)"
ALLOCATION = "entry_id = (SELECT MIN(id) FROM entry WHERE kind = 'allocate')"
ONE_REFUND = "refund_public_id = (SELECT public_id FROM refund WHERE reason_key LIKE 'units:%')"
TAMPERING = {
    "trial balance": f"UPDATE line SET amount = amount + 1 WHERE {FIRST_LINE}",
    "entries balance": f"UPDATE line SET amount = amount - 1 WHERE {FIRST_LINE}",
    "lines have entries": "UPDATE line SET entry_id = 'nowhere'; UPDATE line SET entry_id = (SELECT MIN(id) FROM entry) "
    f"WHERE NOT {FIRST_LINE}",
    "entries have lines": "DELETE FROM line",
    "books do not mix": "UPDATE ledger_account SET book = 'live' WHERE kind = 'seller_held'",
    "no account is overdrawn": f"UPDATE line SET amount = -amount WHERE {ALLOCATION}",
    "nothing is left in clearing": "UPDATE entry SET reference = 'SX-OTHER' WHERE kind = 'allocate'",
    "attempts are captured once": "UPDATE attempt SET fen = fen + 1",
    "captures have attempts": "UPDATE entry SET key = 'capture:nobody' || id WHERE kind = 'capture'",
    "one payment is used": "DROP INDEX one_attempt; UPDATE attempt SET state = 'succeeded'",
    "surplus goes back": "UPDATE attempt SET is_surplus = TRUE",
    "no more goes back than came": "UPDATE refund SET fen = fen * 10",
    "refunds are booked": "UPDATE entry SET key = 'refund:other' || id WHERE kind = 'refund'",
    "refunds that arrived left the gateway": "UPDATE entry SET key = 'refund_done:other' || id WHERE kind = 'refund_done'",
    "failed refunds are owed again": "UPDATE refund SET state = 'failed'",
    "what is in transit is on its way": "UPDATE refund SET state = 'pending'",
    "clearing is what was taken less what went back": "UPDATE attempt SET state = 'failed'",
    "orders add up": "UPDATE parcel SET shipping_fen = shipping_fen + 1",
    "parcels add up": "UPDATE order_line SET unit_service_fee_fen = 0",
    "orders take what was paid": "UPDATE attempt SET reference = 'SX-OTHER' || id WHERE state = 'succeeded'",
    "paid orders are allocated": "UPDATE entry SET key = 'allocate:other' || id WHERE kind = 'allocate'",
    "allocations have paid orders": 'UPDATE "order" SET paid_at = NULL',
    "allocations follow the lines": "UPDATE order_line SET seller_public_id = 'somebody else'",
    "settled parcels moved from held to payable once": "UPDATE entry SET kind = 'other' WHERE kind = 'settle'",
    "only settled parcels are payable": "UPDATE parcel SET state = 'delivered' WHERE state = 'settled'",
    "refused parcels are refunded": "UPDATE refund SET state = 'failed' WHERE reason_key LIKE 'parcel:%'",
    "lost parcels are paid back by their station": "UPDATE refund SET state = 'failed' WHERE reason_key LIKE 'lost:%'",
    "only lost parcels are refunded as lost": "UPDATE event SET subject = 'nothing' WHERE to_state = 'lost'",
    "no more goes back out of the loss than was kept": f"UPDATE refund SET reason_key = 'loss:' || id WHERE public_id IN "
    f"(SELECT refund_public_id FROM refund_line WHERE {ONE_REFUND})",
    "refund lines add up to refunds": f"DELETE FROM refund_line WHERE {ONE_REFUND}",
    "refunds give back what their buyer bought": "UPDATE attempt SET reference = 'SX-OTHER' || id WHERE state = 'succeeded'",
    "refunded units are counted": "UPDATE order_line SET refunded_quantity = 0",
    "units go back at their price": f"UPDATE refund_line SET service_fee_fen = service_fee_fen + 1 WHERE {ONE_REFUND}",
    "shipping goes back once": f"UPDATE refund_line SET shipping_fen = shipping_fen + 601 WHERE {ONE_REFUND}",
    "nobody's share of what is left of a line is below zero": "UPDATE refund_line SET goods_fen = goods_fen + 99999",
    "refunds are borne by whose the lines are": "UPDATE order_line SET seller_public_id = 'somebody else'",
    "what is owed follows from lines less refunds": "UPDATE refund SET state = 'failed' WHERE reason_key LIKE 'units:%'",
    "nobody is owed for nothing": "UPDATE order_line SET seller_public_id = 'somebody else'",
    "stock follows its movements": "UPDATE variant SET on_hand = on_hand + 1",
    "what is held is ordered": "UPDATE \"order\" SET state = 'expired' WHERE state = 'pending_payment'",
    "what was paid was sold": "UPDATE stock_movement SET kind = 'counted' WHERE kind = 'sold'",
    "what was refused is for sale again": "UPDATE stock_movement SET kind = 'counted' WHERE kind = 'put_back'",
    "states have traces": "UPDATE event SET to_state = 'lost' WHERE to_state = 'shipped'",
    "the chains hold": "UPDATE seal SET digest = '00' WHERE number = 1",
    "the daily roots hold": "UPDATE daily_root SET last_number = last_number - 1",
    "records are as they were sealed": "UPDATE audit_record SET actor = 'somebody else'",
}
AT_THE_CASHIER = {
    "a payment we know nothing of": "UPDATE {schema}payment SET attempt = 'nobody', decided_at = NULL",
    "a payment that never was": "UPDATE {schema}payment SET status = 'failed'",
    "another sum": "UPDATE {schema}payment SET amount = amount + 1, decided_at = NULL",
    "a refund that never arrived": "UPDATE {schema}refund SET status = 'pending'",
}


@pytest.fixture
def traded(shop: Shop, real_app: Flask) -> Shop:
    """An order paid at the second try, one parcel of it settled with one of its units refunded, one refused and refunded;
    one lost; one not paid."""
    buyer, clerk, other = shop.browser(), shop.browser(), shop.browser()
    shop.fill(buyer, apples=2, millet=1)
    number = shop.order(buyer)
    shop.pay(number, "decline")
    shop.work()
    post(buyer, f"/orders/{number}/payment", {})
    shop.pay(number)
    shop.work()
    signed_in(clerk, "station_clerk", station=JIXIAN)
    first, second = parcels(number)
    for step, data in (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "A"})):
        post(clerk, f"/station/parcels/{first.public_id}/{step}", data)
    post(clerk, f"/station/parcels/{first.public_id}/dispatch", {"carrier": "邮政", "tracking_number": "123456"})
    post(buyer, f"/orders/{number}/parcels/{first.public_id}/confirmation", {})
    in_transaction(
        refunding.refund_units,
        parcel=first.public_id,
        station=JIXIAN,
        units={first.lines[0].public_id: 1},
        with_shipping=True,
        reason="坏了",
        actor="clerk",
    )
    signed_in(other, "station_clerk", station=second.station_code)
    post(other, f"/station/parcels/{second.public_id}/refusal", {"reason": "霜打坏了"})
    shop.work()
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        shop.cashier.finish_refunds()
        shop.work()
    stranger = shop.browser()
    lose_a_parcel(shop, stranger, clerk)
    shop.fill(stranger, apples=3)
    shop.order(stranger)
    with time_machine.travel(clock.now() - timedelta(days=1)):
        in_transaction(sealing.seal, chain="audit")
    in_transaction(sealing.close_days, chain="audit")
    db.session.remove()
    return shop


def lose_a_parcel(shop: Shop, buyer: FlaskClient, clerk: FlaskClient) -> None:
    (parcel,) = parcels(shop.paid_order(buyer, apples=1))
    for step, data in (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "A"})):
        post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data)
    post(clerk, f"/station/parcels/{parcel.public_id}/dispatch", {"carrier": "邮政", "tracking_number": "123456"})
    post(clerk, f"/station/parcels/{parcel.public_id}/loss", {"reason": "车翻了"})
    shop.work()


def both(shop: Shop) -> tuple[Engine, Engine]:
    return db.engine, shop.cashier.storage


def test_an_honest_shop_has_no_differences(traded: Shop) -> None:
    with db.engine.connect() as connection, traded.cashier.storage.connect() as cashier:
        found = [finding for finding in audit.findings(connection, cashier) if isinstance(finding, Difference)]
    assert found == []


def test_whatever_was_tampered_with_is_named(traded: Shop) -> None:
    engine, cashier = both(traded)

    silent = [check for check, sql in TAMPERING.items() if check not in named(engine, cashier, ours=sql)]
    assert silent == []
    silent = [what for what, sql in AT_THE_CASHIER.items() if not named(engine, cashier, theirs=sql)]
    assert silent == []
    assert named(engine, cashier) == set()


def test_every_check_is_proved(traded: Shop) -> None:
    engine, cashier = both(traded)
    with engine.connect() as connection, cashier.connect() as other:
        said = [finding for finding in audit.findings(connection, other) if isinstance(finding, str)]

    parts = {part.partition(":")[0] for part in said}
    of_pledges = {check.name for check in (*devices.DEVICES, *devices.PLEDGES)}  # proved in test_pledges.py
    ours = (*INSTITUTIONS, *AT_THE_BANK, *OF_THE_PROVINCE)
    trade = (*EDITING, *CASES, *BY_BANK, *PROMOTIONS, *GROUPS, *ours, *FEEDBACK, *COMPLAINTS)
    of_plans = {
        *TOGETHER,
        *REACHED,
        *BANKING,
        *ORGANISATIONS,
        *CERTIFICATES,
        *OFFICERS,
        *MIRRORS,
        *INVITED,
        *MOVED,
        *MOVED_WHOLE,
        *TOLD_OF_GIVING,
    } | {
        check
        for check, _sql in (
            *PARTICULARS,
            *PLANS,
            *STUDENTS,
            *MATCHING,
            *WAITING,
            *WHEREABOUTS,
            *REPAYMENTS,
            *REGAINED,
            *PRESALES,
            *trade,
        )
    }
    elsewhere = (GIVING, MOVEMENTS, PAYOUTS, TRANSFERS, PROGRAMS, ARRIVALS, OFFLINE, SHEETS, REPORTS, of_pledges, of_plans)
    others = {check for proved in (*elsewhere, TOLD_OF_PRESALES) for check in proved} | {OF_NOBODY}
    assert parts - set(TAMPERING) - others == {"the cashier and the books agree", movements.AT_THE_CASHIER}


def test_what_is_on_its_way_is_no_difference_yet(shop: Shop) -> None:
    buyer = shop.browser()
    shop.fill(buyer, apples=1)
    shop.pay(shop.order(buyer))
    engine, cashier = both(shop)
    assert named(engine, cashier) == set()

    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert named(engine, cashier) == {"the cashier and the books agree"}


def test_the_command_says_so_in_plain_words_and_exits_1(traded: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = traded.app.test_cli_runner()
    monkeypatch.setattr(cli, "PATIENCE", -1.0)
    answer = runner.invoke(args=["ledger", "audit"])
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("OK, everything agrees: 13 entries, 32 lines, 3 orders")
    assert "… trial balance" in answer.stderr

    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE variant SET on_hand = on_hand + 1"))
    answer = runner.invoke(args=["ledger", "audit"])

    assert answer.exit_code == 1
    assert "on the shelf and 3 held, the movements say" in answer.stdout
    assert "2 differences in 13 entries" in answer.stdout


def test_the_audit_writes_nothing(traded: Shop) -> None:
    with cli.snapshot(db.engine) as connection:
        if connection.dialect.name == "postgresql":
            assert connection.scalar(text("SHOW transaction_read_only")) == "on"
            assert connection.scalar(text("SHOW transaction_isolation")) == "repeatable read"


def test_sealing_by_hand_leaves_nothing_open(traded: Shop) -> None:
    in_transaction(keep_record)
    assert traded.app.test_cli_runner().invoke(args=["ledger", "seal"]).exit_code == 0
    assert in_transaction(sealing.seal, chain="audit", everything=True) == 0


def keep_record(session: object) -> None:
    db.session.add(AuditRecord(actor="a", action="b", subject="c", why="", detail={}))


def test_the_cashier_is_left_out_where_there_is_none(traded: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(traded.cashier, SandboxCashier)
    monkeypatch.setitem(traded.app.extensions["gateways"].by_name, "sandbox", None)
    assert traded.app.test_cli_runner().invoke(args=["ledger", "audit"]).exit_code == 0
