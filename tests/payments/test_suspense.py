"""Money that is not what we asked for goes back when a person says so: all of it, once, to whoever paid."""

from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select, update

from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import inbox, outcomes, refunds, suspense
from marketplace.payments.disputes import following, netting
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.gateway_news import RemoteDispute
from marketplace.payments.gateways import PaymentRequest
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.operator import parked as looking
from marketplace.payments.operator.parked import Asked, Parked
from marketplace.payments.reconciliation import running
from marketplace.payments.states import RefundState
from tests.payments.conftest import ALLOCATED, CAPTURED, REFUNDED, Till, booked, moved
from tests.public_ledger.racing import race

PARKED = moved("suspense", "gateway_clearing:sandbox", "suspense:")
GOING_BACK = moved("refund", "suspense:", "refund_in_transit:")


def parked(till: Till) -> str:
    """3980 fen came where 3979 were asked for; returns the gateway's id of the payment."""
    attempt = till.start()
    remote = till.pay(attempt)
    db.session.execute(update(Attempt).values(fen=3979))
    db.session.commit()
    till.work()
    assert booked() == PARKED
    return remote


def send_back(payment: str) -> str:
    return in_transaction(suspense.send_back, payment=payment, actor="person:1", why="a wrong sum")


def waiting() -> list[Parked]:
    db.session.rollback()
    return list(looking.page(db.session(), Asked()).rows)


def test_all_of_it_goes_back_once(quick_till: Till) -> None:
    remote = parked(quick_till)
    assert suspense.balance(db.session(), book="test") == {"CNY": 3980}

    refund = send_back(remote)
    with pytest.raises(suspense.AlreadyGoingBack):
        send_back(remote)
    quick_till.work()
    quick_till.work_later()

    assert booked() == PARKED | GOING_BACK | REFUNDED
    row = db.session.scalars(select(Refund)).one()
    assert (row.public_id, row.state, row.fen, row.remote_payment) == (refund, RefundState.SUCCEEDED, 3980, remote)
    assert suspense.balance(db.session(), book="test") == {"CNY": 0}
    said = select(AuditRecord.actor, AuditRecord.subject, AuditRecord.why).where(AuditRecord.action == "suspense.sent_back")
    assert list(db.session.execute(said)) == [("person:1", f"refund:{refund}", "a wrong sum")]
    assert not running.reconcile(quick_till.cashier, actor="test").is_red


def test_what_did_not_arrive_may_be_sent_once_more(quick_till: Till) -> None:
    remote = parked(quick_till)
    first = send_back(remote)
    quick_till.work()
    quick_till.cashier.fail_refund(quick_till.cashier.refunds_of(remote)[0].remote_id)
    quick_till.work()
    assert suspense.balance(db.session(), book="test") == {"CNY": 3980}

    second = send_back(remote)
    quick_till.work()
    quick_till.work_later()

    states = {row.public_id: row.state for row in db.session.scalars(select(Refund))}
    assert states == {first: RefundState.FAILED, second: RefundState.SUCCEEDED}
    assert suspense.balance(db.session(), book="test") == {"CNY": 0}
    assert not running.reconcile(quick_till.cashier, actor="test").is_red


def test_what_came_too_late_and_did_not_arrive_back_is_sent_once_more(quick_till: Till) -> None:
    quick_till.uses_money = False
    remote = quick_till.pay(quick_till.start())
    quick_till.work()
    (first,) = db.session.scalars(select(Refund)).all()
    assert waiting() == []
    with pytest.raises(suspense.AlreadyGoingBack):
        send_back(remote)
    db.session.rollback()
    quick_till.cashier.fail_refund(str(first.remote_id))
    quick_till.work()
    (stranded,) = waiting()
    assert (stranded.kind, stranded.payment, stranded.refund) == ("surplus", remote, first.public_id)
    assert (stranded.fen, stranded.waits) == (3980, True)

    second = send_back(remote)
    quick_till.work()
    quick_till.work_later()

    states = {row.public_id: row.state for row in db.session.scalars(select(Refund))}
    assert states == {first.public_id: RefundState.FAILED, second: RefundState.SUCCEEDED}
    assert (waiting(), suspense.balance(db.session(), book="test")) == ([], {"CNY": 0})
    assert not running.reconcile(quick_till.cashier, actor="test").is_red


def test_what_was_asked_for_is_not_in_suspense(quick_till: Till) -> None:
    remote = quick_till.pay(quick_till.start())
    quick_till.work()
    with pytest.raises(NotFound):
        send_back(remote)
    assert db.session.scalars(select(Refund)).all() == []


