"""Batches that the gateway pays itself: who is paid so, what its answers do, and what people may no longer do."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.transitions import EventRow
from marketplace.ledger.models import Entry
from marketplace.notifications.models import Message
from marketplace.orders.batches import answers, approving, bank_file, bouncing, confirming, connecting
from marketplace.orders.batches.states import BatchState as B, LineState as L
from marketplace.payments.gateways import Invalid, OutcomeUnknown, RateLimited
from marketplace.payments.reconciliation.models import ReconciliationRun
from marketplace.payments.transfers import absent, sending
from marketplace.payments.transfers.models import Transfer
from marketplace.payments.transfers.states import PAYEE, TRANSFER, PayeeState, TransferState as T
from tests.batches.conftest import HOUSE, Finance, balance
from tests.batches.transfers import Desk, desk_of


@pytest.fixture
def desk(finance: Finance) -> Iterator[Desk]:
    """Feng is owed 36.62 and known at the gateway; the station is owed 3.18 and is not."""
    made = desk_of(finance)
    made.fill(10_000)
    finance.settle(finance.feng, 3662)
    finance.settle(HOUSE, 318)
    finance.payee(HOUSE)
    yield made
    made.cashier.storage.dispose()


def test_the_gateway_pays_whom_it_knows_and_people_pay_the_others(desk: Desk) -> None:
    finance = desk.finance
    there = desk.connect(finance.feng)
    batch = desk.sent()
    assert balance("payout_in_transit") == -3980 and desk.there(there) == 0
    row = finance.batch(batch)
    file = bank_file.content(row, approving.by_hand(db.session(), row))
    assert bank_file.digest(file) == row.file_sha256
    assert "3.18" in file.decode() and "36.62" not in file.decode()

    desk.work()

    assert desk.there(there) == 3662
    assert (finance.line_state(batch, finance.feng), finance.line_state(batch, HOUSE)) == (L.CONFIRMED, L.SENT)
    sent = desk.transfer(batch, finance.feng)
    assert sent and (sent.state, sent.fen, sent.booked_under) == (T.SUCCEEDED, 3662, batch)
    assert finance.line(batch, finance.feng).bank_said == sent.remote_id
    trace = select(EventRow.to_state).where(EventRow.subject == f"transfer:{sent.public_id}").order_by(EventRow.id)
    assert db.session.scalars(trace).all() == ["requested", "submitting", "succeeded"]
    assert balance("gateway_clearing", "sandbox") == 10_000 - 3662
    assert finance.state(batch) is B.SENT
    finance.confirm(batch, HOUSE)
    assert finance.state(batch) is B.CLOSED
    assert desk.is_sound()
    assert desk.cashier.balance() == {"CNY": 10_000 - 3980}
    assert [movement.type for movement in desk.cashier.movements(clock.now() - timedelta(days=1))].count("payout") == 1


def test_a_bank_file_pays_everybody_also_whom_the_gateway_knows(desk: Desk) -> None:
    desk.connect(desk.finance.feng)
    batch = desk.finance.sent()
    desk.work()
    assert desk.transfer(batch, desk.finance.feng) is None
    assert len(approving.by_hand(db.session(), desk.finance.batch(batch))) == 2


def test_before_the_province_has_looked_at_it_people_pay(desk: Desk) -> None:
    finance = desk.finance
    desk.connect(finance.feng, looked_at=False)
    assert finance.account(finance.feng).verified_at is not None
    batch = desk.sent()
    assert desk.transfer(batch, finance.feng) is None
    assert finance.line_state(batch, finance.feng) is L.SENT
    with pytest.raises(StaleState):
        desk.look_at(finance.feng, last4="0000")
    desk.look_at(finance.feng)
    finance.send_back(batch, finance.feng)
    finance.confirm(batch, HOUSE)
    assert desk.transfer(desk.sent(), finance.feng) is not None


@pytest.mark.parametrize("change", ["another bank there", "refused there", "another bank here"])
def test_whose_money_would_go_elsewhere_is_looked_at_again(desk: Desk, change: str) -> None:
    finance = desk.finance
    there = desk.connect(finance.feng)
    if change == "another bank here":
        finance.payee(finance.feng, number="6217000000009999", verified=False)
    else:
        state = PayeeState.RESTRICTED if change == "refused there" else PayeeState.VERIFIED
        desk.cashier.say_who_they_are(there, state, "1111" if state is PayeeState.VERIFIED else "7890")
        desk.ask(there)
    batch = desk.sent()
    assert desk.transfer(batch, finance.feng) is None
    assert (finance.feng in finance.paying(batch)) is (change != "another bank here")


def test_what_the_gateway_refuses_is_owed_again(desk: Desk) -> None:
    finance = desk.finance
    there = desk.connect(finance.feng)
    batch = desk.sent()
    desk.cashier.say_who_they_are(there, PayeeState.RESTRICTED, "7890")

    desk.work()

    assert finance.line_state(batch, finance.feng) is L.RETURNED and finance.line(batch, finance.feng).bank_said == "Invalid"
    assert finance.owed(finance.feng) == 3662 and balance("payout_in_transit") == -318
    refused = desk.transfer(batch, finance.feng)
    assert refused and (refused.state, refused.said, refused.remote_id) == (T.FAILED, "Invalid", None)
    assert desk.is_sound()


def test_with_too_little_at_the_gateway_the_line_comes_back(desk: Desk) -> None:
    finance = desk.finance
    finance.settle(finance.feng, 10_000)
    desk.connect(finance.feng)
    batch = desk.sent()
    desk.work()
    assert finance.line(batch, finance.feng).bank_said == "InsufficientFunds"
    assert finance.owed(finance.feng) == 13_662


def test_a_bank_does_not_take_back_what_the_gateway_paid(desk: Desk) -> None:
    desk.connect(desk.finance.feng)
    batch = desk.sent()
    desk.work()
    paid = desk.finance.line(batch, desk.finance.feng)
    given = {"batch": batch, "line": paid.public_id, "reason": "账号不符", "actor": "person:1"}
    with pytest.raises(confirming.PaidByTheGateway):
        in_transaction(bouncing.bounce, **given)
    assert desk.finance.line(batch, desk.finance.feng).bounced_at is None
    assert desk.finance.owed(desk.finance.feng) == 0


def test_people_do_not_answer_for_the_gateway(desk: Desk) -> None:
    finance = desk.finance
    desk.connect(finance.feng)
    batch = desk.sent()
    line = finance.line(batch, finance.feng).public_id
    for answer in (finance.confirm, finance.send_back):
        with pytest.raises(confirming.PaidByTheGateway):
            answer(batch, finance.feng)
    rows = f"end_to_end_id,fen,result,said\n{line},3662,paid,B-1\n"
    (judged,) = in_transaction(answers.apply, batch=batch, content=rows.encode(), actor="person:1")
    assert judged.verdict is answers.Verdict.UNKNOWN
    assert finance.line_state(batch, finance.feng) is L.SENT
    desk.work()
    with pytest.raises(confirming.NotSent):
        finance.confirm(batch, finance.feng)
    assert db.session.scalar(select(func.count()).where(Entry.key == f"payout_paid:{line}")) == 1


@pytest.mark.parametrize("error", [OutcomeUnknown, RateLimited, OSError])
def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    there = desk.connect(desk.finance.feng)
    batch = desk.sent()
    honest, keys = desk.cashier.transfer, []

    def loses_the_answer(request: Any, *, key: str) -> Any:
        keys.append(key)
        made = honest(request, key=key)
        if len(keys) == 1:
            raise error("no answer")
        return made

    monkeypatch.setattr(desk.cashier, "transfer", loses_the_answer)
    desk.work()
    waiting = desk.transfer(batch, desk.finance.feng)
    assert waiting and waiting.state is T.UNKNOWN
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        desk.work()

    assert keys == [f"transfer:{waiting.public_id}:create"] * 2
    assert desk.there(there) == 3662
    assert desk.finance.line_state(batch, desk.finance.feng) is L.CONFIRMED
    assert desk.is_sound()


@pytest.mark.parametrize("arrived", [True, False])
def test_a_key_that_is_too_old_is_never_sent_again(desk: Desk, monkeypatch: pytest.MonkeyPatch, arrived: bool) -> None:
    there = desk.connect(desk.finance.feng)
    batch = desk.sent()
    honest = desk.cashier.transfer

    def loses(request: Any, *, key: str) -> Any:
        if arrived:
            honest(request, key=key)
        raise OutcomeUnknown(key)

    monkeypatch.setattr(desk.cashier, "transfer", loses)
    desk.work()
    with time_machine.travel(clock.now() + timedelta(hours=23, minutes=1)):
        monkeypatch.setattr(desk.cashier, "transfer", None)  # asked, it would break
        desk.work()
        row = desk.transfer(batch, desk.finance.feng)
        assert row and row.state is (T.SUCCEEDED if arrived else T.UNKNOWN)
    assert desk.there(there) == (3662 if arrived else 0)
    assert desk.finance.line_state(batch, desk.finance.feng) is (L.CONFIRMED if arrived else L.SENT)


def test_a_wish_that_waited_for_days_is_sent_again_with_its_young_key(desk: Desk) -> None:
    """Asked for while payouts were closed, say; then the worker is killed as it asks."""
    there = desk.connect(desk.finance.feng)
    batch = desk.sent()
    row = desk.transfer(batch, desk.finance.feng)
    assert row
    with time_machine.travel(clock.now() + timedelta(days=3)):
        assert in_transaction(sending.begin_submission, kind=Transfer, row=row.id)
        desk.work()
    assert desk.there(there) == 3662
    assert desk.finance.line_state(batch, desk.finance.feng) is L.CONFIRMED


@pytest.mark.parametrize("arrived", [True, False])
def test_a_person_lets_go_of_what_never_got_there(desk: Desk, monkeypatch: pytest.MonkeyPatch, arrived: bool) -> None:
    desk.connect(desk.finance.feng)
    batch = desk.sent()
    line = desk.finance.line(batch, desk.finance.feng).public_id
    honest, unanswered = desk.cashier.transfer, []

    def loses(request: Any, *, key: str) -> Any:
        unanswered.append((request, key))
        raise OutcomeUnknown(key)

    monkeypatch.setattr(desk.cashier, "transfer", loses)
    desk.work()
    db.session.rollback()
    with pytest.raises(absent.StillBeingSent):
        absent.let_go(reference=line, actor="person:1")
    with pytest.raises(NotFound):
        absent.let_go(reference="another", actor="person:1")
    ((request, key),) = unanswered
    if arrived:
        honest(request, key=key)
    with time_machine.travel(clock.now() + timedelta(hours=24)):
        assert absent.let_go(reference=line, actor="person:1") is (T.SUCCEEDED if arrived else T.FAILED)
    assert desk.finance.line_state(batch, desk.finance.feng) is (L.CONFIRMED if arrived else L.RETURNED)
    assert desk.finance.owed(desk.finance.feng) == (0 if arrived else 3662)


def test_nothing_is_sent_while_payouts_are_closed(desk: Desk) -> None:
    there = desk.connect(desk.finance.feng)
    batch = desk.sent()
    run: dict[str, Any] = {"gateway": "sandbox", "actor": "test", "is_whole": True, "is_dry": False, "ended_at": clock.now()}
    db.session.add(ReconciliationRun(**run, is_red=True))
    db.session.commit()
    for hours in range(20):
        with time_machine.travel(clock.now() + timedelta(hours=hours)):
            desk.work()
    waiting = desk.transfer(batch, desk.finance.feng)
    assert waiting and waiting.state is T.REQUESTED and desk.there(there) == 0
    db.session.add(ReconciliationRun(**run, is_red=False))
    db.session.commit()
    desk.work()  # at once, however long it took
    assert desk.there(there) == 3662


def test_another_sum_than_we_asked_for_changes_nothing(desk: Desk) -> None:
    desk.connect(desk.finance.feng)
    batch = desk.sent()
    row = desk.transfer(batch, desk.finance.feng)
    assert row
    (taken, asked) = row.id, in_transaction(sending.begin_submission, kind=Transfer, row=row.id)
    assert asked
    remote = desk.cashier.transfer(asked.request, key=asked.key)  # type: ignore[arg-type]
    for wrong in ({"amount": remote.amount + remote.amount}, {"book": "live"}, {"ours": "another"}):
        with pytest.raises(ValueError, match="the gateway says"):
            in_transaction(sending.arrive, kind=Transfer, row=taken, remote=type(remote)(**vars(remote) | wrong), why="x")
    assert desk.finance.line_state(batch, desk.finance.feng) is L.SENT
    for _twice in range(2):
        in_transaction(sending.arrive, kind=Transfer, row=taken, remote=remote, why="answer")
    assert balance("gateway_clearing", "sandbox") == 10_000 - 3662


def test_who_connects_is_told_once_and_needs_a_bank_account(desk: Desk) -> None:
    finance = desk.finance
    given: Any = {"person_id": finance.drafter, "return_url": "http://127.0.0.1:8000/"}
    with pytest.raises(connecting.NoAccountYet):
        connecting.connect(owner=finance.qiao, **given)
    finance.payee(finance.qiao)
    db.session.rollback()
    first = connecting.connect(owner=finance.qiao, **given)
    assert connecting.connect(owner=finance.qiao, **given) == first
    told = select(func.count()).select_from(Message).where(Message.fact.endswith(":provider"))
    assert db.session.scalar(told.where(Message.fact.startswith(f"payee:{finance.account(finance.qiao).public_id}"))) == 1
    assert desk.payee(finance.qiao).state is PayeeState.INCOMPLETE


def test_an_opening_whose_answer_was_lost_opens_nobody_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    finance = desk.finance
    finance.payee(finance.qiao)
    db.session.rollback()
    honest = desk.cashier.open_payee

    def loses(payee: str, *, key: str) -> Any:
        honest(payee, key=key)
        raise OSError("gone")

    given: Any = {"owner": finance.qiao, "person_id": finance.drafter, "return_url": "http://127.0.0.1:8000/"}
    monkeypatch.setattr(desk.cashier, "open_payee", loses)
    with pytest.raises(OutcomeUnknown):
        connecting.connect(**given)
    monkeypatch.undo()
    assert desk.payee(finance.qiao).state is PayeeState.OPENING
    status = connecting.connect(**given)
    assert desk.payee(finance.qiao).remote_id == status.remote_id
    with pytest.raises(Invalid):
        desk.cashier.look_up_payee("acct_nobody")


@pytest.mark.parametrize("change", ["fen = 1", "reference = 'x'", "public_id = 'x'"])
def test_the_database_keeps_a_transfer_as_it_was_asked_for(desk: Desk, change: str) -> None:
    desk.connect(desk.finance.feng)
    desk.sent()
    with pytest.raises(IntegrityError, match="is settled"):
        db.session.connection().exec_driver_sql(f"UPDATE transfer SET {change}")


def test_the_database_keeps_transfers(desk: Desk) -> None:
    desk.connect(desk.finance.feng)
    desk.sent()
    with pytest.raises(IntegrityError):
        db.session.execute(update(Transfer).values(payee_id=Transfer.payee_id + 1))


def test_the_tables_of_states_are_as_they_were_agreed() -> None:
    ways = [{str(here): sorted(map(str, there)) for here, there in table.items()} for table in (PAYEE, TRANSFER)]
    assert ways == [
        {
            "opening": ["incomplete", "restricted", "verified"],
            "incomplete": ["restricted", "verified"],
            "verified": ["incomplete", "restricted"],
            "restricted": ["incomplete", "verified"],
        },
        {
            "requested": ["submitting"],
            "submitting": ["failed", "succeeded", "unknown"],
            "unknown": ["failed", "succeeded"],
            "succeeded": [],
            "failed": [],
        },
    ]
