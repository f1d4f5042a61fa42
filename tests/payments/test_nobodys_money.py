"""Money that came twice, and that a bank gave its payer: what waits of it bears what the province lost (adr/0064)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from marketplace.auditing import checks, money
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import absent, outcomes, refunds, suspense
from marketplace.payments.disputes import following
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.gateway_news import RemoteDispute
from marketplace.payments.gateways import RemoteRefund
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.operator import parked
from marketplace.payments.states import RefundState
from tests.payments.conftest import Till
from tests.payments.euros import CLEARING, ORDER, SUSPENSE, asked, dispute, euros, paid

AUDITED = "what a bank gave back of nobody's money is borne by what waits of it"


@pytest.fixture
def till(quick_till: Till) -> Till:
    return quick_till


@pytest.mark.parametrize(("taken", "again"), [(0, 3980), (1000, 2980), (3980, 0)])
def test_what_never_arrived_is_sent_anew_but_for_what_the_bank_gave_meanwhile(till: Till, taken: int, again: int) -> None:
    attempt = paid()
    attempt.is_surplus = True
    outcomes.give_back(db.session(), attempt, CLEARING)
    refund = db.session.scalars(select(Refund)).one()
    refunds.begin_submission(db.session(), refund=refund.id)
    refunds.leave_unknown(db.session(), refund=refund.id)
    db.session.commit()
    if taken:
        dispute(attempt, taken, DisputeState.LOST)
        db.session.commit()

    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        assert absent.let_go(refund=refund.public_id, actor="operator", why="two days") is RefundState.FAILED

    sent = [("surplus", 3980, "EUR"), *([(f"surplus:{refund.public_id}", again, "EUR")] if again else [])]
    assert asked() == sent
    assert books.balance(db.session(), *SUSPENSE, book="test", commodity="EUR") == again - 3980


def bank_says(attempt: Attempt, status: DisputeState, fen: int = 3980, *, appeal: bool = False) -> None:
    """It has taken the money; `appeal`: it has given it again."""
    facts: dict[str, Any] = {"fee": euros(0), "fee_back": euros(0), "reason": "duplicate", "answer_by": None, "book": "test"}
    facts |= {"raw_status": status.value, "is_withdrawn": True, "is_reinstated": appeal, "status": status}
    remote = RemoteDispute(f"dp_{fen}", attempt.public_id, euros(fen), **facts)
    following.apply(db.session(), remote=remote, gateway="sandbox", why="webhook")
    db.session.flush()


def surplus() -> Attempt:
    """Paid twice: it is on its way back."""
    attempt = paid()
    attempt.is_surplus = True
    outcomes.give_back(db.session(), attempt, CLEARING)
    return attempt


def newest() -> Refund:
    return db.session.scalars(select(Refund).order_by(Refund.id.desc()).limit(1)).one()


def gateway_says(status: RefundState) -> None:
    row = newest()
    if row.state is RefundState.REQUESTED:
        assert refunds.begin_submission(db.session(), refund=row.id) is not None
    done = RemoteRefund(f"re_{row.id}", row.public_id, euros(row.fen), status, status.value, "test")
    outcomes.apply_refund(db.session(), remote=done, why="webhook")
    db.session.flush()


def standing_now() -> tuple[int, int, int]:
    """What waits in suspense, what the province lost, and what is on its way back."""
    kinds = ("suspense", "chargeback_loss", "refund_in_transit")
    waits, lost, away = (books.balance(db.session(), kind, book="test", commodity="EUR") for kind in kinds)
    found = [each for each in checks.run(db.session.connection(), money.GATEWAYS) if isinstance(each, checks.Difference)]
    assert found == []
    return -waits, lost, -away


def offered() -> list[int]:
    """Fen that operators are shown as waiting."""
    found = [each.fen for each in parked.page(db.session(), parked.Asked()).rows if each.waits]
    assert all(type(fen) is int for fen in found)
    return found


def send(attempt: Attempt) -> str:
    return suspense.send_back(db.session(), payment=str(attempt.remote_id), actor="person:1", why="once more")


def taken_while_it_is_on_its_way() -> Attempt:
    attempt = surplus()
    bank_says(attempt, DisputeState.NEEDS_RESPONSE)
    assert refunds.begin_submission(db.session(), refund=newest().id) is None
    bank_says(attempt, DisputeState.LOST)
    assert standing_now() == (0, 3980, 3980)
    assert refunds.begin_submission(db.session(), refund=newest().id) is None
    assert newest().state is RefundState.FAILED
    return attempt


def taken_after_it_came_back() -> Attempt:
    attempt = surplus()
    gateway_says(RefundState.FAILED)
    assert (standing_now(), offered()) == ((3980, 0, 0), [3980])
    bank_says(attempt, DisputeState.LOST)
    assert books.lines_of(db.session(), f"dispute_lost:{the_dispute()}")[SUSPENSE] == euros(3980)
    return attempt


def taken_before_it_came_back() -> Attempt:
    attempt = surplus()
    gateway_says(RefundState.SUCCEEDED)
    bank_says(attempt, DisputeState.LOST)
    assert standing_now() == (0, 3980, 0)
    gateway_says(RefundState.FAILED)
    return attempt


def taken_first() -> Attempt:
    attempt = paid(purpose="nothing that we know")
    bank_says(attempt, DisputeState.LOST)
    outcomes.give_back(db.session(), attempt, CLEARING)
    return attempt


def the_dispute() -> str:
    return db.session.scalars(select(Dispute.public_id)).one()


STORIES = (taken_while_it_is_on_its_way, taken_after_it_came_back, taken_before_it_came_back, taken_first)


@pytest.mark.parametrize("story", STORIES)
def test_what_a_bank_gave_is_borne_by_what_came_back_and_is_there_again_on_appeal(till: Till, story: Any) -> None:
    attempt = story()
    assert (standing_now(), offered()) == ((0, 0, 0), [])
    with pytest.raises(suspense.AlreadyGoingBack):
        send(attempt)

    for _twice in range(2):
        bank_says(attempt, DisputeState.WON, appeal=True)
    assert (standing_now(), newest().reason_key, newest().fen) == ((0, 0, 3980), f"surplus:{the_dispute()}", 3980)
    gateway_says(RefundState.FAILED)
    assert (standing_now(), offered()) == ((3980, 0, 0), [3980])
    send(attempt)
    assert (standing_now(), offered(), newest().fen) == ((0, 0, 3980), [], 3980)
    gateway_says(RefundState.SUCCEEDED)
    assert standing_now() == (0, 0, 0)
    with pytest.raises(suspense.AlreadyGoingBack):
        send(attempt)


def test_what_a_bank_did_not_give_is_offered_and_the_rest_after_an_appeal(till: Till) -> None:
    attempt = surplus()
    bank_says(attempt, DisputeState.LOST, 1000)
    assert refunds.begin_submission(db.session(), refund=newest().id) is None
    assert (standing_now(), offered()) == ((2980, 0, 0), [2980])
    send(attempt)
    assert (newest().fen, standing_now()) == (2980, (0, 0, 2980))
    gateway_says(RefundState.SUCCEEDED)
    bank_says(attempt, DisputeState.WON, 1000, appeal=True)
    assert (newest().fen, standing_now()) == (1000, (0, 0, 1000))
    gateway_says(RefundState.FAILED)
    assert (standing_now(), offered()) == ((1000, 0, 0), [1000])
    send(attempt)
    assert (newest().fen, standing_now()) == (1000, (0, 0, 1000))


def test_what_its_payer_has_twice_is_lost_and_nothing_is_sent_when_that_comes_again(till: Till) -> None:
    attempt = surplus()
    gateway_says(RefundState.SUCCEEDED)
    bank_says(attempt, DisputeState.LOST)
    assert standing_now() == (0, 3980, 0)
    bank_says(attempt, DisputeState.WON, appeal=True)
    assert (standing_now(), len(asked())) == ((0, 0, 0), 1)


def test_the_audit_sees_what_waits_beside_what_was_lost(till: Till) -> None:
    attempt = surplus()
    gateway_says(RefundState.SUCCEEDED)
    bank_says(attempt, DisputeState.LOST)
    shares: dict[books.Account, Money] = {SUSPENSE: euros(-10), CLEARING: euros(10)}
    books.post(db.session(), key=f"dispute_kept:{attempt.public_id}", book="test", reference=ORDER, lines=shares)
    found = [each for each in checks.run(db.session.connection(), money.GATEWAYS) if isinstance(each, checks.Difference)]
    assert [(each.check, each.words) for each in found] == [
        (AUDITED, f"of attempt {attempt.public_id} 10 fen wait in suspense, and the province lost 3980 of it")
    ]
