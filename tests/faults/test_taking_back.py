"""Fault 19 of docs/faults.md, and a worker that dies beside transfers and reversals.

After each: one charge, one effect, the trial balance zero, the audit silent, reconciliation clean."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.ledger import books
from marketplace.orders import refunding, settlement
from marketplace.orders.batches import approving, connecting, covering, drafting, payees
from marketplace.orders.batches.models import BatchLine, PayoutAccount
from marketplace.orders.batches.states import LineState
from marketplace.orders.models import OrderLine
from marketplace.payments.models import Refund
from marketplace.payments.sandbox import storage
from marketplace.payments.states import RefundState
from marketplace.payments.transfers import sending
from marketplace.payments.transfers.models import Reversal, Transfer
from marketplace.payments.transfers.states import PayeeState, TransferState as T
from tests.batches.test_where_money_goes import ship
from tests.factories import make_person, sign_in_as
from tests.faults.test_paying import assert_sound, charges
from tests.orders.conftest import JIXIAN, Shop, parcels, shop
from tests.public_ledger.racing import race

__all__ = ["shop"]

NUMBER = "6217001234567890"
GROWER_FEN = 3662  # of a box of apples, the fee taken off


@dataclass
class Grower:
    """The seller of the apples, known at the gateway, and what they were paid for."""

    shop: Shop
    owner: str
    there: str
    orders: list[str]

    @property
    def owes(self) -> int:
        db.session.rollback()
        return books.balance(db.session(), "seller_payable", self.owner, book="test")

    def account(self) -> PayoutAccount:
        db.session.rollback()
        return db.session.scalars(select(PayoutAccount).where(PayoutAccount.owner == self.owner)).one()

    def balance_there(self) -> int:
        return int(self.shop.cashier.look_up_payee(self.there).balance)

    def refund(self, number: str) -> None:
        (parcel,) = parcels(number)
        told: dict[str, Any] = {"units": {parcel.lines[0].public_id: 1}, "reason": "坏了", "actor": "c"}
        where: dict[str, Any] = {"parcel": parcel.public_id, "station": JIXIAN}
        in_transaction(refunding.refund_units, **where, **told, with_shipping=False)

    def work(self) -> None:
        """All of the worker's steps, until nothing waits."""
        for wait in (timedelta(), timedelta(minutes=1), timedelta(minutes=3)):
            with time_machine.travel(clock.now() + wait, tick=False):
                self.shop.cashier.finish_refunds()
                self.shop.work()
                while sending.send_transfer() or sending.send_reversal():
                    pass


def settled_order(shop: Shop) -> str:
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    ship(parcel.public_id, JIXIAN)
    in_transaction(settlement.confirm, number=number, parcel=parcel.public_id, actor="guest")
    return number


def known_grower(shop: Shop, *, orders: int = 1) -> Grower:
    """Their parcels have settled, the gateway knows them, and the province has looked at it."""
    numbers = [settled_order(shop) for _each in range(orders)]
    owner = db.session.scalars(select(OrderLine.seller_public_id).limit(1)).one()
    person = db.session.scalars(select(Person.id).where(Person.public_id == owner)).one()
    db.session.rollback()
    given: Any = {"owner_kind": "seller", "owner": owner, "holder": "冯", "bank": "农信", "number": NUMBER}
    in_transaction(payees.keep, person_id=person, **given)
    back = "http://127.0.0.1:8000/seller/account"
    there = connecting.connect(owner=("seller", owner), person_id=person, return_url=back).remote_id
    shop.cashier.say_who_they_are(there, PayeeState.VERIFIED, NUMBER[-4:])
    shop.work()
    grower = Grower(shop, owner, there, numbers)
    verifier = make_person("finance_operator", station="140000").id
    seen: Any = {"number": NUMBER, "revision": 1, "last4_there": NUMBER[-4:]}
    in_transaction(payees.verify, account=grower.account().public_id, person_id=verifier, **seen)
    return grower


def send_batch() -> None:
    drafter, approver = (make_person("finance_operator", station="140000").id for _each in range(2))
    batch = in_transaction(drafting.draft, station=JIXIAN, drafter_id=drafter)
    in_transaction(approving.approve, batch=batch, approver_id=approver)
    in_transaction(approving.send, batch=batch, way="transfer", actor=f"person:{drafter}")


def paid_grower(shop: Shop, *, orders: int = 1) -> Grower:
    grower = known_grower(shop, orders=orders)
    send_batch()
    grower.work()
    assert grower.balance_there() == orders * GROWER_FEN and grower.owes == 0
    return grower


def refund_states() -> list[RefundState]:
    db.session.rollback()
    return list(db.session.scalars(select(Refund.state)))


def states(kind: type[Transfer] | type[Reversal]) -> list[T]:
    db.session.rollback()
    return list(db.session.scalars(select(kind.state).order_by(kind.id)))


