"""Every state of parcels, orders, cases and goods, every button, everybody who might press it: what the tables of states and
of permissions say happens, and nothing else. A press that is refused changes nothing.

What a button does is written in EVENTS; that this is all that the tables of states allow, a test of its own asks."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from listings.models import Listing
from listings.states import LISTING, ListingState as L
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import ANYONE, PERMISSIONS, reaches_of
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.transitions import EventRow
from marketplace.orders import paying
from marketplace.orders.cases.rules import Wish
from marketplace.orders.cases.states import CASE, CaseState as C
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ORDER, PARCEL, OrderState as O, ParcelState as S
from marketplace.orders.views import desk
from tests import factories
from tests.factories import sign_in_as
from tests.orders.casework import Bought, deliver, do, later, open_case
from tests.orders.conftest import OURS, QINXIAN, Shop, build_shop, get, token_of
from tests.orders.refunding import lines_of
from tests.orders.test_case_table import EVENTS as CASE_STEPS, TO_GET_THERE
from tests.undone import Undone

Way = tuple[Any, ...]
CODE: Final = "042137"
ROLES: Final = tuple(sorted({role for role, _action, _reach in PERMISSIONS} - {ANYONE, "buyer"}))
AT_TWO_STATIONS: Final = ("station_manager", "station_clerk")


@dataclass(frozen=True)
class Event:
    """A button: its address, what is typed, and by state the states that whoever may press it leads through.

    `whose` says to whom its subject has to belong, station, buyer or seller; where it is empty, a role is enough."""

    path: str
    whose: str
    ways: Mapping[Any, Way]
    typed: Mapping[str, str] = field(default_factory=dict)
    delivery: str = "courier"


def one(here: Any, there: Any) -> dict[Any, Way]:
    return {here: (there,)}


DESK: Final = "/station/parcels/{parcel}/"
REFUSED: Final = {state: (S.REFUSED,) for state, ways in PARCEL.items() if S.REFUSED in ways}
PARCELS: Final = {
    "acceptance": Event(DESK + "acceptance", "station", one(S.AWAITING_ACCEPTANCE, S.ACCEPTED)),
    "collection": Event(DESK + "collection", "station", one(S.ACCEPTED, S.COLLECTING)),
    "packing": Event(DESK + "packing", "station", one(S.COLLECTING, S.PACKED), {"shelf": "A"}),
    "dispatch": Event(
        DESK + "dispatch", "station", one(S.PACKED, S.SHIPPED), {"carrier": "邮政", "tracking_number": "123456"}
    ),
    "shelving": Event(DESK + "shelving", "station", one(S.PACKED, S.READY_FOR_PICKUP), delivery="pickup"),
    "pickup": Event(DESK + "pickup", "station", one(S.READY_FOR_PICKUP, S.PICKED_UP), {"code": CODE}, delivery="pickup"),
    "delivery": Event(DESK + "delivery", "station", one(S.SHIPPED, S.DELIVERED)),
    "no-show": Event(DESK + "no-show", "station", one(S.READY_FOR_PICKUP, S.UNCOLLECTED), delivery="pickup"),
    "second-shelving": Event(DESK + "second-shelving", "station", one(S.UNCOLLECTED, S.READY_FOR_PICKUP), delivery="pickup"),
    "refusal": Event(DESK + "refusal", "station", REFUSED, {"reason": "雹灾"}),
    "return": Event(DESK + "return", "station", one(S.UNCOLLECTED, S.RETURNED_TO_SELLER), delivery="pickup"),
    "loss": Event(DESK + "loss", "station", {S.SHIPPED: (S.LOST, S.SETTLED)}, {"reason": "车翻了"}),
    "confirmation": Event(
        "/orders/{number}/parcels/{parcel}/confirmation",
        "buyer",
        {S.SHIPPED: (S.DELIVERED, S.SETTLED), S.DELIVERED: (S.SETTLED,), S.PICKED_UP: (S.SETTLED,)},
    ),
    "withdrawal": Event("/orders/{number}/withdrawal", "buyer", one(S.AWAITING_ACCEPTANCE, S.CANCELLED)),
}
ORDERS: Final = {
    "cancellation": Event("/orders/{number}/cancellation", "buyer", one(O.PENDING_PAYMENT, O.CANCELLED)),
    "withdrawal": Event("/orders/{number}/withdrawal", "buyer", one(O.PAID, O.CANCELLED)),
}
BACK: Final = {"return-quantity": "1", "return-condition": "bad", "return-why": "看过"}
AT_CASES: Final = "/station/cases/{case}/"
CASES: Final = {
    "approval": Event(AT_CASES + "approval", "station", one(C.REQUESTED, C.APPROVED), {"approval-why": "看过"}),
    "refund": Event(
        AT_CASES + "refund", "station", {state: (C.REFUNDED,) for state, ways in CASE.items() if C.REFUNDED in ways}
    ),
    "rejection": Event(AT_CASES + "rejection", "station", one(C.REQUESTED, C.REJECTED), {"rejection-why": "看过"}),
    "return": Event(AT_CASES + "return", "station", one(C.APPROVED, C.GOODS_RETURNED), BACK),
    "cancellation": Event(AT_CASES + "cancellation", "station", one(C.APPROVED, C.CANCELLED), {"cancellation-why": "看过"}),
    "exchange": Event(AT_CASES + "exchange", "station", one(C.GOODS_RETURNED, C.EXCHANGED)),
    "calling off": Event("/orders/{number}/cases/{case}/cancellation", "buyer", one(C.APPROVED, C.CANCELLED)),
    "judgement": Event("/operator/cases/{case}/judgement", "", {}, {"decision": "each", "why": "看过"}),  # nobody asked
}
OWN: Final = "/seller/listings/{code}/"
SEEN: Final = {"decision": "accept", "origin_seen": "1", "goods_seen": "1", "price_sane": "1"}
GOODS: Final = {
    "submission": Event(OWN + "submission", "seller", {L.DRAFT: (L.SUBMITTED,), L.REJECTED: (L.DRAFT, L.SUBMITTED)}),
    "removal": Event(
        OWN + "removal", "seller", {state: (L.ARCHIVED,) for state, ways in LISTING.items() if L.ARCHIVED in ways}
    ),
    "pause": Event(OWN + "pause", "seller", one(L.PUBLISHED, L.PAUSED)),
    "resumption": Event(OWN + "resumption", "seller", one(L.PAUSED, L.PUBLISHED)),
    "acceptance": Event("/station/listings/{code}/review", "station", one(L.SUBMITTED, L.PUBLISHED), SEEN),
    "rejection": Event(
        "/station/listings/{code}/review", "station", one(L.SUBMITTED, L.REJECTED), {"decision": "reject", "reason": "价高"}
    ),
    "suspension": Event(
        "/operator/listings/{code}/suspension",
        "",
        {L.PUBLISHED: (L.SUSPENDED,), L.PAUSED: (L.SUSPENDED,)},
        {"reason": "有疑"},
    ),
    "clearance": Event("/operator/listings/{code}/clearance", "", one(L.SUSPENDED, L.PUBLISHED), {"reason": "查清了"}),
}
OF_THE_HOUSE: Final[dict[str, set[tuple[Any, Any]]]] = {
    "order": {
        *((O.PENDING_PAYMENT, each) for each in (O.PAID, O.EXPIRED)),  # the gateway's word, and time
        *((late, O.PAID) for late in (O.EXPIRED, O.CANCELLED)),
        (O.PAID, O.COMPLETED),  # with its last parcel
        *((O.PLACED_ON_ACCOUNT, each) for each in (O.PAID, O.CANCELLED)),  # of institutions
    },
}
"""What nobody presses a button for."""
LIVES: Final[dict[str, tuple[Mapping[Any, Collection[Any]], Mapping[str, Event]]]] = {
    "parcel": (PARCEL, PARCELS),
    "order": (ORDER, ORDERS),
    "case": (CASE, CASES),
    "listing": (LISTING, GOODS),
}


@pytest.mark.parametrize("life", LIVES)
def test_the_buttons_are_all_that_the_table_allows(life: str) -> None:
    table, events = LIVES[life]
    steps = {
        step
        for event in events.values()
        for here, way in event.ways.items()
        for step in zip((here, *way), way, strict=False)
    }
    assert steps | OF_THE_HOUSE.get(life, set()) == {(here, there) for here, ways in table.items() for there in ways}


def test_every_step_of_a_desk_is_a_button_here() -> None:
    assert set(desk.STEPS) <= set(PARCELS)


@dataclass(frozen=True)
class Visitor:
    """`holds`: the station's, the buyer or the seller of the world below; or nothing of it."""

    client: FlaskClient
    roles: frozenset[str]
    holds: frozenset[str]
    csrf_token: str = ""