def test_a_second_payment_under_one_attempt_is_found_by_its_movement_and_sent_back_whole(quick_till: Till) -> None:
    attempt = quick_till.start()
    quick_till.pay(attempt)
    quick_till.work()
    stranger = pay_twice(quick_till, attempt)
    with pytest.raises(NotFound):
        send_back(stranger)
    running.reconcile(quick_till.cashier, actor="test")
    assert booked() == CAPTURED | ALLOCATED | PARKED

    send_back(stranger)
    quick_till.work()
    quick_till.work_later()

    assert booked() == CAPTURED | ALLOCATED | PARKED | GOING_BACK | REFUNDED
    assert [refund.status for refund in quick_till.cashier.refunds_of(stranger)] == [RefundState.SUCCEEDED]
    assert not running.reconcile(quick_till.cashier, actor="test").is_red


def pay_twice(till: Till, attempt: str) -> str:
    """The cashier takes the same money for the same attempt again, by a payment of its own."""
    request = PaymentRequest(attempt, Money(3980), "SX-7F3KQ2MD", "http://127.0.0.1:8000/")
    remote = till.cashier.start_payment(request, key="another key").remote_id
    till.cashier.decide(remote, "succeeded")
    return remote


def test_money_of_the_other_book_is_left_to_people(quick_till: Till) -> None:
    attempt = quick_till.start()
    remote = quick_till.pay(attempt)
    truth = replace(quick_till.cashier.fetch_payment(remote), book="live")
    in_transaction(outcomes.apply_payment, remote=truth, gateway="sandbox", why="mistaken key")

    with pytest.raises(suspense.OfTheOtherBook):
        send_back(remote)
    with pytest.raises(NotFound):
        send_back("pay_nobody")
    assert db.session.scalars(select(Refund)).all() == []


def test_what_the_payer_has_from_the_bank_is_not_sent_as_well(quick_till: Till) -> None:
    """It was on its way when the bank took it: the refund is not sent, and the money waits for nobody."""
    remote = parked(quick_till)
    db.session.execute(update(Attempt).values(fen=3980))  # as the bank asks for it
    send_back(remote)
    taken(quick_till, remote)
    assert (states_of_refunds(), waiting()) == ([RefundState.FAILED], [])
    assert suspense.balance(db.session(), book="test") == {"CNY": 0}
    assert books.balance(db.session(), "chargeback_loss", book="test") == 0
    with pytest.raises(suspense.AlreadyGoingBack):
        send_back(remote)


def test_what_had_arrived_and_the_bank_took_too_is_lost(quick_till: Till) -> None:
    remote = parked(quick_till)
    db.session.execute(update(Attempt).values(fen=3980))
    send_back(remote)
    quick_till.work()
    quick_till.work_later()
    taken(quick_till, remote)
    assert states_of_refunds() == [RefundState.SUCCEEDED]
    assert suspense.balance(db.session(), book="test") == {"CNY": 0}
    assert books.balance(db.session(), "chargeback_loss", book="test") == 3980


def taken(till: Till, remote: str) -> None:
    """The payer's bank has taken it, and decided so, before we sent anything more."""
    attempt = db.session.scalars(select(Attempt.public_id).where(Attempt.remote_id == remote)).one()
    in_transaction(following.apply, remote=lost_dispute(attempt), gateway="sandbox", why="webhook")
    till.work()
    till.work_later()


def lost_dispute(attempt: str) -> RemoteDispute:
    facts: dict[str, Any] = {"fee": Money(0), "fee_back": Money(0), "reason": "?", "answer_by": None, "book": "test"}
    facts |= {"status": DisputeState.LOST, "raw_status": "lost", "is_withdrawn": True, "is_reinstated": False}
    return RemoteDispute("dp_1", attempt, Money(3980), **facts)


def states_of_refunds() -> list[RefundState]:
    db.session.rollback()
    return list(db.session.scalars(select(Refund.state).order_by(Refund.id)))


def test_a_refund_that_fails_and_a_bank_that_decides_at_that_moment_leave_nothing_side_by_side(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.uses_money = False
    till.pay(till.start())
    till.deliver()
    while inbox.work():
        pass
    refund = db.session.scalars(select(Refund)).one()
    assert in_transaction(refunds.begin_submission, refund=refund.id)
    attempt = db.session.scalars(select(Attempt.public_id)).one()
    has_looked, has_decided, net = Event(), Event(), netting.net

    def look(*given: Any, **named: Any) -> None:
        net(*given, **named)
        has_looked.set()
        has_decided.wait(0.5)  # the bank comes between, unless the payment's row holds it up

    def decide() -> None:
        has_looked.wait()
        in_transaction(following.apply, remote=lost_dispute(attempt), gateway="sandbox", why="webhook")
        has_decided.set()

    monkeypatch.setattr(netting, "net", look)
    assert race([partial(in_transaction, refunds.fail, refund=refund.id, why="card closed"), decide]) == [None, None]
    assert suspense.balance(db.session(), book="test") == {"CNY": 0}
    assert books.balance(db.session(), "chargeback_loss", book="test") == 0
