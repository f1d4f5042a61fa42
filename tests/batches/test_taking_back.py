"""A refund of what was paid by transfer: asked back from the payee, never more than they owe; owed where it is refused."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given, strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.orders.batches import covering, payees, statements, telling
from marketplace.orders.batches.owed import Owner
from marketplace.orders.batches.states import LeftOut, LineState as L
from marketplace.payments.gateways import OutcomeUnknown
from marketplace.payments.transfers import sending
from marketplace.payments.transfers.states import TransferState as T
from tests.batches.conftest import HOUSE, Finance, balance
from tests.batches.transfers import Desk, desk_of


@pytest.fixture
def desk(finance: Finance) -> Iterator[Desk]:
    made = desk_of(finance)
    made.fill(10_000)
    yield made
    made.cashier.storage.dispose()


def paid(desk: Desk, *sums: int) -> str:
    """Feng was paid these sums by transfers; returns the gateway's id of them."""
    there = desk.connect(desk.finance.feng)
    for fen in sums:
        desk.finance.settle(desk.finance.feng, fen)
        desk.sent()
        desk.work()
    return there


def give_back(desk: Desk, owner: Owner, fen: int, refund: str = "r1") -> None:
    """As `repaying.repay` does."""
    desk.finance.refund(owner, fen)
    in_transaction(cover, owner, fen, refund)


def cover(session: Session, owner: Owner, fen: int, refund: str) -> None:
    covering.cover_refund(session, {(f"{owner[0]}_payable", owner[1]): fen}, book="test", refund=refund)


def test_what_they_have_there_comes_back_and_nothing_is_owed(desk: Desk) -> None:
    finance = desk.finance
    there = paid(desk, 3662)
    give_back(desk, finance.feng, 1000)
    assert finance.owed(finance.feng) == -1000

    desk.work()

    (reversal,) = desk.reversals()
    assert (reversal.state, reversal.fen, reversal.cause) == (T.SUCCEEDED, 1000, "refund:r1")
    assert finance.owed(finance.feng) == 0 and desk.there(there) == 2662
    assert balance("gateway_clearing", "sandbox") == 10_000 - 2662
    assert finance.account(finance.feng).frozen_because == ""
    assert desk.is_sound() and desk.cashier.balance() == {"CNY": 10_000 - 2662}
    month = clock.today().replace(day=1)
    told = statements.statement(db.session(), finance.feng, month, book="test")
    assert told.closing_fen == 0 and told.sum_of("payout", "payout_failed", "reversal") == -2662
    assert [(telling.kind(row), row.fen) for row in told.rows if row.kind == "reversal"] == [("从付给你的钱里收回", 1000)]


def test_only_what_they_owe_is_asked_back(desk: Desk) -> None:
    finance = desk.finance
    paid(desk, 3662)
    finance.settle(finance.feng, 400)
    give_back(desk, finance.feng, 1000)
    assert [(each.fen, each.state) for each in desk.reversals()] == [(600, T.REQUESTED)]
    give_back(desk, finance.feng, 50, "r2")
    assert [each.fen for each in desk.reversals()] == [600, 50]
    in_transaction(cover, finance.feng, 50, "r2")
    finance.settle(finance.feng, 5000)
    give_back(desk, finance.feng, 60, "r3")
    assert [each.fen for each in desk.reversals()] == [600, 50]
    desk.work()
    assert finance.owed(finance.feng) == 5000 - 60


def test_the_newest_transfer_is_taken_back_first(desk: Desk) -> None:
    there = paid(desk, 3000, 500)
    give_back(desk, desk.finance.feng, 800)
    first, second = desk.reversals()
    assert (first.fen, second.fen) == (500, 300) and first.transfer_id > second.transfer_id
    give_back(desk, desk.finance.feng, 5000, "r2")
    assert [each.fen for each in desk.reversals()] == [500, 300, 2700]
    desk.work()
    assert desk.there(there) == 0 and desk.finance.owed(desk.finance.feng) == -2300
    assert desk.is_sound()


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), max_size=8))
def test_parts_add_up_and_the_first_is_emptied_first(missing: int, lefts: list[int]) -> None:
    taken = covering.parts(missing, lefts)
    assert sum(taken) == min(missing, sum(lefts))
    assert all(0 <= part <= left for part, left in zip(taken, lefts, strict=True))
    touched = [index for index, part in enumerate(taken) if part]
    assert all(taken[index] == lefts[index] for index in range(touched[-1] if touched else 0))


def test_what_a_person_paid_is_not_asked_of_the_gateway(desk: Desk) -> None:
    finance = desk.finance
    finance.settle(HOUSE, 500)
    finance.payee(HOUSE)
    finance.confirm(finance.sent(), HOUSE)
    give_back(desk, HOUSE, 500)
    assert desk.reversals() == [] and finance.owed(HOUSE) == -500


