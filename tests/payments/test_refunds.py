from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.money import Money
from marketplace.payments import outcomes, refunds, sweeping
from marketplace.payments.gateways import OutcomeUnknown, RefundRequest, RemoteRefund
from marketplace.payments.keys import KEY_LIVES
from marketplace.payments.models import Refund
from marketplace.payments.sandbox.cashier import REFUND_TAKES
from marketplace.payments.sandbox.storage import refund as at_the_cashier
from marketplace.payments.states import RefundState
from tests.payments.conftest import ALLOCATED, CAPTURED, REFUNDED, Till, booked, moved

ORDER = "SX-7F3KQ2MD"
TAKEN = moved("refund", "seller_held:s1", "refund_in_transit:")


@pytest.fixture
def paid(till: Till) -> Till:
    till.pay(till.start())
    till.work()
    return till


def ask(fen: int = 3980, why: str = "parcel:p1", shares: dict[Any, Money] | None = None) -> str:
    return in_transaction(
        refunds.request,
        purpose="order",
        reference=ORDER,
        reason_key=why,
        amount=Money(fen),
        shares=shares or {("seller_held", "s1"): Money(fen)},
        reason="refused",
    )


def states() -> list[RefundState]:
    db.session.rollback()
    return list(db.session.scalars(select(Refund.state).order_by(Refund.id)))


def send(till: Till) -> None:
    while sweeping.send_refund():
        pass


def test_a_refund_is_booked_at_once_and_leaves_the_gateway_when_it_has_arrived(paid: Till) -> None:
    ask()
    assert booked() == CAPTURED | ALLOCATED | TAKEN

    send(paid)
    assert states() == [RefundState.PENDING]
    assert booked() == CAPTURED | ALLOCATED | TAKEN

    paid.work_later()
    assert states() == [RefundState.SUCCEEDED]
    assert booked() == CAPTURED | ALLOCATED | TAKEN | REFUNDED
    assert [row.status for row in rows_at_the_cashier(paid)] == ["succeeded"]


def test_one_cause_refunds_once(paid: Till) -> None:
    assert ask() == ask()
    paid.work_later()

    assert ask(100) == db.session.scalars(select(Refund.public_id)).one()
    assert len(rows_at_the_cashier(paid)) == 1


def test_more_than_was_paid_never_goes_back(paid: Till) -> None:
    ask(3000, "parcel:p1")

    with pytest.raises(refunds.RefundTooLarge):
        ask(981, "parcel:p2")
    ask(980, "parcel:p2")

    assert states() == [RefundState.REQUESTED] * 2


@pytest.mark.parametrize("reference", ["SX-UNPAID", "SX-7F3KQ2MD"])
def test_what_nobody_paid_is_not_refunded(till: Till, reference: str) -> None:
    till.start()
    with pytest.raises(NotFound):
        ask()
    assert booked() == {} and states() == []


def test_shares_that_are_not_the_sum_are_our_mistake(paid: Till) -> None:
    with pytest.raises(ValueError, match="shares"):
        ask(3980, shares={("seller_held", "s1"): Money(3979)})
    assert states() == []


def test_two_refunds_of_sixty_per_cent_at_once_are_one(paid: Till) -> None:
    start = Barrier(2)

    def press(number: int) -> str:
        with paid.app.app_context():
            start.wait()
            try:
                return ask(2388, f"parcel:p{number}") and "taken"
            except refunds.RefundTooLarge:
                return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == ["refused", "taken"]
    paid.work_later()

    assert [row.amount for row in rows_at_the_cashier(paid)] == [2388]


