"""From the draft to the bank's answer: two people, nothing twice, nothing that is not owed."""

from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.transitions import EventRow
from marketplace.ledger.models import Entry
from marketplace.orders.batches import approving, confirming, drafting, payees, tracing
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import BATCH, LINE, BatchState as B, LeftOut, LineState as L
from marketplace.payments.reconciliation import switch
from marketplace.payments.reconciliation.models import ReconciliationRun
from tests.batches.conftest import HOUSE, Finance, balance
from tests.factories import STATION
from tests.public_ledger.racing import race


def ready(finance: Finance) -> Finance:
    """Feng is owed 36.62, the station 3.18; both can be paid."""
    finance.settle(finance.feng, 3662)
    finance.settle(HOUSE, 318)
    for owner in (finance.feng, HOUSE):
        finance.payee(owner)
    return finance


def test_from_the_draft_to_the_banks_answer(finance: Finance) -> None:
    batch = ready(finance).draft()
    assert finance.paying(batch) == {finance.feng: 3662, HOUSE: 318}
    assert finance.line(batch, finance.feng).owner_name == "冯建国家"
    finance.approve(batch)
    assert finance.owed(finance.feng) == 3662
    finance.send(batch)
    assert finance.owed(finance.feng) == finance.owed(HOUSE) == 0
    assert balance("payout_in_transit") == -3980
    finance.confirm(batch, finance.feng)
    assert finance.state(batch) is B.SENT
    finance.send_back(batch, HOUSE)

    assert finance.state(batch) is B.CLOSED
    assert finance.owed(HOUSE) == 318
    assert (balance("payout_in_transit"), balance("gateway_clearing", "sandbox")) == (0, -3662)
    row = finance.batch(batch)
    assert (row.drafter_id, row.approver_id, row.way) == (finance.drafter, finance.approver, "file")
    trace = select(EventRow.to_state).where(EventRow.subject == f"settlement_batch:{batch}").order_by(EventRow.id)
    assert db.session.scalars(trace).all() == ["drafted", "approved", "sent", "closed"]
    line = finance.line(batch, finance.feng)
    keys = select(Entry.key).where(Entry.reference == batch, Entry.key.contains(line.public_id)).order_by(Entry.key)
    assert db.session.scalars(keys).all() == [f"payout:{line.public_id}", f"payout_paid:{line.public_id}"]
    audited = select(AuditRecord).where(AuditRecord.action.startswith("settlement.")).order_by(AuditRecord.id)
    one, other, about = f"person:{finance.drafter}", f"person:{finance.approver}", f"settlement_batch:{batch}"
    house, told = finance.line(batch, HOUSE).public_id, {"fen": 3980, "way": "file", "sha256": row.file_sha256}
    assert [(each.action[11:], each.actor, each.subject, each.why, each.detail) for each in db.session.scalars(audited)] == [
        ("drafted", one, about, "", {"fen": 3980}),
        ("approved", other, about, "", {"fen": 3980}),
        ("sent", one, about, "", told),
        ("confirmed", "person:1", f"settlement_line:{line.public_id}", "B-1", {"fen": 3662}),
        ("returned", "person:1", f"settlement_line:{house}", "户名不符", {"fen": 318}),
    ]


def test_a_later_payment_says_what_came_since_the_one_before(finance: Finance) -> None:
    first = ready(finance).sent()
    for owner in (finance.feng, HOUSE):
        finance.confirm(first, owner)
    finance.settle(finance.feng, 500)
    finance.refund(finance.feng, 120)
    second = finance.draft()
    session = db.session()
    carried, parts = tracing.parts_of(session, finance.line(second, finance.feng), finance.batch(second))
    assert (carried, [(part.kind, part.fen) for part in parts]) == (0, [("refund", -120), ("settle", 500)])


def test_no_bank_is_told_to_pay_while_payouts_are_closed(finance: Finance) -> None:
    batch = ready(finance).draft()
    finance.approve(batch)
    run: dict[str, Any] = {"gateway": "sandbox", "actor": "test", "is_whole": True, "is_dry": False, "ended_at": clock.now()}
    for is_red in (True, False):
        db.session.add(ReconciliationRun(**run, is_red=is_red))
        db.session.commit()
        if is_red:
            with pytest.raises(switch.PayoutsAreClosed):
                finance.send(batch)
            assert finance.state(batch) is B.APPROVED and finance.line_state(batch, finance.feng) is L.DUE
            assert finance.owed(finance.feng) == 3662 and balance("payout_in_transit") == 0
    finance.send(batch)
    assert finance.state(batch) is B.SENT


