"""Somebody who received apples: an order as its story would have left it, written down at once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings.customer_reviews.finding import Reach
from listings.customer_reviews.models import CustomerReview, FeedbackCount
from listings.customer_reviews.writing import Said
from listings.models import Listing
from marketplace.core import clock, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import fingerprint
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.received import reviewing
from marketplace.orders.states import OrderState, ParcelState
from tests.factories import STATION, make, make_category, make_listing, make_shipping, make_station, make_variant

PICTURE: dict[str, Any] = {"digest": "0" * 64, "width": 40, "height": 30}
OTHER_PICTURE: dict[str, Any] = {"digest": "1" * 64, "width": 40, "height": 30}
GOOD = Said(5, "果子脆，汁多，箱子没压。")
HERE = Reach(station=STATION)
PHONE = "13835172045"


@dataclass(frozen=True)
class Bought:
    """By names that outlive rows."""

    number: str
    line: str
    parcel: str
    listing: str

    def write(self, said: Said = GOOD) -> str:
        return in_transaction(reviewing.write, number=self.number, line=self.line, said=said, actor="guest")


@pytest.fixture
def apples(app: Flask) -> Listing:
    return for_sale()


def for_sale() -> Listing:
    make_station()
    make_category()
    make_shipping()
    listing = make_listing()
    make_variant(listing)
    return listing


@pytest.fixture
def bought(apples: Listing) -> Bought:
    return buy(apples)


def buy(listing: Listing, *, buyer_id: int | None = None, state: ParcelState = ParcelState.DELIVERED, **line: Any) -> Bought:
    """An order of two boxes that has arrived, unless its parcel stands otherwise."""
    now = clock.now()
    number, public_id = ids.order_number(), ids.public_id()
    sums = {"goods_fen": 7960, "shipping_fen": 600}
    where = {"province_code": "140000", "city": "太原", "street": "平阳路 128 号"}
    who = {"recipient": "郭晓芸", "phone": PHONE, "phone_fingerprint": fingerprint(PHONE, "order.phone")}
    when = {"placed_at": now - timedelta(days=4), "pay_by": now, "paid_at": now - timedelta(days=4)}
    whole = {"number": number, "state": OrderState.PAID, "buyer_id": buyer_id, "book": "test", "total_fen": 8560}
    order = make(Order, whole | sums | where | who | when, {})
    arrived = {"delivered_at": now - timedelta(hours=1)} if state in {ParcelState.DELIVERED, ParcelState.SETTLED} else {}
    facts = {"order_id": order.id, "number": 1, "station_code": listing.station_code, "state": state, "delivery": "courier"}
    box = {"service_fee_fen": 636, "net_weight_grams": 5000, "promised_by": clock.today()}
    parcel = make(Parcel, facts | sums | box | arrived, {})
    names = {"listing_code": listing.code, "variant_code": f"{listing.code}-1", "seller_public_id": "x", "seller_name": ""}
    words = {"title_zh": listing.title_zh, "title_en": listing.title_en, "unit_zh": "5斤箱", "unit_en": "2.5 kg box"}
    figures = {"unit_price_fen": 3980, "unit_service_fee_fen": 318, "quantity": 2, "shipping_fen": 600}
    rest = {"net_weight_grams": 2500, "return_policy": "fresh_excluded", "drawing": "apple", "public_id": public_id}
    made = make(OrderLine, {"parcel_id": parcel.id} | names | words | figures | rest, line)
    return Bought(number, made.public_id, parcel.public_id, listing.code)


def review_of(public_id: str) -> CustomerReview:
    db.session.expire_all()
    return db.session.scalars(select(CustomerReview).where(CustomerReview.public_id == public_id)).one()


def counts(session: Session) -> dict[str, int]:
    """What is counted of the one listing; zeros are left out."""
    db.session.expire_all()
    row = session.scalar(select(FeedbackCount))
    names = [column.key for column in FeedbackCount.__table__.c][1:]
    return {name: getattr(row, name) for name in names if getattr(row, name)} if row else {}


def way_of(session: Session, subject: str) -> list[tuple[str, str]]:
    """The steps that left a trace."""
    steps = select(EventRow.from_state, EventRow.to_state).where(EventRow.subject == subject).order_by(EventRow.id)
    return [(row.from_state, row.to_state) for row in session.execute(steps)]


def how_many(session: Session, kind: Any) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0
