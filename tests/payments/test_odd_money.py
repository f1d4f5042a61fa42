"""Money that comes twice, late, under a wrong name or in a wrong sum: recorded always, used once, and given back."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger.models import Entry
from marketplace.payments import attempts, outcomes
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState
from tests.payments.conftest import (
    ALLOCATED,
    CAPTURED,
    REFUNDED,
    RETURN,
    SURPLUS,
    Till,
    booked,
    moved,
    state_of,
)


def test_money_nobody_can_use_goes_back_by_itself(till: Till) -> None:
    till.uses_money = False
    attempt = till.start()
    till.pay(attempt)
    till.work()
    till.work_later()

    assert till.told == []
    assert booked() == CAPTURED | SURPLUS | REFUNDED
    assert db.session.scalars(select(Refund.state)).all() == [RefundState.SUCCEEDED]


def test_a_second_payment_of_the_same_order_is_surplus(till: Till) -> None:
    first = till.start()
    till.pay(first, "failed")
    till.work()
    second = till.start()
    till.pay(second)
    till.work()
    till.cashier.decide(till.remote_of(first), "succeeded")  # an old tab
    till.work()

    assert till.told == ["SX-7F3KQ2MD"]
    surplus = db.session.scalars(select(Attempt).where(Attempt.is_surplus)).one()
    assert (surplus.public_id, surplus.state) == (first, AttemptState.SUCCEEDED)
    assert db.session.scalars(select(Refund.fen)).all() == [3980]


def test_an_old_tab_that_is_paid_first_makes_the_open_one_surplus(till: Till) -> None:
    first = till.start()
    till.pay(first, "failed")
    till.work()
    second, of_others = till.start(), till.start("SX-4MR8TW6K")
    for attempt in (second, of_others):
        attempts.submit(attempt, return_url=RETURN, description="an order")
    till.cashier.decide(till.remote_of(first), "succeeded")
    till.work()

    assert (state_of(first), state_of(second)) == (AttemptState.SUCCEEDED, AttemptState.CANCELLED)
    assert state_of(of_others) is AttemptState.REQUIRES_ACTION
    assert db.session.scalars(select(Attempt.public_id).where(Attempt.is_surplus)).all() == [second]
    assert till.told == ["SX-7F3KQ2MD"]
    assert booked() == CAPTURED | ALLOCATED
    till.cashier.decide(till.remote_of(second), "succeeded")  # too late: the cashier has closed it
    assert till.cashier.fetch_payment(till.remote_of(second)).status is AttemptState.CANCELLED


def test_the_open_one_paid_while_it_was_being_overtaken_goes_back(till: Till) -> None:
    first = till.start()
    till.pay(first, "failed")
    till.work()
    second = till.start()
    till.pay(second)
    till.cashier.decide(till.remote_of(first), "succeeded")
    truth = till.cashier.fetch_payment(till.remote_of(first))
    in_transaction(outcomes.apply_payment, remote=truth, gateway="sandbox", why="first")
    till.work()

    surplus = db.session.scalars(select(Attempt).where(Attempt.is_surplus)).one()
    assert (surplus.public_id, surplus.state) == (second, AttemptState.SUCCEEDED)
    assert till.told == ["SX-7F3KQ2MD"]
    assert db.session.scalars(select(Refund.fen)).all() == [3980]


def test_a_second_payment_under_one_attempt_is_kept_in_suspense_and_changes_nothing_else(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    till.work()
    truth = till.cashier.find_payment(attempt)
    assert truth
    stranger = replace(truth, remote_id="pay_other", amount=Money(100))
    for _time in range(2):
        in_transaction(outcomes.apply_payment, remote=stranger, gateway="sandbox", why="again")

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED | moved("suspense", "gateway_clearing:sandbox", "suspense:", 100)


def test_live_money_for_a_test_attempt_stays_in_the_live_book(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    truth = till.cashier.find_payment(attempt)
    assert truth
    in_transaction(outcomes.apply_payment, remote=replace(truth, book="live"), gateway="sandbox", why="mistaken key")

    assert state_of(attempt) is AttemptState.QUARANTINE
    assert db.session.scalars(select(Entry.book)).all() == ["live"]


def test_money_that_is_not_what_we_asked_for_waits_in_suspense(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = till.start()
    till.pay(attempt)
    db.session.execute(Attempt.__table__.update().values(fen=3981))  # type: ignore[attr-defined]
    db.session.commit()
    till.work()

    assert state_of(attempt) is AttemptState.QUARANTINE
    assert db.session.scalars(select(AuditRecord.subject).where(AuditRecord.action == "payment.quarantined")).all() == [
        f"attempt:{attempt}"
    ]
    assert till.told == []
    assert booked() == moved("suspense", "gateway_clearing:sandbox", "suspense:")