def test_nobody_approves_what_they_drafted(finance: Finance) -> None:
    batch = ready(finance).draft()
    with pytest.raises(approving.SamePerson):
        in_transaction(approving.approve, batch=batch, approver_id=finance.drafter)
    assert finance.state(batch) is B.DRAFTED
    with pytest.raises(StaleState):
        finance.send(batch)
    with pytest.raises(IntegrityError):
        db.session.execute(update(SettlementBatch).values(approver_id=finance.drafter, state=B.APPROVED))


def test_a_returned_line_is_due_again_in_the_next_batch(finance: Finance) -> None:
    first = ready(finance).sent()
    with pytest.raises(drafting.NothingToPay):
        finance.draft()
    finance.settle(finance.feng, 1000)
    with pytest.raises(drafting.NothingToPay):
        finance.draft()  # the first payment is not answered yet
    finance.send_back(first, finance.feng)
    second = finance.sent()
    assert finance.paying(second) == {finance.feng: 4662}
    finance.confirm(second, finance.feng)
    finance.confirm(first, HOUSE)
    assert finance.owed(finance.feng) == 0
    assert finance.line_state(first, finance.feng) is L.RETURNED
    assert balance("gateway_clearing", "sandbox") == -4662 - 318


def test_a_negative_balance_is_carried_and_netted(finance: Finance) -> None:
    ready(finance)
    finance.confirm(finance.sent(), finance.feng)
    finance.refund(finance.feng, 3662)
    finance.settle(finance.qiao, 500)
    finance.payee(finance.qiao)
    second = finance.draft()
    assert finance.left_out(second) == {finance.feng: LeftOut.NOTHING_OWED}
    assert finance.line(second, finance.feng).fen == -3662
    finance.settle(finance.feng, 5000)
    finance.approve(second)
    third = finance.draft()
    assert finance.paying(third) == {finance.feng: 1338}


def test_who_cannot_be_paid_is_named_with_the_reason(finance: Finance) -> None:
    for owner in (finance.feng, finance.qiao, HOUSE):
        finance.settle(owner, 100)
    finance.payee(HOUSE)
    finance.payee(finance.qiao, verified=False)
    batch = finance.draft()
    assert finance.paying(batch) == {HOUSE: 100}
    assert finance.left_out(batch) == {finance.feng: LeftOut.UNVERIFIED, finance.qiao: LeftOut.UNVERIFIED}


def test_a_frozen_payee_drops_out_and_stays_owed(finance: Finance) -> None:
    ready(finance)
    account = finance.account(finance.feng).public_id
    batch = finance.draft()
    in_transaction(payees.freeze, account=account, reason="有争议", person_id=finance.drafter)
    finance.approve(batch)
    assert finance.left_out(batch) == {finance.feng: LeftOut.FROZEN}
    finance.send(batch)
    assert finance.owed(finance.feng) == 3662 and finance.owed(HOUSE) == 0
    in_transaction(payees.release, account=account, person_id=finance.drafter)
    assert finance.paying(finance.draft()) == {finance.feng: 3662}


@pytest.mark.parametrize("when", ["before approval", "before sending"])
def test_a_refund_between_draft_and_payment_is_never_paid_out(finance: Finance, when: str) -> None:
    batch = ready(finance).draft()
    if when == "before sending":
        finance.approve(batch)
    finance.refund(finance.feng, 1)
    if when == "before approval":
        finance.approve(batch)
    finance.send(batch)
    assert finance.left_out(batch) == {finance.feng: LeftOut.SMALLER}
    assert finance.owed(finance.feng) == 3661 and balance("payout_in_transit") == -318
    assert finance.paying(finance.draft()) == {finance.feng: 3661}


def test_what_settles_meanwhile_waits_for_the_next_batch(finance: Finance) -> None:
    batch = ready(finance).draft()
    finance.settle(finance.feng, 1)
    finance.approve(batch)
    finance.send(batch)
    assert finance.owed(finance.feng) == 1


def test_a_changed_account_is_not_paid_by_an_older_draft(finance: Finance) -> None:
    batch = ready(finance).draft()
    finance.payee(finance.feng, number="6217000000009999")
    finance.approve(batch)
    assert finance.left_out(batch) == {finance.feng: LeftOut.CHANGED}
    assert finance.line(finance.draft(), finance.feng).last4 == "9999"


