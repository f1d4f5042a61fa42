"""What tests of after-sales cases do again and again: an order that has arrived, and commands by their shortest names."""

import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.cases import appealing, opening
from marketplace.orders.cases.finding import EVERYWHERE, Reach
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal
from marketplace.orders.cases.rules import Kind, Wish
from marketplace.orders.cases.states import Party
from marketplace.payments.models import Refund
from tests import factories
from tests.orders.conftest import JIXIAN, Shop
from tests.orders.refunding import Box, box, lines_of

HERE = Reach(station=JIXIAN)
PICTURE: dict[str, Any] = {"digest": "0" * 64, "width": 40, "height": 30}


STEPS: tuple[tuple[Any, dict[str, str]], ...] = (
    (fulfilment.accept, {}),
    (fulfilment.collect, {}),
    (fulfilment.pack, {"shelf": "A"}),
    (fulfilment.ship, {"carrier": "邮政", "tracking_number": "123456"}),
)
PAID = {"gateway_clearing": 6997, "seller_held": -3 * 1839, "station_held": -3 * 160 - 1000}
ONE_BACK = {"gateway_clearing": 6997, "seller_held": -2 * 1839, "station_held": -2 * 160 - 667, "refund_in_transit": -2332}
DAMAGED: dict[str, Any] = {"kind": Kind.DAMAGED, "pictures": [PICTURE]}


@dataclass(frozen=True)
class Bought:
    """An order of apples that has arrived, by names that outlive rows."""

    parcel: Box
    line: str
    client: FlaskClient

    @property
    def number(self) -> str:
        return self.parcel.order


def bought(shop: Shop, quantity: int = 3) -> Bought:
    buyer = shop.browser()
    parcel = deliver(shop.paid_order(buyer, apples=quantity))
    return Bought(parcel, lines_of(parcel)[0], buyer)


def ship(number: str) -> Box:
    """The first parcel of a paid order is given to the courier."""
    parcel = box(number)
    for command, more in STEPS:
        in_transaction(command, parcel=parcel.public_id, station=None, actor="clerk", **more)
    return parcel


def deliver(number: str) -> Box:
    """It has arrived."""
    parcel = ship(number)
    in_transaction(fulfilment.deliver, parcel=parcel.public_id, station=None, actor="clerk")
    return parcel


def open_case(of: Bought, quantity: int = 1, kind: Kind = Kind.WRONG, wish: Wish = Wish.REFUND, **given: Any) -> str:
    said: dict[str, Any] = {"number": of.number, "line": of.line, "words": "不是我订的", "pictures": [], "actor": "guest"}
    return in_transaction(opening.open_case, **{**said, "quantity": quantity, "kind": kind, "wish": wish, **given})


def case_of(public_id: str) -> AfterSalesCase:
    db.session.rollback()
    return db.session.scalars(select(AfterSalesCase).where(AfterSalesCase.public_id == public_id)).one()


def appeal_of(public_id: str) -> CaseAppeal:
    case = case_of(public_id)
    return db.session.scalars(select(CaseAppeal).where(CaseAppeal.case_id == case.id)).one()


def do(command: Any, case: str, **given: Any) -> Any:
    """A station's step, unless it says otherwise."""
    return in_transaction(command, case=case, **{"reach": HERE, "actor": "person:1", "why": "看过了", **given})


def appeal(case: str, party: Party = Party.BUYER, reach: Reach = EVERYWHERE) -> str:
    return in_transaction(appealing.ask, case=case, reach=reach, party=party, words="我不同意", actor="guest")


def picture(colour: str = "brown") -> tuple[io.BytesIO, str]:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(buffer, "JPEG")
    buffer.seek(0)
    return buffer, "apple.jpg"


def later(**delta: float) -> Any:
    return time_machine.travel(clock.now() + timedelta(**delta), tick=False)


def arrive(shop: Shop) -> None:
    shop.work()
    with later(minutes=5):
        shop.cashier.finish_refunds()
        shop.work()


@pytest.fixture(autouse=True)
def small_boxes(shop: Shop) -> None:
    """Three of them cost 59.97 and 10.00 of shipping; they may be returned within seven days."""
    listing = factories.make_listing(return_policy="7d_no_reason")
    shop.apples = factories.make_variant(listing, price_fen=1999).code


@pytest.fixture
def delivered(shop: Shop) -> Bought:
    return bought(shop)


def everything() -> tuple[int, int]:
    """How many cases and refunds there are."""
    db.session.rollback()
    return (
        db.session.scalar(select(func.count()).select_from(AfterSalesCase)) or 0,
        db.session.scalar(select(func.count()).select_from(Refund)) or 0,
    )
