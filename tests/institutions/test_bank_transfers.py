"""Statements that are paid at the bank: by two people, once, to the fen; and what goes back of it goes the same way."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.orders import refunding
from marketplace.orders.institutions import bank_transfers, keeping, paying_bills
from marketplace.orders.institutions.bank_transfers import OtherSum
from marketplace.orders.institutions.states import StatementState
from marketplace.orders.models import Order
from marketplace.orders.states import OrderState
from marketplace.payments import attempts
from marketplace.payments.by_bank import recording
from marketplace.payments.by_bank.models import BankTransfer
from marketplace.payments.by_bank.states import BankTransferState as S
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState
from tests import factories
from tests.factories import sign_in_as
from tests.institutions.conftest import Canteen, differences
from tests.orders.conftest import balances, get, parcels, post

APPLES, SHIPPING = 3980, 600


@pytest.fixture
def due(canteen: Canteen) -> str:
    """A statement over two boxes of apples and their shipping."""
    number = canteen.order(apples=2)
    canteen.deliver(number)
    canteen.accept_all(number)
    return canteen.bill().public_id


def second() -> Person:
    return factories.make_person("finance_operator")


def record(canteen: Canteen, statement: str, *, by: Person | None = None, **changes: Any) -> str:
    given: dict[str, Any] = {"institution": canteen.public_id, "statement": statement, "fen": 2 * APPLES + SHIPPING}
    given |= {"number": "N2026112600017", "on": clock.today(), "person_id": (by or canteen.operator).id} | changes
    return in_transaction(bank_transfers.record, **given)


def confirm(transfer: str, by: Person) -> None:
    in_transaction(bank_transfers.confirm, transfer=transfer, person_id=by.id)


def only() -> BankTransfer:
    db.session.rollback()
    return db.session.scalars(select(BankTransfer)).one()


def the_order() -> str:
    db.session.rollback()
    return db.session.scalars(select(Order.number)).one()


def test_what_two_people_found_at_the_bank_pays_the_statement(canteen: Canteen, due: str) -> None:
    made = record(canteen, due)
    assert canteen.statements()[0].state is StatementState.OPEN and balances(due) == {}

    confirm(made, second())

    order = get(the_order())
    assert (canteen.statements()[0].state, order.state) == (StatementState.PAID, OrderState.PAID)
    assert canteen.row.outstanding_fen == 0
    assert balances(due) == {"gateway_clearing": 8560, "buyer_clearing": -8560}
    assert balances(order.number)["buyer_clearing"] == 8560
    paid = db.session.scalars(select(Attempt)).one()
    assert (paid.gateway, paid.fen, paid.state, paid.purpose) == ("bank", 8560, AttemptState.SUCCEEDED, "statement")
    assert differences(canteen) == []


def test_nobody_confirms_their_own_or_for_their_own_institution_and_nothing_twice(canteen: Canteen, due: str) -> None:
    made = record(canteen, due)
    cook = second()
    given: dict[str, Any] = {"institution": canteen.public_id, "person_id": canteen.payer.id, "role": keeping.PURCHASER}
    in_transaction(keeping.add_member, **given, address=str(cook.email))
    for who, refusal in ((canteen.operator, recording.SamePerson), (cook, keeping.OwnApplication)):
        with pytest.raises(refusal):
            confirm(made, who)
    with pytest.raises(keeping.OwnApplication):
        record(canteen, due, by=cook, number="N2")
    with pytest.raises(NotFound):
        confirm("0" * 16, second())
    assert (only().state, canteen.statements()[0].state) == (S.RECORDED, StatementState.OPEN)

    confirm(made, second())
    for again in (recording.confirm, recording.withdraw):
        with pytest.raises(StaleState):
            in_transaction(again, transfer=made, person_id=second().id)
    with pytest.raises(paying_bills.NothingToPay):
        record(canteen, due, number="N3")
    assert db.session.query(Attempt).count() == 1 and differences(canteen) == []


def test_another_sum_the_same_line_of_the_bank_and_anothers_statement_are_refused(canteen: Canteen, due: str) -> None:
    with pytest.raises(OtherSum):
        record(canteen, due, fen=8559)
    with pytest.raises(NotFound):
        record(canteen, "ST-22222222")
    made = record(canteen, due)
    with pytest.raises(recording.KnownAlready):
        record(canteen, due)
    in_transaction(recording.withdraw, transfer=made, person_id=canteen.operator.id)
    again = record(canteen, due)
    confirm(again, second())
    assert canteen.statements()[0].state is StatementState.PAID and differences(canteen) == []


def test_a_sum_that_a_credit_lowered_meanwhile_goes_back_by_bank(canteen: Canteen, due: str) -> None:
    made = record(canteen, due)
    (parcel,) = parcels(the_order())
    (line,) = parcel.lines
    units: dict[str, Any] = {"parcel": parcel.public_id, "units": {line.public_id: 1}, "with_shipping": False}
    in_transaction(refunding.refund_units, **units, station=None, reason="坏了", actor="clerk")

    confirm(made, second())

    assert canteen.statements()[0].state is StatementState.OPEN and canteen.row.outstanding_fen == 4580
    canteen.shop.work()
    send_back(canteen, 8560)
    again = record(canteen, due, fen=4580, number="N2")
    confirm(again, second())
    assert canteen.statements()[0].state is StatementState.PAID and differences(canteen) == []


def send_back(canteen: Canteen, fen: int) -> None:
    """No machine does: by two people, at the bank's counter."""
    waiting = db.session.scalars(select(Refund).where(Refund.state == RefundState.REQUESTED)).one()
    assert waiting.fen == fen
    refund = waiting.public_id
    sent: dict[str, Any] = {"refund": refund, "on": clock.today(), "person_id": canteen.operator.id}
    made = in_transaction(recording.record_refund, **sent, number="OUT1")
    with pytest.raises(recording.SamePerson):
        confirm(made, canteen.operator)
    confirm(made, second())
    row = db.session.scalars(select(Refund).where(Refund.public_id == refund)).one()
    assert row.state is RefundState.SUCCEEDED and differences(canteen) == []
    with pytest.raises(NotFound):
        in_transaction(recording.record_refund, **sent, number="OUT2")