@pytest.mark.parametrize("when", ["at approval", "at sending"])
def test_a_batch_of_which_nothing_is_left_is_over(finance: Finance, when: str) -> None:
    batch = ready(finance).draft()
    if when == "at sending":
        finance.approve(batch)
    finance.refund(finance.feng, 3662)
    finance.refund(HOUSE, 400)
    (finance.approve if when == "at approval" else finance.send)(batch)
    assert finance.state(batch) is B.CLOSED
    assert db.session.scalar(select(func.count()).where(Entry.kind == "payout")) == 0


def test_an_answer_is_given_once(finance: Finance) -> None:
    batch = ready(finance).draft()
    with pytest.raises(confirming.NotSent):
        finance.confirm(batch, finance.feng)
    finance.approve(batch)
    finance.send(batch)
    finance.confirm(batch, finance.feng)
    for answer in (finance.confirm, finance.send_back):
        with pytest.raises(confirming.NotSent):
            answer(batch, finance.feng)
    assert balance("gateway_clearing", "sandbox") == -3662


def test_nobody_pays_a_station_that_is_not_there(finance: Finance) -> None:
    with pytest.raises(NotFound):
        in_transaction(drafting.draft, station="140430", drafter_id=finance.drafter)
    with pytest.raises(drafting.NothingToPay):
        finance.draft()


@pytest.mark.parametrize("change", ["fen = 1", "owner = 'somebody else'", "public_id = 'x'"])
def test_the_database_keeps_a_line_as_it_was_drafted(finance: Finance, change: str) -> None:
    ready(finance).draft()
    with pytest.raises(IntegrityError, match="when it is drafted"):
        db.session.connection().exec_driver_sql(f"UPDATE settlement_line SET {change}")


def test_the_database_lets_nobody_wait_for_two_payments(finance: Finance) -> None:
    line = finance.line(ready(finance).draft(), finance.feng)
    names = ("owner_kind", "owner", "owner_name", "book", "fen")
    other = SettlementBatch(station_code=STATION, book="test", gateway="sandbox", drafter_id=finance.drafter)
    db.session.add(other)
    db.session.flush()
    db.session.add(BatchLine(batch_id=other.id, **{name: getattr(line, name) for name in names}))
    with pytest.raises(IntegrityError, match=r"settlement_line|one_open_payment"):
        db.session.flush()


def test_the_tables_of_states_are_as_they_were_agreed() -> None:
    ways = [{str(here): sorted(map(str, there)) for here, there in table.items()} for table in (BATCH, LINE)]
    assert ways == [
        {"drafted": ["approved"], "approved": ["sent"], "sent": ["closed"], "closed": []},
        {"due": ["sent"], "sent": ["confirmed", "returned"], "confirmed": [], "returned": []},
    ]


def test_two_drafts_at_once_pay_nobody_twice(real_finance: Finance) -> None:
    ready(real_finance)
    refused = race([real_finance.draft] * 4)
    assert sorted(type(error).__name__ for error in refused if error) == ["NothingToPay"] * 3
    assert db.session.scalar(select(func.count()).select_from(BatchLine)) == 2


def test_two_approvals_at_once_are_one(real_finance: Finance) -> None:
    batch = ready(real_finance).draft()
    refused = race([lambda: real_finance.approve(batch)] * 4)
    assert sorted(type(error).__name__ for error in refused if error) == ["StaleState"] * 3
    refused = race([lambda: real_finance.send(batch)] * 4)
    assert sorted(type(error).__name__ for error in refused if error) == ["StaleState"] * 3
    assert balance("payout_in_transit") == -3980


def test_approved_by_the_drafter_in_two_tabs(real_finance: Finance) -> None:
    batch = ready(real_finance).draft()
    given: Any = {"batch": batch, "approver_id": real_finance.drafter}
    refused = race([lambda: in_transaction(approving.approve, **given)] * 2)
    assert [type(error) for error in refused] == [approving.SamePerson] * 2
    assert real_finance.state(batch) is B.DRAFTED


def test_a_confirmation_and_a_return_at_once_are_one(real_finance: Finance) -> None:
    real_finance.settle(real_finance.feng, 100)
    real_finance.payee(real_finance.feng)
    batch = real_finance.sent()
    line = real_finance.line(batch, real_finance.feng).public_id
    given: Any = {"batch": batch, "line": line, "actor": "person:1"}
    refused = race(
        [
            lambda: in_transaction(confirming.confirm, reference="B", **given),
            lambda: in_transaction(confirming.send_back, reason="x", **given),
        ]
        * 2
    )
    assert sorted(type(error).__name__ for error in refused if error) == ["NotSent"] * 3
    assert real_finance.state(batch) is B.CLOSED and balance("payout_in_transit") == 0