@dataclass
class World:
    """A parcel, an order, a case and goods in whatever state they are put, and everybody."""

    shop: Shop
    names: dict[str, str]
    visitors: dict[str, Visitor]
    undone: Undone

    def attempt(self, who: str, event: Event) -> tuple[int, list[tuple[str, str]], set[str]]:
        """Status, the steps that it led through, and the tables that changed; then all of it is undone."""
        visitor, path = self.visitors[who], event.path.format(**self.names)
        with self.undone.attempt() as seen:
            data = dict(event.typed) | ({"csrf_token": visitor.csrf_token} if visitor.csrf_token else {})
            status = visitor.client.post(path, data=data, headers=OURS).status_code
            steps = [tuple(row) for row in db.session.execute(self.traced())]
        return status, steps[len(self.trail) :], seen.changed

    def settle(self, subject: str) -> None:
        """From here on, every attempt is one at things as they are now."""
        self.subject, self.undone = subject, Undone()
        self.trail = db.session.execute(self.traced()).all()
        db.session.commit()

    def traced(self) -> Any:
        return select(EventRow.from_state, EventRow.to_state).where(EventRow.subject == self.subject).order_by(EventRow.id)

    def may(self, who: str, event: Event) -> int:
        """The status of a refusal by the table of permissions; 0: they may press."""
        visitor = self.visitors[who]
        endpoint, _values = self.shop.app.url_map.bind("localhost").match(event.path.format(**self.names), "POST")
        action = getattr(self.shop.app.view_functions[endpoint], "action", "")
        reaches = reaches_of(action)
        if not ({ANYONE} | visitor.roles) & reaches.keys():
            return 403 if visitor.csrf_token else 401
        return 0 if not event.whose or event.whose in visitor.holds else 404


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    shop = build_shop(app)
    listing = factories.make_listing(return_policy="7d_no_reason", story_zh="脆甜多汁。", origin_village_zh="东城乡")
    shop.apples = factories.make_variant(listing, price_fen=1999).code
    buyer = factories.make_person()
    browser = shop.browser()
    sign_in_as(browser, buyer)
    number = shop.paid_order(browser, apples=9)
    parcel = get(number).parcels[0].public_id
    visitors = {"stranger": Visitor(shop.browser(), frozenset(), frozenset())}
    visitors["buyer"] = visiting(shop, buyer, set(), "buyer")
    visitors["another buyer"] = visiting(shop, factories.make_person(), set())
    seller = db.session.get(Person, db.session.scalar(select(Listing.seller_id).where(Listing.code == listing.code)))
    assert seller
    visitors["the seller"] = visiting(shop, seller, {"seller"}, "seller")
    for role in ROLES:
        holds = ("station",) if role in AT_TWO_STATIONS else ()
        visitors[role] = visiting(shop, factories.make_person(role), {role}, *holds)
    for role in AT_TWO_STATIONS:
        visitors[f"{role} elsewhere"] = visiting(shop, factories.make_person(role, station=QINXIAN), {role})
    yield World(shop, {"number": number, "parcel": parcel, "case": "", "code": listing.code}, visitors, Undone())
    shop.cashier.storage.dispose()


