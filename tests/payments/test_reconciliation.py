"""The gateway's movements beside our books: what was lost is fetched, what differs is named, and the balance is proven."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import reconciliation, refunds, sweeping
from marketplace.payments.gateways import PaymentRequest, RefundRequest
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.reconciliation import fees, rehearsing, rounds, running, switch
from marketplace.payments.reconciliation.models import GatewayMovement, ReconciliationRun
from marketplace.payments.reconciliation.proof import Standing
from marketplace.payments.reconciliation.states import Verdict
from marketplace.payments.sandbox import storage
from marketplace.payments.states import AttemptState
from tests.payments.conftest import ALLOCATED, CAPTURED, Till, booked, state_of

ORDER = "SX-7F3KQ2MD"
FEE = 24  # 0.6 % of 3980 fen


def reconcile(till: Till, **how: Any) -> Standing:
    db.session.rollback()
    return running.reconcile(till.cashier, actor="test", **how)


def paid(till: Till, **given: Any) -> str:
    """An order that was paid and of which the webhook came."""
    attempt = till.start(**given)
    till.pay(attempt)
    till.work()
    return attempt


def clearing() -> int:
    db.session.rollback()
    return books.balance(db.session(), "gateway_clearing", "sandbox", book="test")


def movements() -> list[GatewayMovement]:
    db.session.rollback()
    return list(db.session.scalars(select(GatewayMovement).order_by(GatewayMovement.id)))


def request_refund(fen: int, key: str = "parcel:1") -> str:
    share: dict[books.Account, Money] = {("seller_held", "s1"): Money(fen)}
    asked: dict[str, Any] = {"purpose": "order", "reference": ORDER, "reason_key": key, "amount": Money(fen)}
    return in_transaction(refunds.request, **asked, shares=share, reason="refused")


def spend(fen: int, key: str = "disburse_paid:d1") -> None:
    """Money that the bank has paid."""
    lines: dict[books.Account, Money] = {("seller_held", "s1"): Money(fen), ("gateway_clearing", "sandbox"): Money(-fen)}
    in_transaction(books.post, key=key, book="test", reference="c1", lines=lines)


def test_a_payment_is_matched_and_its_fee_booked_once(till: Till) -> None:
    attempt = paid(till)

    first, second = reconcile(till), reconcile(till, whole=True)

    (movement,) = movements()
    assert (movement.verdict, movement.matched_entry) == (Verdict.MATCHED, f"capture:{attempt}")
    assert booked(attempt) == {("gwfee", "gateway_fee:test"): FEE, ("gwfee", "gateway_clearing:sandbox"): -FEE}
    assert booked() == CAPTURED | ALLOCATED
    assert not first.is_red and not second.is_red
    assert first.counts == second.counts == {"matched": 1}
    proof = second.proofs["CNY"]
    assert (proof.balance, proof.movements, proof.books, proof.unexplained) == (3956, 3956, 3956, 0)


def test_a_webhook_that_was_lost_for_good_is_made_up_for(till: Till) -> None:
    attempt = till.start()
    till.pay(attempt)
    with till.cashier.writing() as connection:
        connection.execute(storage.webhook.delete())

    standing = reconcile(till)

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED
    assert till.told == [ORDER]
    assert standing.counts == {"matched": 1} and not standing.is_red


def test_events_that_never_came_wait_in_the_inbox(quick_till: Till) -> None:
    """Nobody paid, so that no movement tells of it: the event alone does."""
    attempt = quick_till.start()
    quick_till.pay(attempt, "failed")
    with quick_till.cashier.writing() as connection:
        connection.execute(update(storage.webhook).values(is_delivered=True))

    reconcile(quick_till)
    quick_till.work()
    quick_till.cashier.decide(quick_till.remote_of(attempt), "succeeded")
    quick_till.work()
    reconcile(quick_till)

    assert state_of(attempt) is AttemptState.SUCCEEDED and quick_till.told == [ORDER]


def test_a_dry_run_finds_and_changes_nothing(quick_till: Till) -> None:
    attempt = quick_till.start()
    quick_till.pay(attempt)

    standing = rehearsing.rehearse(quick_till.cashier, actor="test")

    assert standing.counts == {"waiting": 1}
    assert standing.proofs["CNY"].waiting == 3980 and standing.proofs["CNY"].unexplained == 0
    assert movements() == [] and booked() == {} and booked(attempt) == {}
    assert state_of(attempt) is AttemptState.REQUIRES_ACTION
    with time_machine.travel(clock.now() + timedelta(hours=3)):
        assert rehearsing.rehearse(quick_till.cashier, actor="test").is_red
    (first, _second) = db.session.scalars(select(ReconciliationRun).order_by(ReconciliationRun.id)).all()
    assert (first.is_dry, first.is_red, first.counts["waiting"]) == (True, False, 1)
    assert reconciliation.payouts_are_open(db.session())


def test_a_dry_run_and_a_real_one_agree(quick_till: Till) -> None:
    paid(quick_till)
    request_refund(1000)
    quick_till.work()
    rehearsed = rehearsing.rehearse(quick_till.cashier, actor="test", whole=True)
    assert reconcile(quick_till, whole=True) == rehearsed


def test_a_refund_on_its_way_is_explained_and_then_matched(quick_till: Till) -> None:
    paid(quick_till)
    refund = request_refund(1000)
    sweeping.send_refund()
    on_its_way = reconcile(quick_till)
    assert on_its_way.counts == {"matched": 1, "waiting": 1} and not on_its_way.is_red
    assert on_its_way.proofs["CNY"].waiting == -1000
    quick_till.work_later()

    with time_machine.travel(clock.now() + timedelta(minutes=10)):
        done = reconcile(quick_till)
    assert done.counts == {"matched": 2} and not done.is_red
    assert [movement.matched_entry for movement in movements()][1] == f"refund_done:{refund}"
    assert clearing() == 3980 - FEE - 1000 == quick_till.cashier.balance()["CNY"]


@pytest.mark.parametrize("first_done", [True, False])
def test_a_refund_that_fails_is_matched_there_and_back(quick_till: Till, first_done: bool) -> None:
    paid(quick_till)
    refund = request_refund(1000)
    sweeping.send_refund()
    if first_done:
        quick_till.work_later()
        reconcile(quick_till)
    db.session.rollback()
    remote = db.session.scalars(select(Refund.remote_id)).one()
    assert remote
    quick_till.cashier.fail_refund(remote)

    standing = reconcile(quick_till)

    assert standing.counts == {"matched": 3} and not standing.is_red
    keys = [movement.matched_entry for movement in movements()[1:]]
    assert keys == [f"refund_done:{refund}" if first_done else f"refund_failed:{refund}", f"refund_failed:{refund}"]
    assert clearing() == 3980 - FEE == quick_till.cashier.balance()["CNY"]

    with quick_till.cashier.writing() as connection:  # of what came back a fen is missing
        half = storage.movement.c.type == "refund_failure"
        connection.execute(update(storage.movement).where(half).values(gross=999))
    with time_machine.travel(clock.now() + timedelta(hours=3), tick=False):
        standing = reconcile(quick_till)
    assert standing.is_red and movements()[-1].verdict is (Verdict.DIFFERS if first_done else Verdict.UNEXPLAINED)


def test_money_that_the_bank_paid_leaves_the_gateway_once(till: Till) -> None:
    paid(till)
    spend(1500)

    standing, again = reconcile(till), reconcile(till)

    assert standing.counts == again.counts == {"matched": 2} and not again.is_red
    assert [(each.type, each.gross) for each in till.cashier.movements(running.BEGINNING)][1] == ("payout", -1500)
    assert clearing() == 3980 - FEE - 1500 == till.cashier.balance()["CNY"]


def test_what_only_the_books_have_is_missing_after_two_hours_and_closes_payouts(quick_till: Till) -> None:
    paid(quick_till)
    reconcile(quick_till)
    lines: dict[books.Account, Money] = {("gateway_clearing", "sandbox"): Money(77), ("suspense", ""): Money(-77)}
    in_transaction(books.post, key="suspense:pay_nobody", book="test", reference="?", lines=lines)

    fresh = reconcile(quick_till)
    assert not fresh.is_red and fresh.proofs["CNY"].on_the_way == 77
    with time_machine.travel(clock.now() + timedelta(hours=3)):
        late = reconcile(quick_till)

    assert late.is_red and late.missing == 1 and late.proofs["CNY"].unexplained == -77
    assert not reconciliation.payouts_are_open(db.session())
    assert fresh.proofs["CNY"].gap == late.proofs["CNY"].gap == 0


def test_what_nobody_knows_is_named_and_changes_nothing(quick_till: Till) -> None:
    paid(quick_till)
    with quick_till.cashier.writing() as connection:
        row = {"type": "adjustment", "source": "x", "ours": "", "gross": -5, "fee": 0, "currency": "CNY", "at": clock.now()}
        connection.execute(storage.movement.insert().values(id="txn_odd", **row))

    standing = reconcile(quick_till)

    odd = movements()[1]
    assert (odd.verdict, odd.note) == (Verdict.UNEXPLAINED, "adjustment is no type that we know")
    assert standing.is_red and standing.proofs["CNY"].unexplained == -5
    assert clearing() == 3980 - FEE
    assert not reconciliation.payouts_are_open(db.session())


def test_what_somebody_did_by_hand_at_the_provider_is_left_to_people(quick_till: Till) -> None:
    """A payment of no attempt, and a refund that we have not asked for."""
    paid(quick_till)
    remote = quick_till.remote_of(paid_attempt())
    odd = PaymentRequest("nobody", Money(500), "by hand", "http://127.0.0.1:8000/")
    quick_till.cashier.decide(quick_till.cashier.start_payment(odd, key="by hand").remote_id, "succeeded")
    quick_till.cashier.refund(RefundRequest("nobody", remote, Money(200)), key="by hand too")
    booked_before = clearing()

    standing = reconcile(quick_till)

    assert [(each.verdict, each.note) for each in movements()[1:]] == [
        (Verdict.UNEXPLAINED, "no attempt of ours"),
        (Verdict.UNEXPLAINED, "no refund of ours"),
    ]
    assert standing.is_red and standing.proofs["CNY"].unexplained == 500 - 200
    assert clearing() == booked_before - FEE - 3  # what the provider kept is gone, whoever it was for


def paid_attempt() -> str:
    return db.session.scalars(select(Attempt.public_id)).one()


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"gross": 3981}, "3981 CNY there, 3980 in the books"),
        ({"currency": "USD"}, "3980 USD there, 0 in the books"),
        ({"fee": 25}, "fee 25 there, 24 in the books"),
    ],
)
def test_another_sum_currency_or_fee_is_a_difference(quick_till: Till, change: dict[str, Any], note: str) -> None:
    paid(quick_till)
    reconcile(quick_till)
    with quick_till.cashier.writing() as connection:
        connection.execute(update(storage.movement).values(**change))

    standing = reconcile(quick_till)

    (movement,) = movements()
    assert (movement.verdict, movement.note) == (Verdict.DIFFERS, note)
    assert standing.is_red


def test_a_balance_that_its_movements_do_not_explain_is_red(quick_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(quick_till)
    held = quick_till.cashier.balance()
    monkeypatch.setattr(quick_till.cashier, "balance", lambda: {"CNY": held["CNY"] - 1})

    standing = reconcile(quick_till)

    assert standing.is_red and (standing.proofs["CNY"].gap, standing.proofs["CNY"].unexplained) == (-1, 0)


def test_a_payment_while_the_balance_is_read_is_no_difference(quick_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(quick_till)
    honest = quick_till.cashier.balance

    def balance() -> dict[str, int]:
        held = honest()
        quick_till.pay(quick_till.start(reference="SX-LATE"))
        return held

    monkeypatch.setattr(quick_till.cashier, "balance", balance)

    standing = reconcile(quick_till)

    assert not standing.is_red and standing.counts == {"matched": 2}
    assert standing.proofs["CNY"].movements == standing.proofs["CNY"].books == 2 * (3980 - FEE)


def test_switched_off_the_worker_does_nothing_until_it_is_on_again(quick_till: Till) -> None:
    paid(quick_till)
    turns = rounds.Rounds()
    turns.due = 0
    in_transaction(switch.turn, on=False, actor="person:1", why="the gateway is moving house")
    turns()
    assert db.session.scalar(select(func.count()).select_from(ReconciliationRun)) == 0
    with pytest.raises(StaleState):
        in_transaction(switch.turn, on=False, actor="person:1", why="once more")
    in_transaction(switch.turn, on=True, actor="person:2", why="it has moved")
    turns.due = 0

    turns()

    db.session.rollback()
    (run,) = db.session.scalars(select(ReconciliationRun)).all()
    assert (run.actor, run.is_red) == ("worker", False)
    switched = select(AuditRecord.actor, AuditRecord.why).where(AuditRecord.action == "reconciliation.switched")
    assert list(db.session.execute(switched.order_by(AuditRecord.id))) == [
        ("person:1", "the gateway is moving house"),
        ("person:2", "it has moved"),
    ]


def test_every_ten_minutes_the_new_and_every_night_all(quick_till: Till) -> None:
    night = clock.start_of(date(2030, 3, 1)) + timedelta(hours=1)
    turns = rounds.Rounds()
    runs = []
    for minutes in (0, 5, 11, 61, 72, 24 * 60):
        with time_machine.travel(night + timedelta(minutes=minutes), tick=False):
            turns.due = 0
            turns()
            db.session.rollback()
            runs.append(
                [run.is_whole for run in db.session.scalars(select(ReconciliationRun).order_by(ReconciliationRun.id))]
            )
    assert runs[-1] == [False, False, True, False, False]
    assert [len(some) for some in runs] == [1, 1, 2, 3, 4, 5]


def test_the_grant_covers_a_month_that_is_over_once(quick_till: Till) -> None:
    month = clock.today()
    paid(quick_till)
    reconcile(quick_till)
    with pytest.raises(fees.MonthNotOver):
        in_transaction(fees.cover, month=month, book="test", actor="person:1")
    with time_machine.travel(clock.now() + timedelta(days=32)):
        assert in_transaction(fees.cover, month=month, book="test", actor="person:1") == {"CNY": FEE}
        with pytest.raises(fees.AlreadyCovered):
            in_transaction(fees.cover, month=month, book="test", actor="person:1")
        with pytest.raises(fees.NothingToCover):
            in_transaction(fees.cover, month=month - timedelta(days=60), book="test", actor="person:1")
    moved = {("grant", "operating_grant:province"): FEE, ("grant", "gateway_fee:test"): -FEE}
    assert booked(f"grant:{month:%Y-%m}") == moved
    assert books.balance(db.session(), "gateway_fee", "test", book="test") == 0


def test_the_command_says_what_it_found(quick_till: Till) -> None:
    run = quick_till.app.test_cli_runner().invoke
    paid(quick_till)
    fine = run(args=["payments", "reconcile"])
    assert fine.exit_code == 0 and "1 matched" in fine.output and "it adds up" in fine.output
    with quick_till.cashier.writing() as connection:
        connection.execute(update(storage.movement).values(gross=4000))

    wrong = run(args=["payments", "reconcile", "--all"])

    assert wrong.exit_code == 1
    assert "differs: charge" in wrong.output and "4000 CNY there, 3980 in the books" in wrong.output
    in_transaction(switch.turn, on=False, actor="person:1", why="wait")
    assert "switched off" in run(args=["payments", "reconcile"]).output
    assert run(args=["payments", "reconcile", "--dry-run", "--all"]).exit_code == 1
