"""Money of which a bank has taken a part, or in another currency: what is posted is exact, and in its own currency."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.money import Money
from marketplace.core.transitions import EventRow
from marketplace.ledger import books
from marketplace.orders.remaining import LineLeft, Part, shares
from marketplace.payments import attempts, outcomes, refunds
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.gateways import RefundRequest, RemoteRefund
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState
from tests.payments.conftest import Till
from tests.payments.euros import CLEARING, IN_TRANSIT, ORDER, SUSPENSE, asked, dispute, euros, paid


@pytest.fixture
def till(quick_till: Till) -> Till:
    return quick_till


def test_what_a_bank_has_taken_already_is_not_given_back_a_second_time(till: Till) -> None:
    attempt = paid()
    dispute(attempt, 1000, DisputeState.LOST)
    outcomes.give_back(db.session(), attempt, CLEARING)

    key = attempt.public_id
    assert books.lines_of(db.session(), f"surplus:{key}") == {CLEARING: euros(3980), SUSPENSE: euros(-3980)}
    kept = {SUSPENSE: euros(1000), ("chargeback_loss", ""): euros(-1000)}
    assert books.lines_of(db.session(), f"dispute_kept:{key}") == kept
    assert asked() == [("surplus", 2980, "EUR")]
    refund = db.session.scalars(select(Refund.public_id)).one()
    assert books.lines_of(db.session(), f"refund:{refund}") == {SUSPENSE: euros(2980), IN_TRANSIT: euros(-2980)}


@pytest.mark.parametrize("taken", [3980, 5000])
def test_where_a_bank_has_taken_all_nothing_goes_back(till: Till, taken: int) -> None:
    attempt = paid()
    dispute(attempt, taken, DisputeState.LOST)
    outcomes.give_back(db.session(), attempt, CLEARING)

    kept = {SUSPENSE: euros(3980), ("chargeback_loss", ""): euros(-3980)}
    assert books.lines_of(db.session(), f"dispute_kept:{attempt.public_id}") == kept
    assert asked() == []


def test_what_nobody_can_use_is_booked_even_while_a_bank_looks_at_it(till: Till) -> None:
    attempt = paid()
    dispute(attempt, 3980, DisputeState.NEEDS_RESPONSE)
    outcomes.give_back(db.session(), attempt, CLEARING)

    assert books.lines_of(db.session(), f"dispute_kept:{attempt.public_id}") == {}
    assert asked() == [("surplus", 3980, "EUR")]
    refund = db.session.scalars(select(Refund.id)).one()
    assert refunds.begin_submission(db.session(), refund=refund) is None


def test_a_refund_that_failed_goes_back_in_its_own_currency(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setitem(refunds.on_failed, "order", lambda _session, **facts: told.append(facts))
    paid()
    shares = {("seller_held", "s1"): euros(900), ("station_held", "140700"): euros(100)}
    cause = {"purpose": "order", "reference": ORDER, "reason_key": "parcel:p1", "reason": "refused"}
    refund = refunds.request(db.session(), **cause, amount=euros(1000), shares=shares)
    row = db.session.scalars(select(Refund)).one()
    refunds.begin_submission(db.session(), refund=row.id)
    refunds.fail(db.session(), refund=row.id, why="the card was closed")

    back = {IN_TRANSIT: euros(1000), ("seller_held", "s1"): euros(-900), ("station_held", "140700"): euros(-100)}
    assert books.lines_of(db.session(), f"refund_failed:{refund}") == back
    assert told == [{"reference": ORDER, "refund": refund, "amount": euros(1000)}]


def test_refunds_are_found_by_what_was_paid_for(till: Till) -> None:
    for purpose, reference in (("order", ORDER), ("contribution", ORDER), ("order", "SX-22222222")):
        outcomes.give_back(db.session(), paid(reference, purpose=purpose), CLEARING)
    found = refunds.of(db.session(), purpose="order", reference=ORDER)
    assert [(refund.fen, db.session.get_one(Attempt, refund.attempt_id).purpose) for refund in found] == [(3980, "order")]
    assert refunds.of(db.session(), purpose="presale", reference=ORDER) == []


def test_a_balance_is_of_one_book_and_of_one_currency(till: Till) -> None:
    for number, (book, amount) in enumerate((("test", Money(5)), ("test", euros(7)), ("live", Money(11)))):
        lines = {("gateway_clearing", "sandbox"): amount, CLEARING: -amount}
        books.post(db.session(), key=f"capture:{number}", book=book, reference=ORDER, lines=lines)

    def balance(**which: str) -> int:
        return books.balance(db.session(), "gateway_clearing", "sandbox", **which)

    assert [balance(book="test"), balance(book="test", commodity="EUR"), balance(book="live")] == [5, 7, 11]
    assert balance(book="live", commodity="EUR") == 0
    assert books.balance(db.session(), "gateway_clearing", "stripe", book="test") == 0


def test_a_lost_payment_is_looked_for_from_its_beginning_on(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_since: list[datetime] = []
    attempt = till.start()

    def find(_attempt: str, *, since: datetime) -> None:
        asked_since.append(since)

    monkeypatch.setattr(till.cashier, "find_payment", find)
    in_transaction(attempts.begin_submission, attempt=attempt)
    attempts.cancel(attempt)
    assert asked_since == [db.session.scalars(select(Attempt.created_at)).one()]


CAUSE = {"purpose": "order", "reference": ORDER, "reason_key": "parcel:p1", "reason": "refused"}
HELD: books.Account = ("seller_held", "s1")


def ask(fen: int = 1000, **cause: str) -> str:
    return refunds.request(db.session(), **(CAUSE | cause), amount=euros(fen), shares={HELD: euros(fen)})


def row_of(refund: str) -> Refund:
    return db.session.scalars(select(Refund).where(Refund.public_id == refund)).one()


def test_only_what_paid_for_it_gives_it_back(till: Till) -> None:
    paid(purpose="contribution")
    paid("SX-22222222")
    surplus = paid()
    surplus.is_surplus = True
    db.session.flush()
    with pytest.raises(NotFound, match=ORDER):
        ask()
    assert asked() == []
    paid_for = paid(remote_id="pay_mine")
    assert row_of(ask()).attempt_id == paid_for.id


def test_one_cause_is_refunded_once_for_each_payment(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setitem(refunds.on_requested, "order", lambda session, *, reference: told.append((session, reference)))
    paid()
    paid("SX-22222222")
    first, again, other = ask(), ask(), ask(reference="SX-22222222")
    assert first == again != other
    assert told == [(db.session(), ORDER), (db.session(), "SX-22222222")]
    assert [(row_of(each).fen, row_of(each).currency) for each in (first, other)] == [(1000, "EUR")] * 2
    with pytest.raises(refunds.RefundTooLarge):
        ask(2981, reason_key="parcel:p2")


def test_a_refund_is_asked_for_in_full_once_and_looked_for_after_a_day(till: Till) -> None:
    paid()
    refund = row_of(ask())
    refund.created_at = clock.now() - timedelta(days=3)  # nobody came to ask yet: the key ages from its first use
    db.session.flush()
    request = RefundRequest(refund.public_id, f"pay_order_{ORDER}", euros(1000))
    for _again in range(2):
        assert refunds.begin_submission(db.session(), refund=refund.id) == refunds.Submission("sandbox", request, True)
    asked_at = refund.first_asked_at
    assert asked_at and clock.now() - asked_at < timedelta(minutes=1)
    with time_machine.travel(asked_at + timedelta(hours=23), tick=False):
        assert refunds.begin_submission(db.session(), refund=refund.id) == refunds.Submission("sandbox", request, False)
    with time_machine.travel(asked_at + timedelta(hours=22, minutes=59), tick=False):
        assert refunds.begin_submission(db.session(), refund=refund.id) == refunds.Submission("sandbox", request, True)
    refunds.fail(db.session(), refund=refund.id, why="the card was closed")
    assert refunds.begin_submission(db.session(), refund=refund.id) is None


def test_what_a_bank_took_meanwhile_is_not_sent_as_well(till: Till) -> None:
    attempt = paid()
    refund = row_of(ask(3000))
    dispute(attempt, 1000, DisputeState.LOST)
    assert refunds.begin_submission(db.session(), refund=refund.id) is None

    steps = select(EventRow.to_state, EventRow.actor, EventRow.why).where(EventRow.subject == f"refund:{refund.public_id}")
    assert db.session.execute(steps.order_by(EventRow.id)).all() == [
        ("requested", "system", "refused"),
        ("submitting", "system", "asked"),
        ("failed", "system", "the payer has it from the bank"),
    ]


def test_a_refund_is_done_in_its_own_currency_only(till: Till) -> None:
    paid()
    refund = ask()
    refunds.begin_submission(db.session(), refund=row_of(refund).id)
    done = RemoteRefund("re_1", refund, euros(1000), RefundState.SUCCEEDED, "succeeded", "test")
    for wrong in (replace(done, amount=Money(1000)), replace(done, amount=euros(1001)), replace(done, book="live")):
        with pytest.raises(ValueError, match=refund):
            outcomes.apply_refund(db.session(), remote=wrong, why="webhook")
    with pytest.raises(outcomes.Unmatched, match="re_1"):
        outcomes.apply_refund(db.session(), remote=replace(done, refund="somebody's"), why="webhook")
    outcomes.apply_refund(db.session(), remote=done, why="webhook")
    sent = {IN_TRANSIT: euros(1000), ("gateway_clearing", "sandbox"): euros(-1000)}
    assert books.lines_of(db.session(), f"refund_done:{refund}") == sent


def test_a_seller_s_share_of_several_lines_is_one_sum() -> None:
    words: dict[str, Any] = dict.fromkeys(("public_id", "title_zh", "title_en", "unit_zh", "unit_en"), "x")
    none: dict[str, Any] = dict.fromkeys(("shipping_fen", "shipping_back_fen", "units_with_shipping_back"), 0)
    figures: dict[str, Any] = {"unit_price_fen": 500, "unit_service_fee_fen": 40, "quantity": 9, "refunded_quantity": 0}
    line = LineLeft(id=1, parcel_id=1, seller="s1", **words, **figures, **none)
    theirs = Part(replace(line, seller="s2"), 1, 7, 1, 0, True)
    found = shares([Part(line, 1, 500, 40, 100, True), Part(line, 2, 1000, 80, 0, True), theirs], "140700")
    assert found == {HELD: 460 + 920, ("seller_held", "s2"): 6, ("station_held", "140700"): 140 + 80 + 1}