def moved(shop: Shop, kind: str) -> list[int]:
    """What the cashier has moved of this kind."""
    with shop.cashier.storage.connect() as connection:
        rows = select(storage.movement.c.gross).where(storage.movement.c.type == kind).order_by(storage.movement.c.at)
        return list(connection.scalars(rows))


def test_19_a_reversal_that_is_refused(shop: Shop) -> None:
    """The grower has the money at their bank: the buyer is refunded all the same, the grower owes it and is stopped."""
    grower = paid_grower(shop)
    assert shop.cashier.pay_payee_out(grower.there) == GROWER_FEN

    grower.refund(grower.orders[0])
    grower.work()

    assert refund_states() == [RefundState.SUCCEEDED] and moved(shop, "refund") == [-3980]
    assert states(Reversal) == [T.FAILED] and moved(shop, "transfer_refund") == []
    assert grower.owes == GROWER_FEN
    assert grower.account().frozen_because == covering.OWES
    operator = shop.browser()
    sign_in_as(operator, make_person("finance_operator", station="140000"))
    page = operator.get(f"/operator/payees/{grower.account().public_id}").text
    assert "¥36.62" in page and "没能收回" in page
    assert "停付" in operator.get("/operator/payees").text
    assert charges(shop) == 1 and moved(shop, "transfer") == [-GROWER_FEN]
    assert_sound(shop)


@pytest.mark.full
def test_19_a_reversal_that_works(shop: Shop) -> None:
    grower = paid_grower(shop)
    grower.refund(grower.orders[0])
    grower.work()

    assert refund_states() == [RefundState.SUCCEEDED]
    assert states(Reversal) == [T.SUCCEEDED] and moved(shop, "transfer_refund") == [GROWER_FEN]
    assert grower.owes == grower.balance_there() == 0
    assert grower.account().frozen_because == ""
    assert_sound(shop)


@pytest.mark.full
def test_19_a_refund_that_fails_after_its_reversal_worked_is_owed_again(shop: Shop) -> None:
    grower = paid_grower(shop)
    grower.refund(grower.orders[0])
    grower.work()
    shop.cashier.fail_refund(db.session.scalars(select(Refund.remote_id)).one() or "")
    grower.work()

    assert refund_states() == [RefundState.FAILED]
    assert grower.owes == -GROWER_FEN
    assert_sound(shop)
    send_batch()
    grower.work()
    assert grower.balance_there() == GROWER_FEN and grower.owes == 0
    assert_sound(shop)


class Killed(BaseException):
    """The process is gone: nothing after it runs."""


def die(*_args: object, **_given: object) -> None:
    raise Killed


@pytest.mark.full
@pytest.mark.parametrize(("kind", "step"), [(Transfer, sending.send_transfer), (Reversal, sending.send_reversal)])
@pytest.mark.parametrize("moment", ["before the gateway is asked", "between its success and our commit"])
def test_9_killed_beside_the_gateway(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: Any, step: Callable[[], bool], moment: str
) -> None:
    if kind is Transfer:
        grower = known_grower(shop)
        send_batch()
    else:
        grower = paid_grower(shop)
        grower.refund(grower.orders[0])
    with monkeypatch.context() as patch:
        patch.setattr(sending, "answer_to" if moment.startswith("before") else "arrive", die)
        with pytest.raises(Killed):
            step()
    db.session.remove()
    assert states(kind) == [T.SUBMITTING]

    grower.work()

    assert states(kind) == [T.SUCCEEDED]
    assert moved(shop, "transfer") == [-GROWER_FEN]
    assert moved(shop, "transfer_refund") == ([] if kind is Transfer else [GROWER_FEN])
    assert grower.owes == 0 and grower.balance_there() == (GROWER_FEN if kind is Transfer else 0)
    assert charges(shop) == 1
    assert_sound(shop)


@pytest.mark.full
def test_two_workers_send_one_transfer_once(shop: Shop) -> None:
    grower = known_grower(shop)
    send_batch()
    db.session.remove()
    (row,) = db.session.scalars(select(Transfer.id)).all()
    db.session.remove()
    race([lambda: sending.submit(Transfer, row)] * 4)

    assert moved(shop, "transfer") == [-GROWER_FEN] and grower.balance_there() == GROWER_FEN
    assert states(Transfer) == [T.SUCCEEDED]
    confirmed = select(func.count()).select_from(BatchLine).where(BatchLine.state == LineState.CONFIRMED)
    assert db.session.scalar(confirmed) == 1
    assert_sound(shop)


@pytest.mark.full
def test_two_refunds_at_once_take_back_no_more_than_is_owed(shop: Shop) -> None:
    grower = paid_grower(shop, orders=2)
    settled_order(shop)  # owed again: of two refunds only one is not covered by it
    first, second = grower.orders
    refused = race([lambda: grower.refund(first), lambda: grower.refund(second)])
    assert refused == [None, None]
    grower.work()

    assert moved(shop, "transfer_refund") == [GROWER_FEN]
    assert grower.owes == 0 and grower.balance_there() == GROWER_FEN
    assert refund_states() == [RefundState.SUCCEEDED] * 2
    assert_sound(shop)
