"""Paid in yuan, settled in Hong Kong dollars: both sums are booked as the gateway tells them, each currency is proven."""

import pytest
from sqlalchemy import select

from marketplace.core.db import db
from marketplace.core.money import Money
from marketplace.payments import sweeping
from marketplace.payments.disputes import following
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.models import Refund
from marketplace.payments.reconciliation import converting, rehearsing, running
from marketplace.payments.reconciliation.states import Verdict
from marketplace.payments.sandbox import storage
from tests.payments.abroad import (
    FEE,
    IN_HKD,
    Abroad,
    abroad,
    abroad_of,
    balance,
    clearing,
    lines_of,
    named,
    real_abroad,
    refund_back,
)
from tests.payments.conftest import ALLOCATED, CAPTURED, Till, booked
from tests.payments.test_reconciliation import movements, paid, request_refund, spend

__all__ = ["abroad", "real_abroad"]


def test_what_was_settled_is_booked_beside_what_was_paid(real_abroad: Abroad) -> None:
    attempt = paid(real_abroad.till)
    assert booked() == CAPTURED | ALLOCATED  # nobody knows yet what it is settled in

    first, second = real_abroad.reconcile(), real_abroad.reconcile(whole=True)

    (movement,) = movements()
    assert (movement.gross, movement.fee, movement.net, movement.currency) == (IN_HKD, FEE, IN_HKD - FEE, "HKD")
    assert (movement.shown, movement.rate) == (Money(3980), "1.08")
    assert (movement.verdict, movement.matched_entry) == (Verdict.MATCHED, f"capture:{attempt}")
    assert lines_of(f"settled:{movement.remote_id}") == {
        ("gateway_clearing", "CNY", -3980),
        ("fx_conversion", "CNY", 3980),
        ("gateway_clearing", "HKD", IN_HKD),
        ("fx_conversion", "HKD", -IN_HKD),
    }
    assert (clearing("CNY"), clearing("HKD"), balance("gateway_fee", "HKD", "test")) == (0, IN_HKD - FEE, FEE)
    assert balance("seller_held", "CNY", "s1") == -3980  # the seller is owed what the payer paid
    assert first.counts == second.counts == {"matched": 1}
    proof = second.proofs["HKD"]
    assert (proof.balance, proof.movements, proof.books) == (IN_HKD - FEE,) * 3
    assert real_abroad.held() == {"HKD": proof.books}
    assert second.proofs["CNY"].books == second.proofs["CNY"].movements == 0
    assert not first.is_red and not second.is_red
    assert named(real_abroad.till) == set()


def test_before_its_movement_is_read_it_is_on_its_way_in_yuan(abroad: Abroad) -> None:
    paid(abroad.till)
    with abroad.till.cashier.writing() as connection:  # a gateway that lists late
        late = connection.execute(select(storage.movement)).mappings().one()
        connection.execute(storage.movement.delete())

    standing = abroad.reconcile()

    assert standing.proofs["CNY"].on_the_way == 3980 and not standing.is_red
    with abroad.till.cashier.writing() as connection:
        connection.execute(storage.movement.insert().values(dict(late)))
    assert not abroad.reconcile().is_red
    assert (clearing("CNY"), clearing("HKD")) == (0, IN_HKD - FEE)


def test_what_a_refund_at_another_rate_costs_stays_in_conversion(real_abroad: Abroad) -> None:
    paid(real_abroad.till)
    real_abroad.reconcile()
    refund_back(real_abroad, 1000, "1.10", "parcel:1")
    in_part = real_abroad.reconcile()
    assert (balance("fx_conversion", "CNY"), balance("fx_conversion", "HKD")) == (2980, -IN_HKD + 1100)
    assert converting.left_over(db.session(), book="test") == {}  # not all of it went back: nothing is lost yet
    refund_back(real_abroad, 2980, "1.07", "parcel:2")

    standing = real_abroad.reconcile()

    assert not in_part.is_red and not standing.is_red and standing.counts == {"matched": 3}
    back = 1100 + 3189  # 3188.6
    assert (clearing("CNY"), clearing("HKD")) == (0, IN_HKD - FEE - back) and real_abroad.held()["HKD"] == clearing("HKD")
    assert converting.converted(db.session(), book="test") == {"HKD": back - IN_HKD}
    assert converting.left_over(db.session(), book="test") == {"HKD": back - IN_HKD}
    assert (balance("refund_in_transit", "CNY"), balance("seller_held", "CNY", "s1")) == (0, 0)
    assert named(real_abroad.till) == set()


