"""A seller whose apples several people have ordered, all of it taken on by the station."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.models import OrderLine
from marketplace.orders.receiving import arriving, owed
from marketplace.orders.receiving.planning import Count
from tests.orders.conftest import JIXIAN, Shop, build_shop, parcels


@pytest.fixture
def shop(real_app: Flask) -> Iterator[Shop]:
    yield (built := build_shop(real_app))
    built.cashier.storage.dispose()


def accepted(shop: Shop, **packs: int) -> str:
    """An order that was paid, and that its stations have taken on; its number."""
    number = shop.paid_order(shop.browser(), **packs)
    for parcel in [each.public_id for each in parcels(number)]:
        in_transaction(fulfilment.accept, parcel=parcel, station=None, actor="clerk")
    return number


def delivery(station: str = JIXIAN) -> owed.Delivery:
    """What the one seller of the station owes."""
    db.session.rollback()
    (found,) = owed.of_station(db.session(), station)
    return found


def bring(shop: Shop, station: str = JIXIAN, **count: Any) -> str:
    """So many of the station's one pack come; everything where nothing is said. The arrival's id."""
    found = delivery(station)
    counts = {found.packs[0].code: Count(**count)} if count else None
    told: dict[str, Any] = {"station": station, "seller": found.seller, "seen": found.mark, "actor": "clerk"}
    return in_transaction(arriving.receive, counts=counts, **told)


def packs(number: str) -> list[tuple[int, int, int]]:
    """(brought, missing, refunded) of each line of an order."""
    db.session.rollback()
    ids = [parcel.id for parcel in parcels(number)]
    lines = db.session.scalars(select(OrderLine).where(OrderLine.parcel_id.in_(ids)).order_by(OrderLine.id))
    return [(line.received_quantity, line.missing_quantity, line.refunded_quantity) for line in lines]
