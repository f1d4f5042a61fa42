"""Who hears of what: each of their own part, by public names alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from listings import drafting, reviewing
from listings.models import Listing
from listings.states import ListingState
from marketplace.accounts import people
from marketplace.accounts.models import Person
from marketplace.api.event_schemas import EVENTS
from marketplace.core.db import db, in_transaction
from marketplace.notifications.endpoints import WORDS, EventKind
from marketplace.notifications.models import Delivery, Endpoint
from marketplace.orders import fulfilment
from tests import factories
from tests.notifications.listener import Listener
from tests.notifications.partners import NOON, enter, heard, partner, work
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, build_shop, get, parcels

__all__ = ["partner"]
PROVINCE = {"scope_kind": "province", "scope_id": "140000"}


def test_every_kind_is_described() -> None:
    assert set(EVENTS) == {kind.value for kind in EventKind} == set(WORDS)


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    yield (built := build_shop(app))
    built.cashier.storage.dispose()


def bought(shop: Shop, buyer: Person, **packs: int) -> str:
    browser = shop.browser()
    factories.sign_in_as(browser, buyer)
    return shop.paid_order(browser, **packs)


def test_each_hears_of_their_own_part_and_of_nobody_elses(shop: Shop, partner: Listener) -> None:
    buyer, stranger, operator = factories.make_person(), factories.make_person(), factories.make_person("operator")
    here, there = factories.make_person("station_clerk"), factories.make_person("station_manager", station=QINXIAN)
    seller = db.session.get_one(
        Person, db.session.scalars(select(Listing.seller_id).where(Listing.station_code == JIXIAN)).one()
    )
    everywhere = factories.make_person("station_clerk")
    second = {"role": "station_clerk", "actor": "test", "scope_kind": "station", "scope_id": QINXIAN}
    in_transaction(people.grant, person_id=everywhere.id, **second)
    for person in (buyer, stranger, operator, here, there, seller, everywhere):
        enter(person, f"{partner.address}/{person.public_id}", EventKind.ORDER_PAID)
    late = factories.make_person("station_clerk")
    enter(late, f"{partner.address}/{late.public_id}", EventKind.ORDER_PAID, second_factor=False)
    number = bought(shop, buyer, apples=1, millet=1)
    work()

    rows = db.session.execute(select(Endpoint.person_id, Delivery.body).join(Delivery, Delivery.endpoint_id == Endpoint.id))
    told = {person: json.loads(body)["data"]["parcels"] for person, body in rows}
    both, first, other = [f"{number}-1", f"{number}-2"], [f"{number}-1"], [f"{number}-2"]
    of_stations = {here.id: first, there.id: other, everywhere.id: both}
    assert told == {buyer.id: both, operator.id: both, seller.id: first, **of_stations}
    order = get(number)
    for _headers, body in partner.heard:
        for personal in (order.recipient, order.phone, order.street, order.city):
            assert personal not in body.decode()


def test_an_address_of_before_hears_nothing_of_the_desk(shop: Shop, partner: Listener) -> None:
    """It was entered when its owner was a buyer like others: only what a buyer hears goes there, also of later roles."""
    person, here = factories.make_person(), {"scope_kind": "station", "scope_id": JIXIAN}
    with time_machine.travel(NOON, tick=False) as time:
        enter(person, f"{partner.address}/before")
        time.shift(timedelta(hours=1))
        in_transaction(people.grant, person_id=person.id, role="station_clerk", actor="test", **here)
        enter(person, f"{partner.address}/after")
        time.shift(timedelta(hours=1))
        in_transaction(people.grant, person_id=person.id, role="operator", actor="test", **PROVINCE)
        bought(shop, factories.make_person(), apples=1)
        far = bought(shop, factories.make_person(), millet=1)
        work()
        own = bought(shop, person, millet=1)
        work()

    deliveries = select(Endpoint.address, Delivery.fact).join(Delivery, Delivery.endpoint_id == Endpoint.id)
    told = [(address.rpartition("/")[2], fact) for address, fact in db.session.execute(deliveries)]
    assert sorted(where for where, _fact in told) == ["after", "after", "before"]
    assert (("before", f"order.paid:{own}") in told, ("after", f"order.paid:{own}") in told) == (True, True)
    assert all(far not in fact for _where, fact in told)


def test_a_parcel_and_a_refund_are_told_on_their_way(shop: Shop, partner: Listener) -> None:
    buyer = factories.make_person()
    enter(buyer, partner.address)
    number = bought(shop, buyer, apples=1)
    (parcel,) = parcels(number)
    whose = {"parcel": parcel.public_id, "station": JIXIAN, "actor": "test"}
    in_transaction(fulfilment.accept, **whose)
    in_transaction(fulfilment.collect, **whose)
    in_transaction(fulfilment.pack, **whose, shelf="A-2")
    in_transaction(fulfilment.ship, **whose, carrier="邮政", tracking_number="EY123456")
    in_transaction(fulfilment.deliver, **whose)
    work()

    same = {"order": number, "parcel": f"{number}-1", "is_test": True}
    assert heard(partner) == [
        ("order.paid", {"order": number, "parcels": [f"{number}-1"], "is_test": True}),
        ("parcel.shipped", same | {"state": "shipped"}),
        ("parcel.delivered", same | {"state": "delivered"}),
    ]


def test_a_refund_that_arrived_is_told(shop: Shop, partner: Listener) -> None:
    buyer = factories.make_person()
    enter(buyer, partner.address, EventKind.REFUND_SUCCEEDED)
    number = bought(shop, buyer, apples=1)
    (parcel,) = parcels(number)
    in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=JIXIAN, actor="test", reason="坏了")
    shop.work()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
        work()

    ((kind, data),) = heard(partner)
    assert kind == "refund.succeeded" and data["fen"] == 4580 and data["order"] == number


def test_a_listing_that_is_let_in_is_told_to_its_seller(shop: Shop, partner: Listener) -> None:
    seller = factories.make_person("seller")
    enter(seller, partner.address)
    told = {"story_zh": "山里的苹果，甜。", "origin_village_zh": "屯里镇"}
    listing = factories.make_listing(seller_id=seller.id, state=ListingState.DRAFT, **told)
    factories.make_variant(listing)
    in_transaction(drafting.submit, code=listing.code, person_id=seller.id)
    seen: dict[str, Any] = {"origin_seen": True, "goods_seen": True, "price_sane": True}
    reviewer = factories.make_person("station_clerk")
    in_transaction(reviewing.accept, code=listing.code, station=JIXIAN, reviewer_id=reviewer.id, **seen)
    work()

    data = {"sku": listing.code, "station": JIXIAN, "category": "fruit-apple"}
    assert heard(partner) == [("listing.published", data)]
