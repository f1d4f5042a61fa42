"""What sellers and stations read in their month about orders on account: each movement leads to its parcel."""

from datetime import timedelta
from typing import Any

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import refunding, settlement, undelivered
from marketplace.orders.batches import statements
from marketplace.orders.batches.owed import Owner
from tests.institutions.conftest import Canteen, next_month, send
from tests.orders.conftest import parcels

DESK: dict[str, Any] = {"station": None, "actor": "clerk"}


def rows_of(owner: Owner) -> list[tuple[str, int, str]]:
    db.session.rollback()
    month = clock.today().replace(day=1)
    found = statements.statement(db.session(), owner, month, book="test").rows
    return [(row.kind, row.fen, row.parcel) for row in found]


def test_a_refund_of_what_a_statement_paid_leads_to_its_parcel(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    (parcel,) = parcels(number)
    name, line, station = parcel.public_id, parcel.lines[0], parcel.station_code
    seller, apples = line.seller_public_id, line.public_id
    canteen.accept_all(number)
    canteen.pay(canteen.bill().public_id)
    with clock.at(next_month() + timedelta(days=8)):
        assert in_transaction(settlement.settle_due)
        given: dict[str, Any] = {"units": {apples: 1}, "with_shipping": False, "reason": "坏了"}
        in_transaction(refunding.refund_units, parcel=name, **DESK, **given)

        assert rows_of(("seller", seller)) == [("settle", 7324, name), ("refund", -3662, name)]
        assert rows_of(("station", station)) == [("settle", 1236, name), ("refund", -318, name)]


def test_what_was_lost_on_account_leads_to_its_parcel_on_both_sides(canteen: Canteen) -> None:
    (parcel,) = parcels(canteen.order(apples=2))
    name, station, seller = parcel.public_id, parcel.station_code, parcel.lines[0].seller_public_id
    send(name)

    in_transaction(undelivered.lose, parcel=name, **DESK, reason="车翻了")

    assert rows_of(("seller", seller)) == [("bill_lost", 7324, name)]
    assert rows_of(("station", station)) == [("bill_lost", -7324, name)]
