"""A payment that the bank takes back after it was confirmed: owed again, once, and its account waits for a person."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.ledger.models import Entry
from marketplace.orders.batches import answers, bouncing, owed, payees, statements, telling, tracing
from marketplace.orders.batches.answers import Verdict as V
from marketplace.orders.batches.models import BatchLine
from marketplace.orders.batches.states import BatchState, LeftOut, LineState
from marketplace.payments.gateways import gateways
from marketplace.payments.reconciliation import running
from marketplace.payments.reconciliation.models import GatewayMovement
from tests import cashiers
from tests.batches.conftest import HOUSE, Finance, balance
from tests.batches.test_paying_out import ready
from tests.factories import sign_in_as, signed_in
from tests.orders.conftest import post
from tests.public_ledger.racing import race

WHY = "账户已销户"
HEAD = "end_to_end_id,fen,result,said\n"


def bounce(finance: Finance, batch: str) -> None:
    line = finance.line(batch, finance.feng).public_id
    in_transaction(bouncing.bounce, batch=batch, line=line, reason=WHY, actor="person:1")


def closed(finance: Finance) -> str:
    batch = ready(finance).sent()
    finance.confirm(batch, finance.feng)
    finance.confirm(batch, HOUSE)
    return batch


def test_what_the_bank_took_back_is_owed_again(finance: Finance) -> None:
    batch = closed(finance)
    bounce(finance, batch)

    assert (finance.owed(finance.feng), finance.owed(HOUSE)) == (3662, 0)
    assert (balance("gateway_clearing", "sandbox"), balance("payout_in_transit")) == (-318, 0)
    line = finance.line(batch, finance.feng)
    assert (line.state, line.bounced_because, line.bank_said) == (LineState.CONFIRMED, WHY, "B-1")
    assert finance.state(batch) is BatchState.CLOSED
    assert db.session.scalars(select(Entry.key).where(Entry.kind == "payout_bounced")).all() == [
        f"payout_bounced:{line.public_id}"
    ]
    said = select(AuditRecord.action, AuditRecord.why).where(AuditRecord.why == WHY).order_by(AuditRecord.id)
    assert [tuple(row) for row in db.session.execute(said)] == [("settlement.bounced", WHY), ("payee.frozen", WHY)]


def test_its_account_is_not_paid_before_somebody_has_looked(finance: Finance) -> None:
    bounce(finance, closed(finance))
    assert finance.account(finance.feng).frozen_because == WHY
    finance.settle(HOUSE, 100)
    assert finance.left_out(finance.draft()) == {finance.feng: LeftOut.FROZEN}

    in_transaction(payees.release, account=finance.account(finance.feng).public_id, person_id=finance.approver)
    finance.settle(finance.feng, 1000)
    again = finance.draft()
    assert finance.paying(again)[finance.feng] == 4662
    row, line = finance.batch(again), finance.line(again, finance.feng)
    assert tracing.parts_of(db.session(), line, row)[0] == 0  # the taken-back payment counts for nothing


def test_an_account_that_was_changed_meanwhile_stays_as_it_is(finance: Finance) -> None:
    batch = closed(finance)
    finance.payee(finance.feng, number="6217000000009999")
    bounce(finance, batch)
    assert finance.account(finance.feng).frozen_because == ""


@pytest.mark.parametrize("answer", ["none", "returned", "bounced"])
def test_only_what_was_confirmed_is_taken_back_and_only_once(finance: Finance, answer: str) -> None:
    batch = ready(finance).sent()
    if answer == "returned":
        finance.send_back(batch, finance.feng)
    if answer == "bounced":
        finance.confirm(batch, finance.feng)
        bounce(finance, batch)
    owed_before, entries = finance.owed(finance.feng), db.session.query(Entry).count()
    with pytest.raises(bouncing.NotConfirmed):
        bounce(finance, batch)
    with pytest.raises(NotFound):
        in_transaction(bouncing.bounce, batch=batch, line="nobody", reason=WHY, actor="person:1")
    assert (finance.owed(finance.feng), db.session.query(Entry).count()) == (owed_before, entries)


def test_two_people_at_once_take_it_back_once(real_finance: Finance) -> None:
    batch = closed(real_finance)
    outcomes = race([lambda: bounce(real_finance, batch)] * 3)
    assert sorted(str(type(each).__name__) for each in outcomes) == ["NoneType", "NotConfirmed", "NotConfirmed"]
    assert real_finance.owed(real_finance.feng) == 3662


def test_the_database_knows_what_can_be_taken_back(real_finance: Finance) -> None:
    batch = ready(real_finance).sent()
    real_finance.confirm(batch, real_finance.feng)
    bounce(real_finance, batch)
    is_fengs = BatchLine.owner == real_finance.feng[1]
    for which, values in ((~is_fengs, {"bounced_at": clock.now()}), (is_fengs, {"bounced_at": None})):
        with pytest.raises(IntegrityError), db.engine.begin() as connection:
            connection.execute(update(BatchLine).where(which).values(**values))


def test_the_banks_file_says_it(finance: Finance) -> None:
    batch = closed(finance)
    feng, house = finance.line(batch, finance.feng).public_id, finance.line(batch, HOUSE).public_id

    def apply(text: str) -> list[V]:
        found = in_transaction(answers.apply, batch=batch, content=(HEAD + text).encode(), actor="person:1")
        return [each.verdict for each in found]

    assert apply(f"{feng},3662,bounced,\n{house},319,bounced,x\n") == [V.NO_REASON, V.OTHER_AMOUNT]
    assert finance.owed(finance.feng) == 0
    text = f"{feng},3662,bounced,{WHY}\n{house},318,paid,B-1\n"
    assert apply(text) == [V.BOUNCES, V.REPEATS]
    assert apply(text) == [V.REPEATS, V.REPEATS]
    assert apply(f"{feng},3662,paid,B-1\n{house},318,returned,x\n") == [V.REPEATS, V.ANSWERED]
    assert (finance.owed(finance.feng), finance.owed(HOUSE)) == (3662, 0)


def test_a_file_that_tells_it_before_the_payment_was_recorded_returns_it(finance: Finance) -> None:
    batch = ready(finance).sent()
    feng = finance.line(batch, finance.feng).public_id
    content = f"{HEAD}{feng},3662,bounced,{WHY}\n".encode()
    for verdict in (V.RETURNS, V.REPEATS):
        (judged,) = in_transaction(answers.apply, batch=batch, content=content, actor="person:1")
        assert judged.verdict is verdict
    assert finance.line_state(batch, finance.feng) is LineState.RETURNED
    assert finance.owed(finance.feng) == 3662


def test_the_gateway_that_pays_out_is_told_and_the_proof_holds(finance: Finance) -> None:
    batch = ready(finance).sent()
    cashier: Any = gateways().get("sandbox")
    cashiers.opened(cashier)
    for step in ("confirmed", "bounced"):
        finance.confirm(batch, finance.feng) if step == "confirmed" else bounce(finance, batch)
        for _again in range(2):
            assert not running.reconcile(cashier, actor="test").is_red
    moved = select(GatewayMovement.type, GatewayMovement.gross).order_by(GatewayMovement.id)
    found = [tuple(row) for row in db.session.execute(moved)]
    assert found == [("payout", -3662), ("payout_failure", 3662)]
    cashier.storage.dispose()


def test_the_statement_explains_it(finance: Finance) -> None:
    bounce(finance, closed(finance))
    month = clock.today().replace(day=1)
    found = statements.statement(db.session(), finance.feng, month, book="test")
    told = [(row.kind, row.fen, telling.explanation(row)) for row in found.rows]
    assert told[1:] == [("payout", -3662, "已付到"), ("payout_bounced", 3662, WHY)]
    assert (found.closing_fen, found.sum_of("payout", "payout_bounced")) == (3662, 0)


def test_a_person_of_the_province_enters_it(finance: Finance, client: FlaskClient) -> None:
    batch = closed(finance)
    sign_in_as(client, db.session.get_one(Person, finance.drafter))
    here = f"/operator/settlements/{batch}"
    line = finance.line(batch, finance.feng).public_id
    assert "银行又把钱收回了" in client.get(f"{here}/lines/{line}").text
    refused = post(client, f"{here}/lines/{line}/bounce", {"reason": " "})
    assert refused.status_code == 422 and "写明银行为什么收回" in refused.text
    assert finance.owed(finance.feng) == 0

    assert "好了。" in client.get(post(client, f"{here}/lines/{line}/bounce", {"reason": WHY}).headers["Location"]).text
    again = client.get(post(client, f"{here}/lines/{line}/bounce", {"reason": "再来"}).headers["Location"])
    assert "现在是这样" in again.text and "被银行收回" in again.text and WHY in again.text
    page = client.get(f"{here}/lines/{line}").text
    assert WHY in page and "/bounce" not in page
    account = finance.account(finance.feng).public_id
    assert WHY in client.get(f"/operator/payees/{account}").text
    given: dict[str, Any] = {"content": f"{HEAD}{line},3662,bounced,{WHY}"}
    assert "1 行里记下了 0 行" in client.get(post(client, f"{here}/answer", given).headers["Location"]).text


@pytest.mark.parametrize("role", ["auditor", "seller", "station_manager"])
def test_others_enter_nothing(finance: Finance, client: FlaskClient, role: str) -> None:
    batch = closed(finance)
    signed_in(client, role, **({"station": "140000"} if role == "auditor" else {}))
    line = finance.line(batch, finance.feng).public_id
    assert post(client, f"/operator/settlements/{batch}/lines/{line}/bounce", {"reason": WHY}).status_code == 403
    assert finance.owed(finance.feng) == 0


def test_what_was_paid_and_taken_back_is_not_paid_out(finance: Finance) -> None:
    batch = closed(finance)
    bounce(finance, batch)
    assert owed.under_way(db.session(), [finance.feng], "test") == set()
