"""A dispute that was lost, for which goods were kept back, and that was won on appeal: its buyer is looked after."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import outbox
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.formats import yuan
from marketplace.ledger import books
from marketplace.notifications.models import Message
from marketplace.orders import fulfilment, kept, undelivered
from marketplace.orders.models import Order, Parcel
from marketplace.payments.disputes import following
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState
from tests.batches.test_where_money_goes import ship
from tests.factories import signed_in
from tests.orders.casework import deliver as arrived
from tests.orders.conftest import JIXIAN, Shop, build_shop, parcels, post

PAGE = "/operator/kept-goods"
WHY = "电话里说不要货了"
PAID = 2 * 3980 + 600


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    """One whose books are rolled back."""
    yield (built := build_shop(app))
    built.cashier.storage.dispose()


def kept_back(shop: Shop, *, is_lost_on_the_way: bool = False) -> str:
    """A parcel that was refused, or lost, after the bank had given its buyer the money; returns it."""
    number = shop.paid_order(shop.browser(), apples=2)
    (parcel,) = parcels(number)
    if is_lost_on_the_way:
        ship(parcel.public_id, JIXIAN)
    remote = shop.cashier.open_dispute(shop.remote_of(number))
    shop.work()
    shop.cashier.decide_dispute(remote, is_won=False)
    shop.work()
    who: dict[str, Any] = {"parcel": parcel.public_id, "station": JIXIAN, "actor": "clerk", "reason": "霜"}
    in_transaction(undelivered.lose if is_lost_on_the_way else fulfilment.refuse, **who)
    assert waiting() == []
    won = replace(shop.cashier.fetch_dispute(remote), status=DisputeState.WON, raw_status="won", is_reinstated=True)
    appeal = replace(won, status=DisputeState.UNDER_REVIEW, raw_status="appeal_under_review", is_reinstated=False)
    in_transaction(following.apply, remote=appeal, gateway="sandbox", why="appeal")
    assert waiting() == []
    with pytest.raises(kept.NothingKept):
        give_back(parcel.public_id)
    in_transaction(following.apply, remote=won, gateway="sandbox", why="won")
    return parcel.public_id


def waiting() -> list[tuple[str, int]]:
    db.session.rollback()
    return [(each.name, each.fen) for each in kept.page(db.session()).rows]


def give_back(parcel: str) -> str:
    return in_transaction(kept.give_back, name=parcel, actor="person:1", why=WHY)


def loss() -> int:
    db.session.rollback()
    return books.balance(db.session(), "chargeback_loss", "", book="test")


@pytest.mark.parametrize("is_lost_on_the_way", [False, True])
def test_its_buyer_gets_the_money_out_of_what_was_kept(shop: Shop, is_lost_on_the_way: bool) -> None:
    parcel = kept_back(shop, is_lost_on_the_way=is_lost_on_the_way)
    assert (waiting(), loss()) == ([(parcel, PAID)], -PAID)

    refund = give_back(parcel)

    assert (waiting(), loss()) == ([], 0)
    row = db.session.scalars(select(Refund)).one()
    assert (row.public_id, row.fen, row.reason, row.reason_key) == (refund, PAID, WHY, f"loss:{parcel}:0")
    said = select(AuditRecord.actor, AuditRecord.why).where(AuditRecord.action == "parcel.kept_given_back")
    assert list(db.session.execute(said)) == [("person:1", WHY)]
    with pytest.raises(kept.NothingKept):
        give_back(parcel)
    with pytest.raises(NotFound):
        give_back("nobody")


def test_what_did_not_arrive_waits_again(shop: Shop) -> None:
    parcel = kept_back(shop)
    give_back(parcel)
    shop.work()
    (first,) = db.session.scalars(select(Refund)).all()
    shop.cashier.fail_refund(str(first.remote_id))
    shop.work()
    assert (waiting(), loss()) == ([(parcel, PAID)], -PAID)
    give_back(parcel)
    states = db.session.scalars(select(Refund.state).order_by(Refund.id)).all()
    assert states == [RefundState.FAILED, RefundState.REQUESTED]
    assert (waiting(), loss()) == ([], 0)


def test_the_province_sees_it_and_refunds_with_a_reason(shop: Shop, client: FlaskClient) -> None:
    parcel = kept_back(shop)
    signed_in(client, "finance_operator")
    assert PAGE in client.get("/operator/disputes").text
    page = client.get(PAGE).text
    assert "¥85.60" in page and "吉县站" in page
    here = f"{PAGE}/{parcel}/refund"
    refused = post(client, here, {"why": " ", "idempotency_key": "k1"})
    assert refused.status_code == 422 and "请写明原因" in refused.text and waiting() == [(parcel, PAID)]
    for _time in range(2):
        assert post(client, here, {"why": WHY, "idempotency_key": "k1"}).status_code == 303
    assert waiting() == []
    again = client.get(post(client, here, {"why": WHY, "idempotency_key": "k2"}).headers["Location"]).text
    assert "没有等着处理的买家" in again and "已经没有等着处理的钱了" in again
    assert post(client, f"{PAGE}/nobody/refund", {"why": WHY, "idempotency_key": "k3"}).status_code == 404


@pytest.mark.parametrize("role", ["auditor", "station_manager", "seller"])
def test_others_refund_nothing(shop: Shop, client: FlaskClient, role: str) -> None:
    parcel = kept_back(shop)
    signed_in(client, role)
    reads = client.get(PAGE)
    assert reads.status_code == (200 if role == "auditor" else 403) and f"{parcel}/refund" not in reads.text
    assert post(client, f"{PAGE}/{parcel}/refund", {"why": WHY, "idempotency_key": "k"}).status_code == 403
    assert waiting() == [(parcel, PAID)]


@pytest.mark.parametrize("is_with_the_buyer", [False, True])
def test_the_buyer_is_told_once_that_the_bank_took_it_back(shop: Shop, is_with_the_buyer: bool) -> None:
    if is_with_the_buyer:
        number = arrived(shop.paid_order(shop.browser(), apples=2)).order
        remote = shop.cashier.open_dispute(shop.remote_of(number))
        shop.work()
        shop.cashier.decide_dispute(remote, is_won=False)
        shop.work()
        won = replace(shop.cashier.fetch_dispute(remote), status=DisputeState.WON, raw_status="won", is_reinstated=True)
        asked = replace(won, status=DisputeState.UNDER_REVIEW, raw_status="appeal_under_review", is_reinstated=False)
        for news in (asked, won):
            in_transaction(following.apply, remote=news, gateway="sandbox", why="appeal")
        words = "这笔付款照原来的算数。"
    else:
        parcel = kept_back(shop)
        number = db.session.scalars(select(Order.number).join(Parcel).where(Parcel.public_id == parcel)).one()
        words = f"不在你手里的货，省里退给你 {yuan(waiting()[0][1])}，你不用做什么。"
    for _twice in range(2):
        while outbox.deliver():
            pass
    db.session.rollback()
    told = list(db.session.scalars(select(Message.text).where(Message.fact.like("dispute_regained:%"))))
    assert told == [f"订单 {number}：你的银行把退给你的钱收回去了{'，' if is_with_the_buyer else '。'}{words}"]
