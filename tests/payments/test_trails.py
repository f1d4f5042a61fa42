"""What payments and refunds leave behind for whoever asks later: every step, who took it and why."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.core.outbox import OutboxRow
from marketplace.core.transitions import EventRow
from marketplace.payments import attempts, outcomes, refunds
from marketplace.payments.gateways import Declined, OutcomeUnknown, PaymentRequest
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState
from tests.payments.conftest import RETURN, Till, booked, moved

ORDER = "SX-7F3KQ2MD"
Step = tuple[str, ...]


@pytest.fixture
def till(quick_till: Till) -> Till:
    return quick_till


def trail(subject: str) -> list[Step]:
    steps = select(EventRow.from_state, EventRow.to_state, EventRow.actor, EventRow.why)
    return [tuple(row) for row in db.session.execute(steps.where(EventRow.subject == subject).order_by(EventRow.id))]


def refund_of(till: Till) -> Refund:
    till.pay(till.start())
    till.work()
    shares = {("seller_held", "s1"): Money(3980)}
    cause = {"purpose": "order", "reference": ORDER, "reason_key": "parcel:p1", "reason": "refused"}
    asked = in_transaction(refunds.request, **cause, amount=Money(3980), shares=shares)
    return db.session.scalars(select(Refund).where(Refund.public_id == asked)).one()


def test_of_a_refund_that_nobody_confirmed_and_the_gateway_refused(till: Till) -> None:
    refund = refund_of(till)
    number, subject = refund.id, f"refund:{refund.public_id}"
    before = booked()
    in_transaction(refunds.begin_submission, refund=number)
    in_transaction(refunds.leave_unknown, refund=number)
    in_transaction(refunds.leave_unknown, refund=number)
    in_transaction(refunds.fail, refund=number, why="the card was closed")
    in_transaction(refunds.fail, refund=number, why="the card was closed")

    assert trail(subject) == [
        ("", "requested", "system", "refused"),
        ("requested", "submitting", "system", "asked"),
        ("submitting", "unknown", "system", "no answer"),
        ("unknown", "failed", "system", "the card was closed"),
    ]
    assert booked() == before | moved("refund_failed", "refund_in_transit:", "seller_held:s1")
    told = select(AuditRecord.actor, AuditRecord.subject, AuditRecord.why, AuditRecord.detail)
    assert db.session.execute(told.where(AuditRecord.action == "refund.failed")).all() == [
        ("sandbox", subject, "refused", {"fen": 3980})
    ]


def test_what_has_not_been_asked_for_does_not_become_unknown(till: Till) -> None:
    refund = refund_of(till)
    in_transaction(refunds.leave_unknown, refund=refund.id)
    in_transaction(refunds.fail, refund=refund.id, why="nobody asked")
    assert trail(f"refund:{refund.public_id}") == [("", "requested", "system", "refused")]


def test_of_money_that_is_not_what_we_asked_for(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    attempt = till.start()
    remote = till.pay(attempt)
    truth = till.cashier.find_payment(attempt)
    assert truth
    with caplog.at_level(logging.ERROR):
        in_transaction(outcomes.apply_payment, remote=replace(truth, amount=Money(1)), gateway="sandbox", why="webhook")

    told = select(AuditRecord.actor, AuditRecord.subject, AuditRecord.why)
    assert db.session.execute(told.where(AuditRecord.action == "payment.quarantined")).all() == [
        ("sandbox", f"attempt:{attempt}", f"payment {remote}")
    ]
    said = [record for record in caplog.records if record.name == "marketplace.payments.outcomes"]
    assert [record.getMessage() for record in said] == [f"payment in quarantine: {attempt}, {remote}"]


def test_a_payment_makes_way_among_the_tries_for_its_own_thing_alone(till: Till) -> None:
    """Open tries for the same thing are surplus from here on and looked after at once; nothing else is touched."""
    facts = {"gateway": "sandbox", "book": "test", "fen": 3980, "tries": 5}
    paid = Attempt(purpose="order", reference=ORDER, state=AttemptState.SUCCEEDED, **facts)
    ended = Attempt(purpose="order", reference=ORDER, state=AttemptState.FAILED, **facts)
    namesake = Attempt(purpose="contribution", reference=ORDER, state=AttemptState.CREATED, **facts)
    neighbour = Attempt(purpose="order", reference="SX-22222222", state=AttemptState.CREATED, **facts)
    db.session.add_all([paid, ended, namesake, neighbour])
    db.session.flush()
    outcomes.make_way(db.session(), paid)
    db.session.expire_all()
    others = (paid, ended, namesake, neighbour)
    assert [(one.is_surplus, one.tries) for one in others] == [(False, 5)] * 4

    paid.is_surplus = True  # the database lets one of a thing be open
    db.session.flush()
    second = Attempt(purpose="order", reference=ORDER, state=AttemptState.REQUIRES_ACTION, **facts)
    db.session.add(second)
    db.session.flush()
    outcomes.make_way(db.session(), paid)
    db.session.expire_all()
    assert (second.is_surplus, second.tries) == (True, 0)
    assert [(one.is_surplus, one.tries) for one in others[1:]] == [(False, 5)] * 3


def test_of_a_refund_that_arrived_everybody_hears_which_it_was(till: Till) -> None:
    refund = refund_of(till)
    number = refund.public_id
    till.work()
    till.work_later()

    told = select(OutboxRow.payload).where(OutboxRow.topic == "refund.succeeded")
    assert db.session.scalars(told).all() == [{"purpose": "order", "reference": ORDER, "refund": number}]


def test_of_a_payment_that_we_gave_up(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = till.start()
    attempts.submit(attempt, return_url=RETURN, description=ORDER)
    asked: list[tuple[str, str]] = []
    really = till.cashier.cancel_payment

    def cancel(remote_id: str, *, key: str) -> object:
        asked.append((remote_id, key))
        return really(remote_id, key=key)

    monkeypatch.setattr(till.cashier, "cancel_payment", cancel)
    remote = till.remote_of(attempt)
    assert attempts.cancel(attempt) is AttemptState.CANCELLED
    assert asked == [(remote, f"attempt:{attempt}:cancel")]
    assert trail(f"attempt:{attempt}")[-1] == ("requires_action", "cancelled", "sandbox", "cancelled by us")


def test_of_a_payment_that_never_reached_the_gateway(till: Till) -> None:
    attempt = till.start()
    in_transaction(attempts.begin_submission, attempt=attempt)
    assert attempts.cancel(attempt) is AttemptState.CANCELLED
    assert trail(f"attempt:{attempt}")[-2:] == [
        ("submitting", "unknown", "system", "never arrived"),
        ("unknown", "cancelled", "system", "never arrived"),
    ]


@pytest.mark.parametrize(("call", "is_known"), [("find_payment", False), ("cancel_payment", True)])
def test_whoever_asks_a_silent_gateway_is_told_about_which_payment(
    till: Till, monkeypatch: pytest.MonkeyPatch, call: str, is_known: bool
) -> None:
    attempt = till.start()
    in_transaction(attempts.begin_submission, attempt=attempt)
    if is_known:
        attempts.submit(attempt, return_url=RETURN, description=ORDER)

    def silence(*_words: object, **_named: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(till.cashier, call, silence)
    with pytest.raises(OutcomeUnknown, match=f"attempt {attempt}"):
        attempts.cancel(attempt)


def heard(topic: str) -> list[object]:
    return list(db.session.scalars(select(OutboxRow.payload).where(OutboxRow.topic == topic).order_by(OutboxRow.id)))


def test_of_money_that_came_everybody_hears_for_what_and_whether_it_could_be_used(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[object] = []

    def settle(_session: object, /, *, reference: str, amount: Money, attempt: str) -> bool:
        used.append((reference, amount, attempt))
        return till.uses_money

    monkeypatch.setitem(outcomes.on_succeeded, "order", settle)
    first, second = till.start(), till.start("SX-22222222")
    till.pay(first)
    till.work()
    till.uses_money = False
    till.pay(second)
    till.work()
    assert used == [(ORDER, Money(3980), first), ("SX-22222222", Money(3980), second)]
    told = {"purpose": "order", "reference": ORDER, "used": True}
    assert heard("payment.succeeded") == [told, told | {"reference": "SX-22222222", "used": False}]


def test_of_money_that_goes_straight_to_its_purpose(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def account(session: object, *, reference: str) -> tuple[str, str] | None:
        assert session is not None
        asked.append(reference)
        return ("restricted", "well") if reference == ORDER else None

    monkeypatch.setitem(outcomes.credited, "order", account)
    monkeypatch.setitem(outcomes.on_succeeded, "order", lambda *_session, **_facts: True)
    first, closed = till.start(), till.start("SX-22222222")
    for attempt in (first, closed):
        till.pay(attempt)
        till.work()
    assert asked == [ORDER, "SX-22222222"]
    assert booked() == moved("capture", "gateway_clearing:sandbox", "restricted:well")
    back = moved("capture", "gateway_clearing:sandbox", "buyer_clearing:") | moved("surplus", "buyer_clearing:", "suspense:")
    assert booked("SX-22222222") == back | moved("refund", "suspense:", "refund_in_transit:")


def test_of_the_first_steps_of_a_payment(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[PaymentRequest, str]] = []
    really = till.cashier.start_payment

    def start(request: PaymentRequest, *, key: str) -> object:
        asked.append((request, key))
        return really(request, key=key)

    monkeypatch.setattr(till.cashier, "start_payment", start)
    pay_by = clock.now() + timedelta(minutes=15)
    with time_machine.travel(clock.now(), tick=False):
        money, now = Money(3980), clock.now()
        attempt = in_transaction(attempts.start, purpose="order", reference=ORDER, amount=money, pay_by=pay_by)
        row = attempts.get(db.session(), attempt)
        assert (row.pay_by, row.amount, row.next_at) == (pay_by, money, now + attempts.PATIENCE)
        euros: dict[str, Any] = {"reference": "SX-22222222", "amount": Money(7, "EUR")}
        other = in_transaction(attempts.start, purpose="order", **euros)
        assert in_transaction(attempts.begin_submission, attempt=other) == ("sandbox", Money(7, "EUR"), None)
        attempts.submit(attempt, return_url=RETURN, description="two boxes", for_later=True)
    assert asked == [(PaymentRequest(attempt, money, "two boxes", RETURN, pay_by, True), f"attempt:{attempt}:create")]
    assert trail(f"attempt:{attempt}") == [
        ("", "created", "system", "started"),
        ("created", "submitting", "system", "asked"),
        ("submitting", "requires_action", "sandbox", "answer"),
    ]


@pytest.mark.parametrize(
    ("trouble", "heard_as", "last"),
    [
        (Declined("no money"), Declined, ("submitting", "failed", "system", "Declined")),
        (TimeoutError(), OutcomeUnknown, ("submitting", "unknown", "system", "no answer")),
    ],
)
def test_of_a_payment_that_the_gateway_did_not_take(
    till: Till, monkeypatch: pytest.MonkeyPatch, trouble: Exception, heard_as: type[Exception], last: Step
) -> None:
    def refuse(*_words: object, **_named: object) -> None:
        raise trouble

    monkeypatch.setattr(till.cashier, "start_payment", refuse)
    attempt = till.start()
    with pytest.raises(heard_as):
        attempts.submit(attempt, return_url=RETURN, description=ORDER)
    assert trail(f"attempt:{attempt}")[-1] == last
