"""A station with two sellers who are owed something, made by the books' own functions: nothing here depends on orders."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.orders.batches import approving, confirming, drafting, payees
from marketplace.orders.batches.models import BatchLine, PayoutAccount, SettlementBatch
from marketplace.orders.batches.owed import Owner
from marketplace.orders.batches.states import BatchState, LeftOut, LineState
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import OrderState, ParcelState
from marketplace.stations.models import Seller
from tests.factories import STATION, make, make_person, make_shipping, make_station

NUMBERS = count(6_217_000_000_000_001)
KINDS = {"seller": "seller_payable", "station": "station_payable"}
HOUSE: Owner = ("station", STATION)


@dataclass
class Finance:
    """Two people of the province, two sellers at one station, and what happens to their money."""

    drafter: int
    approver: int
    feng: Owner
    qiao: Owner
    orders: dict[str, str]  # a seller's public id -> the number of an order of theirs

    def settle(self, owner: Owner, fen: int) -> None:
        """A parcel settles: from held to payable."""
        self.move(owner, fen, f"settle:{ids.public_id()}:{owner[1]}")

    def refund(self, owner: Owner, fen: int) -> None:
        """The buyer gets something back of what had settled."""
        self.move(owner, -fen, f"refund:{ids.public_id()}")

    def move(self, owner: Owner, fen: int, key: str) -> None:
        lines: Any = {(KINDS[owner[0]], owner[1]): Money(-fen), ("seller_held", "else"): Money(fen)}
        in_transaction(books.post, key=key, book="test", reference=self.orders.get(owner[1], "SX-22222222"), lines=lines)

    def owed(self, owner: Owner) -> int:
        db.session.rollback()
        return -books.balance(db.session(), KINDS[owner[0]], owner[1], book="test")

    def payee(self, owner: Owner, *, verified: bool = True, number: str = "") -> str:
        """A bank account of theirs; returns its public id."""
        typed = {"holder": "冯建国", "bank": "山西农信", "number": number or str(next(NUMBERS))}
        in_transaction(payees.keep, owner_kind=owner[0], owner=owner[1], person_id=self.drafter, **typed)
        account = self.account(owner)
        if verified:
            seen: Any = {"number": account.number, "revision": account.revision}
            in_transaction(payees.verify, account=account.public_id, person_id=self.approver, **seen)
        return account.public_id

    def account(self, owner: Owner) -> PayoutAccount:
        db.session.rollback()
        wanted = select(PayoutAccount).where(PayoutAccount.owner_kind == owner[0], PayoutAccount.owner == owner[1])
        return db.session.scalars(wanted).one()

    def draft(self) -> str:
        return in_transaction(drafting.draft, station=STATION, drafter_id=self.drafter)

    def approve(self, batch: str) -> None:
        in_transaction(approving.approve, batch=batch, approver_id=self.approver)

    def send(self, batch: str, way: Literal["file", "transfer"] = "file") -> None:
        in_transaction(approving.send, batch=batch, way=way, actor=f"person:{self.drafter}")

    def sent(self) -> str:
        """A batch that was drafted, approved and sent."""
        batch = self.draft()
        self.approve(batch)
        self.send(batch)
        return batch

    def confirm(self, batch: str, owner: Owner) -> None:
        line = self.line(batch, owner).public_id
        in_transaction(confirming.confirm, batch=batch, line=line, reference="B-1", actor="person:1")

    def send_back(self, batch: str, owner: Owner) -> None:
        line = self.line(batch, owner).public_id
        in_transaction(confirming.send_back, batch=batch, line=line, reason="户名不符", actor="person:1")

    def batch(self, batch: str) -> SettlementBatch:
        db.session.rollback()
        return db.session.scalars(select(SettlementBatch).where(SettlementBatch.public_id == batch)).one()

    def line(self, batch: str, owner: Owner) -> BatchLine:
        return self.lines(batch)[owner]

    def lines(self, batch: str) -> dict[Owner, BatchLine]:
        of = self.batch(batch).id
        rows = db.session.scalars(select(BatchLine).where(BatchLine.batch_id == of).order_by(BatchLine.id))
        return {(row.owner_kind, row.owner): row for row in rows}

    def paying(self, batch: str) -> dict[Owner, int]:
        return {owner: line.fen for owner, line in self.lines(batch).items() if line.left_out is LeftOut.NO}

    def left_out(self, batch: str) -> dict[Owner, LeftOut]:
        return {owner: line.left_out for owner, line in self.lines(batch).items() if line.left_out is not LeftOut.NO}

    def state(self, batch: str) -> BatchState:
        return self.batch(batch).state

    def line_state(self, batch: str, owner: Owner) -> LineState:
        return self.line(batch, owner).state


def balance(kind: str, owner: str = "") -> int:
    db.session.rollback()
    return books.balance(db.session(), kind, owner, book="test")


def an_order(session: Session, seller: str) -> str:
    """An order of a seller's goods, so that the station knows whose goods it sends."""
    numbers = {"goods_fen": 3980, "shipping_fen": 0}
    whom = {"recipient": "郭晓芸", "phone": "13835172045", "phone_fingerprint": "x", "province_code": "140000"}
    where = {"city": "太原", "street": "平阳路 128 号", "book": "test", "pay_by": clock.now(), "state": OrderState.COMPLETED}
    order = Order(**numbers, total_fen=3980, **whom, **where)
    session.add(order)
    session.flush()
    parcel = Parcel(order_id=order.id, number=1, station_code=STATION, delivery="courier", state=ParcelState.SETTLED)
    parcel.goods_fen, parcel.shipping_fen, parcel.service_fee_fen, parcel.net_weight_grams = 3980, 0, 318, 2500
    parcel.promised_by = clock.today()
    session.add(parcel)
    session.flush()
    goods = {"listing_code": "G1", "variant_code": "G1-1", "title_zh": "吉县红富士苹果", "title_en": "Apples", "quantity": 1}
    rest = {"unit_zh": "5斤箱", "unit_en": "box", "unit_price_fen": 3980, "unit_service_fee_fen": 318}
    more = {
        "net_weight_grams": 2500,
        "shipping_fen": 0,
        "return_policy": "x",
        "drawing": "x",
        "seller_name": "冯家",
        "seller_public_id": seller,
    }
    session.add(OrderLine(parcel_id=parcel.id, **goods, **rest, **more))
    return order.number


@pytest.fixture
def make_finance() -> Callable[[], Finance]:
    def made() -> Finance:
        make_station()
        make_shipping()
        people = [make_person("finance_operator", station="140000") for _each in range(2)]
        sellers = [make_person("seller", name=name) for name in ("冯建国", "乔素梅")]
        for person, name in zip(sellers, ("冯建国家", "乔家蜂场"), strict=True):
            words = {"kind": "household", "name_zh": name, "name_en": "", "village_zh": "", "story_zh": "", "story_en": ""}
            make(Seller, {"person_id": person.id, "station_code": STATION, "since": 2020} | words, {})
        feng, qiao = (("seller", person.public_id) for person in sellers)
        orders = {whose: in_transaction(an_order, whose) for _kind, whose in (feng, qiao)}
        numbers = people[0].id, people[1].id
        db.session.remove()
        return Finance(*numbers, feng, qiao, orders)

    return made


@pytest.fixture
def finance(app: Flask, make_finance: Callable[[], Finance]) -> Finance:
    return make_finance()


@pytest.fixture
def real_finance(real_app: Flask, make_finance: Callable[[], Finance]) -> Finance:
    return make_finance()