def visiting(shop: Shop, person: Person, roles: set[str], *holds: str) -> Visitor:
    client = shop.browser()
    sign_in_as(client, person)
    return Visitor(client, frozenset(roles | {"buyer"}), frozenset(holds), token_of(client))


def put(kind: Any, name: Any, value: str, **columns: Any) -> None:
    """As if it had come there, whatever else that would have written."""
    in_transaction(lambda session: session.execute(update(kind).where(name == value).values(**columns)))


def parcels_in_all_states(world: World) -> Iterator[tuple[Any, Mapping[str, Event]]]:
    came = dict.fromkeys((S.DELIVERED, S.PICKED_UP, S.SETTLED), clock.now())
    for state in S:
        for delivery in ("courier", "pickup"):
            given: dict[str, Any] = {"state": state, "delivery": delivery, "delivered_at": came.get(state)}
            put(Parcel, Parcel.public_id, world.names["parcel"], **given, pickup_code=CODE)
            world.settle(f"parcel:{world.names['parcel']}")
            yield state, {name: event for name, event in PARCELS.items() if event.delivery == delivery}


def orders_in_all_states(world: World) -> Iterator[tuple[Any, Mapping[str, Event]]]:
    paid, buyer = world.names["number"], world.visitors["buyer"].client
    world.shop.fill(buyer, apples=1)
    unpaid = world.shop.order(buyer)
    world.names["number"] = unpaid
    for state, come in ((O.PENDING_PAYMENT, None), (O.EXPIRED, paying.expire)):
        if come:
            with later(minutes=20):
                come(number=unpaid)
        world.settle(f"order:{unpaid}")
        yield state, ORDERS
    world.names["number"] = paid
    for state, parcel in ((O.PAID, S.AWAITING_ACCEPTANCE), (O.COMPLETED, S.SETTLED), (O.CANCELLED, S.CANCELLED)):
        put(Order, Order.number, paid, state=state)
        put(Parcel, Parcel.public_id, world.names["parcel"], state=parcel)
        world.settle(f"order:{paid}")
        yield state, ORDERS


