"""The demonstration's past, lived through the real commands: it must stand every check that a real one stands."""

from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings.models import StockMovement, Variant
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.transitions import EventRow
from marketplace.demo import history, journeys
from marketplace.demo.people import person_id
from marketplace.ledger import books
from marketplace.ledger.models import Entry
from marketplace.notifications.models import Message
from marketplace.orders.batches.models import BatchLine, SettlementBatch
from marketplace.orders.batches.states import BatchState, LineState
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.states import CaseState
from marketplace.orders.groups.models import GroupBuy
from marketplace.orders.groups.states import GroupState
from marketplace.orders.models import Order, Parcel, RefundLine
from marketplace.orders.states import OrderState, ParcelState
from marketplace.payments.gateways import gateways
from marketplace.payments.models import Refund
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.site import station_pages

pytestmark = pytest.mark.full


@pytest.fixture
def lived(history_app: Flask) -> Iterator[Session]:
    with history_app.app_context():
        yield db.session()


def test_the_past_adds_up_and_reaches_every_desk(lived: Session, history_app: Flask) -> None:
    orders, parcels = Counter(lived.scalars(select(Order.state))), Counter(lived.scalars(select(Parcel.state)))
    moved = lived.execute(
        select(StockMovement.variant_code, func.sum(StockMovement.on_hand_change)).group_by("variant_code")
    )
    latest = max(lived.scalars(select(func.max(EventRow.at))).one(), lived.scalars(select(func.max(Entry.at))).one())
    first = lived.scalars(select(func.min(Entry.at)).where(Entry.kind == "capture")).one()  # devices were promised before
    with history_app.test_request_context():
        lit = [place for each in station_pages.directory(lived) for place in each.places if place.is_lit]

    assert sum(orders.values()) == 79 + 5 + 4  # those of groups, and a canteen's
    assert Counter(lived.scalars(select(GroupBuy.state))) == {GroupState.OPEN: 1, GroupState.REACHED: 1}
    assert parcels[ParcelState.AWAITING_GROUP] == 2
    assert orders[OrderState.COMPLETED] >= 20 and orders[OrderState.EXPIRED] == orders[OrderState.CANCELLED] == 1
    assert parcels[ParcelState.SETTLED] >= 40 and parcels[ParcelState.REFUSED] == parcels[ParcelState.READY_FOR_PICKUP] == 1
    cases = Counter(lived.scalars(select(AfterSalesCase.state)))
    assert cases == Counter((CaseState.REQUESTED, CaseState.REFUNDED, CaseState.APPROVED, CaseState.REJECTED))
    assert books.balance(lived, "buyer_clearing", book="test") == 0
    assert books.balance(lived, "seller_payable", person_id("seller"), book="test") < 0
    assert Counter(lived.scalars(select(SettlementBatch.state))) == {BatchState.CLOSED: 1, BatchState.DRAFTED: 1}
    assert set(lived.scalars(select(BatchLine.state))) == {LineState.CONFIRMED, LineState.DUE}
    assert books.balance(lived, "payout_in_transit", book="test") == 0
    assert set(moved) == set(lived.execute(select(Variant.code, Variant.on_hand)))
    assert (clock.now() - first).days in {32, 33, 34, 35}
    assert latest <= clock.now()
    assert len(lit) >= 40


def test_a_part_of_a_parcel_was_refunded_and_its_buyer_was_told(lived: Session) -> None:
    lines = lived.scalars(select(RefundLine).join(Refund).where(Refund.reason == journeys.DAMAGE)).all()
    letters = [text for text in lived.scalars(select(Message.text)) if journeys.DAMAGE in text]

    assert [line.quantity for line in lines] == [1]
    assert len(letters) == 1 and "钱已经在路上" in letters[0]


def test_no_webhook_is_left_to_be_sent(lived: Session) -> None:
    cashier = gateways().get("sandbox")
    assert isinstance(cashier, SandboxCashier)
    with cashier.storage.connect() as connection:
        sent, waiting = connection.execute(
            select(func.count(), func.count().filter(~storage.webhook.c.is_delivered)).select_from(storage.webhook)
        ).one()
    cashier.storage.dispose()
    assert sent > 50 and waiting == 0


def test_a_past_is_lived_once(lived: Session) -> None:
    before = lived.scalar(select(func.count()).select_from(EventRow))

    history.play()

    assert lived.scalar(select(func.count()).select_from(EventRow)) == before