def test_refused_they_owe_it_and_nothing_more_is_paid_to_them(desk: Desk) -> None:
    finance = desk.finance
    there = paid(desk, 3662)
    assert desk.cashier.pay_payee_out(there) == 3662
    give_back(desk, finance.feng, 1000)

    desk.work()

    (reversal,) = desk.reversals()
    assert (reversal.state, reversal.said, reversal.remote_id) == (T.FAILED, "InsufficientFunds", None)
    assert finance.owed(finance.feng) == -1000
    account = finance.account(finance.feng)
    assert account.frozen_because == covering.OWES and telling.why_frozen(account.frozen_because) != covering.OWES
    (record,) = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "payee.frozen"))
    assert (record.actor, record.subject, record.detail) == ("sandbox", f"payout_account:{account.public_id}", {"fen": 1000})
    finance.settle(finance.feng, 3000)
    finance.settle(HOUSE, 100)
    finance.payee(HOUSE)
    assert finance.left_out(finance.draft()) == {finance.feng: LeftOut.FROZEN}
    in_transaction(payees.release, account=account.public_id, person_id=finance.drafter)
    assert finance.account(finance.feng).frozen_because == ""
    assert desk.is_sound()


@pytest.mark.parametrize("what", ["settled meanwhile", "stopped by a person before"])
def test_nobody_is_stopped_for_nothing_or_twice(desk: Desk, what: str) -> None:
    finance = desk.finance
    desk.cashier.pay_payee_out(paid(desk, 3662))
    give_back(desk, finance.feng, 1000)
    if what == "settled meanwhile":
        finance.settle(finance.feng, 1000)
    else:
        account = finance.account(finance.feng).public_id
        in_transaction(payees.freeze, account=account, reason="有争议", person_id=finance.drafter)
    desk.work()
    expected = "" if what == "settled meanwhile" else "有争议"
    assert finance.account(finance.feng).frozen_because == expected


def test_a_refund_while_the_transfer_is_on_its_way_is_asked_back_when_it_has_arrived(desk: Desk) -> None:
    finance = desk.finance
    there = desk.connect(finance.feng)
    finance.settle(finance.feng, 3662)
    batch = desk.sent()
    give_back(desk, finance.feng, 700)
    assert desk.reversals() == []

    desk.work()

    assert finance.line_state(batch, finance.feng) is L.CONFIRMED
    assert [(each.fen, each.state) for each in desk.reversals()] == [(700, T.SUCCEEDED)]
    assert finance.owed(finance.feng) == 0 and desk.there(there) == 2962


def test_a_lost_answer_takes_back_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    there = paid(desk, 3662)
    give_back(desk, desk.finance.feng, 1000)
    honest, keys = desk.cashier.reverse_transfer, []

    def loses_the_answer(request: Any, *, key: str) -> Any:
        keys.append(key)
        made = honest(request, key=key)
        if len(keys) == 1:
            raise OutcomeUnknown(key)
        return made

    monkeypatch.setattr(desk.cashier, "reverse_transfer", loses_the_answer)
    desk.work()
    assert [each.state for each in desk.reversals()] == [T.UNKNOWN] and desk.finance.owed(desk.finance.feng) == -1000
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        desk.work()
    assert keys == [f"transfer_reversal:{desk.reversals()[0].public_id}:create"] * 2
    assert desk.there(there) == 2662 and desk.finance.owed(desk.finance.feng) == 0
    assert desk.is_sound()


def test_a_reversal_whose_key_is_too_old_is_looked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(desk, 3662)
    give_back(desk, desk.finance.feng, 1000)
    honest = desk.cashier.reverse_transfer

    def loses(request: Any, *, key: str) -> Any:
        honest(request, key=key)
        raise OutcomeUnknown(key)

    monkeypatch.setattr(desk.cashier, "reverse_transfer", loses)
    assert sending.send_reversal()
    with time_machine.travel(clock.now() + timedelta(hours=24)):
        desk.work()
        assert [each.state for each in desk.reversals()] == [T.SUCCEEDED]
        assert desk.finance.owed(desk.finance.feng) == 0


def test_a_reversal_that_never_got_there_is_owed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    there = paid(desk, 3662)
    give_back(desk, desk.finance.feng, 1000)

    def loses(request: Any, *, key: str) -> Any:
        raise OutcomeUnknown(key)

    monkeypatch.setattr(desk.cashier, "reverse_transfer", loses)
    desk.work()
    with time_machine.travel(clock.now() + timedelta(hours=24)):
        desk.work()
    assert [(each.state, each.said) for each in desk.reversals()] == [(T.FAILED, "NeverArrived")]
    assert desk.finance.owed(desk.finance.feng) == -1000 and desk.there(there) == 3662
    assert desk.finance.account(desk.finance.feng).frozen_because == covering.OWES