def test_two_workers_send_a_refund_once(paid: Till) -> None:
    ask()
    start = Barrier(2)

    def work(_number: int) -> None:
        with paid.app.app_context():
            start.wait()
            sweeping.submit_refund(1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    assert len(rows_at_the_cashier(paid)) == 1
    assert states() == [RefundState.PENDING]


@pytest.mark.parametrize("failure", [OutcomeUnknown(), ConnectionError("reset")])
def test_a_lost_answer_never_refunds_twice(paid: Till, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    ask()
    really = paid.cashier.refund

    def swallow(request: RefundRequest, *, key: str) -> None:
        really(request, key=key)
        raise failure

    monkeypatch.setattr(paid.cashier, "refund", swallow)
    send(paid)
    assert states() == [RefundState.UNKNOWN]
    monkeypatch.setattr(paid.cashier, "refund", really)
    paid.work_later()

    assert states() == [RefundState.SUCCEEDED]
    assert len(rows_at_the_cashier(paid)) == 1
    assert booked() == CAPTURED | ALLOCATED | TAKEN | REFUNDED


@pytest.mark.parametrize("arrived", [True, False])
def test_after_a_day_the_key_is_not_trusted_but_the_refund_looked_for(
    paid: Till, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    ask()
    really = paid.cashier.refund

    def swallow(request: RefundRequest, *, key: str) -> None:
        if arrived:
            really(request, key=key)
        raise OutcomeUnknown

    monkeypatch.setattr(paid.cashier, "refund", swallow)
    send(paid)
    monkeypatch.setattr(paid.cashier, "refund", lambda *_asked, **_key: pytest.fail("sent again with an old key"))
    paid.work_later(KEY_LIVES + timedelta(hours=1))

    assert states() == [RefundState.SUCCEEDED if arrived else RefundState.UNKNOWN]
    assert len(rows_at_the_cashier(paid)) == arrived


def test_a_wish_that_waited_for_days_is_sent_again_with_its_young_key(paid: Till) -> None:
    """Asked for while its payment was disputed, say, or before the worker ran; then the worker is killed as it asks."""
    ask()
    with time_machine.travel(clock.now() + timedelta(days=3)):
        assert in_transaction(refunds.begin_submission, refund=1)
        paid.work_later(timedelta(hours=1))

    assert states() == [RefundState.SUCCEEDED]
    assert len(rows_at_the_cashier(paid)) == 1


def test_a_refund_the_gateway_refuses_gives_the_same_shares_back_and_leaves_a_trace(paid: Till) -> None:
    with paid.cashier.writing() as connection:  # somebody refunded it past us
        connection.exec_driver_sql(
            f"UPDATE {'payment' if connection.dialect.name == 'sqlite' else 'sandbox.payment'} SET refunded = amount"
        )
    ask(3980, shares={("seller_held", "s1"): Money(3600), ("station_held", "141028"): Money(380)})
    send(paid)

    assert states() == [RefundState.FAILED]
    assert balance_of_shares() == {"seller_held:s1": 0, "station_held:141028": 0, "refund_in_transit:": 0}
    trace = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "refund.failed")).one()
    assert (trace.why, trace.detail) == ("refused", {"fen": 3980})


def test_a_refund_that_comes_back_days_later_is_owed_again(paid: Till) -> None:
    refund = ask()
    paid.work_later()
    done = paid.cashier.find_refund(RefundRequest(refund, "", Money(1)))
    assert done
    bounced = RemoteRefund(done.remote_id, refund, done.amount, RefundState.FAILED, "failed", "test")
    for _time in range(2):
        in_transaction(outcomes.apply_refund, remote=bounced, why="the wallet is gone")

    assert states() == [RefundState.FAILED]
    back = moved("refund_failed", "gateway_clearing:sandbox", "seller_held:s1")
    assert booked() == CAPTURED | ALLOCATED | TAKEN | REFUNDED | back


def test_a_lost_notice_of_a_refund_is_made_good_by_asking(paid: Till) -> None:
    ask()
    send(paid)
    with time_machine.travel(clock.now() + REFUND_TAKES + timedelta(minutes=3), tick=False):
        paid.cashier.finish_refunds()
        send(paid)

    assert states() == [RefundState.SUCCEEDED]


def test_a_notice_that_comes_before_our_answer_waits_its_turn(paid: Till) -> None:
    """The refund's event is worked on while its row still says submitting: monotonic, one effect."""
    refund = ask()
    asked = in_transaction(refunds.begin_submission, refund=1)
    assert asked
    answer = paid.cashier.refund(asked.request, key=f"refund:{refund}:create")
    paid.work_later()
    in_transaction(outcomes.apply_refund, remote=answer, why="answer")

    assert states() == [RefundState.SUCCEEDED]
    assert booked() == CAPTURED | ALLOCATED | TAKEN | REFUNDED


def rows_at_the_cashier(till: Till) -> list[Any]:
    with till.cashier.storage.connect() as connection:
        return list(connection.execute(select(at_the_cashier)))


def balance_of_shares() -> dict[str, int]:
    totals: dict[str, int] = {}
    for (kind, account), fen in booked().items():
        if kind in {"refund", "refund_failed"}:
            totals[account] = totals.get(account, 0) + fen
    return totals
