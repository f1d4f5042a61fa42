"""What hangs for too long is ended at the gateway where that is possible, and left to people where it is not."""

from datetime import timedelta

import time_machine
from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.payments import attempts, overdue, refunds, sweeping
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState
from tests.payments.conftest import RETURN, Till, booked, state_of

ORDER = "SX-7F3KQ2MD"


def traces() -> list[tuple[str, str]]:
    db.session.rollback()
    found = select(AuditRecord.action, AuditRecord.subject).where(AuditRecord.action.like("%.overdue"))
    return [(row.action, row.subject) for row in db.session.execute(found.order_by(AuditRecord.id))]


def test_whoever_did_not_pay_in_a_day_cannot_pay_any_more(quick_till: Till) -> None:
    attempt = quick_till.start()
    attempts.submit(attempt, return_url=RETURN, description=ORDER)
    with time_machine.travel(clock.now() + timedelta(hours=23)):
        sweeping.ask_after_attempt()
    assert state_of(attempt) is AttemptState.REQUIRES_ACTION
    with time_machine.travel(clock.now() + timedelta(hours=26)):
        sweeping.ask_after_attempt()

    assert state_of(attempt) is AttemptState.EXPIRED
    assert quick_till.cashier.decide(quick_till.remote_of(attempt), "succeeded").status is AttemptState.CANCELLED
    assert booked() == {}


def test_whoever_paid_in_the_last_moment_has_paid(quick_till: Till) -> None:
    attempt = quick_till.start()
    quick_till.pay(attempt)
    with time_machine.travel(clock.now() + timedelta(hours=26)):
        sweeping.ask_after_attempt()
    assert state_of(attempt) is AttemptState.SUCCEEDED and quick_till.told == [ORDER]


def test_what_only_people_can_look_after_is_told_once(quick_till: Till) -> None:
    paid, slow = quick_till.start(), quick_till.start("SX-SLOW")
    quick_till.pay(paid)
    quick_till.work()
    amount = Money(1000)
    refund = in_transaction(
        refunds.request,
        purpose="order",
        reference=ORDER,
        reason_key="parcel:1",
        amount=amount,
        shares={("seller_held", "s1"): amount},
        reason="refused",
    )
    db.session.execute(update(Attempt).where(Attempt.public_id == slow).values(state=AttemptState.PROCESSING))
    db.session.execute(update(Refund).values(state=RefundState.PENDING))
    db.session.commit()
    with time_machine.travel(clock.now() + timedelta(days=2)):
        assert in_transaction(overdue.report) == 0
    with time_machine.travel(clock.now() + timedelta(days=4)):
        assert in_transaction(overdue.report) == 1
    with time_machine.travel(clock.now() + timedelta(days=11)):
        assert in_transaction(overdue.report) == 1
        assert in_transaction(overdue.report) == 0
    assert traces() == [("attempt.overdue", f"attempt:{slow}"), ("refund.overdue", f"refund:{refund}")]