def test_a_refund_after_it_was_paid_by_bank_is_sent_by_people(canteen: Canteen, due: str) -> None:
    confirm(record(canteen, due), second())
    (parcel,) = parcels(the_order())
    in_transaction(refunding.refund_rest, parcel=parcel.public_id, station=None, reason="坏了", actor="clerk")
    canteen.shop.work()
    assert differences(canteen) == []
    send_back(canteen, 8560)
    assert balances(due) == {"buyer_clearing": -8560, "seller_held": 7324, "station_held": 1236}
    assert balances(the_order()) == {"buyer_clearing": 8560, "seller_held": -7324, "station_held": -1236}


@pytest.mark.parametrize("cashier_first", [True, False])
def test_paid_at_the_cashier_and_at_the_bank_one_of_them_goes_back(canteen: Canteen, due: str, cashier_first: bool) -> None:
    made = record(canteen, due)
    given: dict[str, Any] = {"institution": canteen.public_id, "statement": due, "person_id": canteen.payer.id}
    attempt = in_transaction(paying_bills.start, **given)
    attempts.submit(attempt, return_url="http://localhost/", description=due)
    if not cashier_first:
        confirm(made, second())
    canteen.shop.pay(due)
    canteen.shop.work()
    if cashier_first:
        confirm(made, second())
        canteen.shop.work()
        send_back(canteen, 8560)
    with clock.at(clock.now() + timedelta(minutes=5)):
        canteen.shop.cashier.finish_refunds()
        canteen.shop.work()
    assert canteen.statements()[0].state is StatementState.PAID and differences(canteen) == []
    assert balances(due)["buyer_clearing"] == -8560 and balances(due)["gateway_clearing"] == 8560
    assert len({row.gateway for row in db.session.scalars(select(Attempt))}) == 2