@pytest.mark.parametrize("first_done", [True, False])
def test_a_refund_that_fails_comes_again_at_the_rate_of_that_day(abroad: Abroad, first_done: bool) -> None:
    paid(abroad.till)
    refund = request_refund(1000)
    abroad.rate_is("1.10")
    sweeping.send_refund()
    if first_done:
        abroad.till.work_later()
    waiting = abroad.reconcile()
    assert not waiting.is_red and waiting.proofs["HKD"].waiting == (0 if first_done else -1100)
    db.session.rollback()
    remote = db.session.scalars(select(Refund.remote_id)).one()
    assert remote
    abroad.rate_is("1.05")
    abroad.till.cashier.fail_refund(remote)

    standing = abroad.reconcile()

    assert standing.counts == {"matched": 3} and not standing.is_red
    keys = [movement.matched_entry for movement in movements()[1:]]
    assert keys == [f"refund_done:{refund}" if first_done else f"refund_failed:{refund}", f"refund_failed:{refund}"]
    assert (clearing("CNY"), clearing("HKD")) == (0, IN_HKD - FEE - 1100 + 1050)
    assert (balance("fx_conversion", "CNY"), balance("fx_conversion", "HKD")) == (3980, -IN_HKD + 50)
    assert named(abroad.till) == set()


@pytest.mark.parametrize("is_won", [True, False])
def test_a_dispute_takes_its_fee_in_what_is_settled(abroad: Abroad, is_won: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "bearers", {})
    attempt = paid(abroad.till)
    abroad.reconcile()
    remote = abroad.till.cashier.open_dispute(abroad.till.remote_of(attempt))
    abroad.till.work()
    row = db.session.scalars(select(Dispute)).one()
    assert (row.fen, row.currency, row.fee_fen, row.fee_currency) == (3980, "CNY", 1500, "HKD")
    assert lines_of(f"dispute:{row.public_id}") == {
        ("dispute_receivable", "CNY", 3980),
        ("gateway_clearing", "CNY", -3980),
        ("dispute_fee", "HKD", 1500),
        ("gateway_clearing", "HKD", -1500),
    }
    assert not abroad.reconcile().is_red
    assert (clearing("CNY"), clearing("HKD")) == (0, -FEE - 1500)
    abroad.rate_is("1.10")
    abroad.till.cashier.decide_dispute(remote, is_won=is_won)
    abroad.till.work()

    standing = abroad.reconcile()

    assert not standing.is_red and standing.counts == {"matched": 3 if is_won else 2}
    assert (clearing("CNY"), clearing("HKD")) == (0, (4378 if is_won else 0) - FEE - 1500)
    assert abroad.held()["HKD"] == clearing("HKD")
    assert balance("dispute_receivable", "CNY", "sandbox") == 0
    assert balance("chargeback_loss", "CNY") == (0 if is_won else 3980)
    assert balance("fx_conversion", "HKD") == (-4378 if is_won else 0)
    assert named(abroad.till) == set()


def test_yuan_that_the_bank_has_paid_leave_the_gateway_in_dollars_once(abroad: Abroad) -> None:
    paid(abroad.till)
    spend(1500)

    standing, again = abroad.reconcile(), abroad.reconcile()

    assert standing.counts == again.counts == {"matched": 2} and not again.is_red
    assert [(each.type, each.gross, each.presented) for each in movements()][1] == ("payout", -1620, -1500)
    assert (clearing("CNY"), clearing("HKD")) == (0, IN_HKD - FEE - 1620)


def test_a_dry_run_and_a_real_one_agree_and_the_first_books_nothing(abroad: Abroad) -> None:
    paid(abroad.till)
    rehearsed = rehearsing.rehearse(abroad.till.cashier, actor="test", whole=True)
    assert movements() == [] and clearing("HKD") == 0 and clearing("CNY") == 3980

    assert abroad.reconcile(whole=True) == rehearsed


def test_money_of_before_is_refunded_in_what_is_settled_today(quick_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(quick_till)
    running.reconcile(quick_till.cashier, actor="test")
    abroad = abroad_of(quick_till, monkeypatch)
    refund_back(abroad, 3980, "1.08", "parcel:1")

    standing = abroad.reconcile()

    assert not standing.is_red
    assert (
        quick_till.cashier.balance()
        == {"CNY": 3980 - 24, "HKD": -IN_HKD}
        == {each: clearing(each) for each in standing.proofs}
    )
    assert named(quick_till) == set()