def cases_in_all_states(world: World) -> Iterator[tuple[Any, Mapping[str, Event]]]:
    arrived = deliver(world.names["number"])
    order = Bought(arrived, lines_of(arrived)[0], world.visitors["buyer"].client)
    for state in C:
        case = open_case(order, wish=Wish.EXCHANGE)
        for event in TO_GET_THERE[state]:
            command, _to, more = CASE_STEPS[event]
            do(command, case, **more)
        world.names["case"] = case
        world.settle(f"after_sales_case:{case}")
        yield state, CASES


def goods_in_all_states(world: World) -> Iterator[tuple[Any, Mapping[str, Event]]]:
    for state in L:
        put(Listing, Listing.code, world.names["code"], state=state)
        world.settle(f"listing:{world.names['code']}")
        yield state, GOODS


IN_ALL_STATES: Final = {
    "parcel": parcels_in_all_states,
    "order": orders_in_all_states,
    "case": cases_in_all_states,
    "listing": goods_in_all_states,
}
OTHERS_TRY: Final = 0.3
HOLDERS: Final = {"station": "station_clerk", "buyer": "buyer", "seller": "the seller", "": "operator"}


def press(world: World, state: Any, name: str, event: Event, who: str) -> None:
    """What happens is what is written."""
    refused = world.may(who, event)
    way = () if refused else event.ways.get(state, ())
    status, steps, changed = world.attempt(who, event)
    told = (str(state), name, who, status)
    assert steps == list(pairwise((state, *way))), told
    assert bool(changed) is bool(way), (*told, changed)
    expected = {refused} if refused else {303} if way else {303, 404, 409, 422}
    assert status in expected, (*told, expected)


@pytest.mark.parametrize("life", LIVES)
def test_who_may_leads_it_on_and_somebody_else_does_not(world: World, life: str) -> None:
    """Whoever holds the button, in every state; and now and then one of all the others."""
    chance = Random(life)
    for state, events in IN_ALL_STATES[life](world):
        for name, event in events.items():
            press(world, state, name, event, HOLDERS[event.whose])
            if chance.random() < OTHERS_TRY:
                press(world, state, name, event, chance.choice(list(world.visitors)))


@pytest.mark.full
@pytest.mark.parametrize("life", LIVES)
def test_everybody_presses_everything(world: World, life: str) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("who may do what is not asked of the database")
    for state, events in IN_ALL_STATES[life](world):
        for name, event in events.items():
            for who in world.visitors:
                press(world, state, name, event, who)