def test_on_the_pages(canteen: Canteen, due: str) -> None:
    def of(person: Person) -> FlaskClient:
        client = canteen.shop.browser()
        sign_in_as(client, person)
        return client

    first, other, payer = of(canteen.operator), of(second()), of(canteen.payer)
    desk, asked = f"/operator/institutions/{canteen.public_id}", f"transfer-{due}-"
    where = f"{desk}/statements/{due}/transfer"
    typed = {f"{asked}sum": "85.60", f"{asked}number": "n001", f"{asked}on": clock.today().isoformat()}
    assert "记一笔银行转账" in first.get(desk).text
    for wrong, said in (({"sum": "85.59"}, "¥85.60"), ({"sum": "x"}, "39.80"), ({"number": ""}, "银行流水号")):
        answer = post(first, where, typed | {f"{asked}{name}": value for name, value in wrong.items()})
        assert (answer.status_code == 422 and said in answer.text and 'value="n001"' in answer.text) or "number" in wrong
    late = post(first, where, typed | {f"{asked}on": (clock.today() + timedelta(days=2)).isoformat()})
    assert late.status_code == 422 and "这一天还没到" in late.text
    assert post(payer, where, typed).status_code == 403
    assert db.session.query(BankTransfer).count() == 0

    assert post(first, where, typed).status_code == 303
    twice = post(first, where, typed)
    assert twice.status_code == 422 and "已经记过了" in twice.text
    assert (only().bank_reference, only().fen, only().moved_on) == ("N001", 8560, clock.today())
    statement = f"/institutions/{canteen.public_id}/statements/{due}"
    assert "收到银行转账 ¥85.60" in payer.get(statement).text and f"附言写 {due}" in payer.get(statement).text
    here = "/operator/bank-transfers"
    assert "要另一个人确认" in first.get(here).text and "银行查到了" in other.get(here).text
    post(first, f"{here}/{only().public_id}/confirmation", {})
    assert "不能自己确认" in first.get(here).text and only().state is S.RECORDED
    for _twice in range(2):
        assert post(other, f"{here}/{only().public_id}/confirmation", {}).status_code == 303
    assert only().state is S.CONFIRMED and "已付" in payer.get(statement).text
    assert post(other, f"{here}/{only().public_id}/rubbish", {}).status_code == 404

    (parcel,) = parcels(the_order())
    in_transaction(refunding.refund_rest, parcel=parcel.public_id, station=None, reason="坏了", actor="clerk")
    refund = db.session.scalars(select(Refund.public_id)).one()
    desk_link = f'href="{desk}"'
    to_send = first.get(here).text
    assert "要从银行退回去的" in to_send and to_send.count(desk_link) == 2
    assert "银行流水号 N001：退回转来的那个账户" in to_send  # else nobody knew whom to send it to, and where
    back = {f"{refund}-number": "", f"{refund}-on": clock.today().isoformat()}
    assert post(first, f"{here}/refunds/{refund}", back).status_code == 422
    assert post(first, f"{here}/refunds/{refund}", back | {f"{refund}-number": "n001"}).status_code == 303
    sent = first.get(here).text
    assert "要从银行退回去的" not in sent and sent.count(desk_link) == 2
    assert sent.count(f"<dd>{due}</dd>") == 2  # what came, and what went back of it
    reader = canteen.shop.browser()
    factories.signed_in(reader, "auditor")
    page = reader.get(here)
    assert page.status_code == 200 and "银行查到了" not in page.text
    assert post(reader, f"{here}/refunds/{refund}", back).status_code == 403
    assert differences(canteen) == []
