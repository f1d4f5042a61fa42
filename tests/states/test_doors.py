"""Every state of parcels, orders, cases and goods, every button, everybody who might press it: what the tables of states and
of permissions say happens, and nothing else. A press that is refused changes nothing.

What a button does is written in buttons.py; that this is all that the tables of states allow, a test of its own asks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from listings.models import Listing
from listings.states import ListingState as L
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import ANYONE, PERMISSIONS, reaches_of
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.transitions import EventRow
from marketplace.orders import paying
from marketplace.orders.cases.rules import Wish
from marketplace.orders.cases.states import CaseState as C
from marketplace.orders.institutions import keeping
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import OrderState as O, ParcelState as S
from marketplace.orders.views import desk
from tests import factories
from tests.factories import sign_in_as
from tests.institutions.conftest import build_canteen
from tests.orders.casework import Bought, deliver, do, later, open_case
from tests.orders.conftest import OURS, QINXIAN, Shop, build_shop, get, token_of
from tests.orders.refunding import lines_of
from tests.orders.test_case_table import EVENTS as CASE_STEPS, TO_GET_THERE
from tests.states.buttons import CASES, CODE, GOODS, LIVES, OF_THE_HOUSE, ORDERS, PARCELS, Event
from tests.undone import Undone

ROLES: Final = tuple(sorted({role for role, _action, _reach in PERMISSIONS} - {ANYONE, "buyer"}))
AT_TWO_STATIONS: Final = ("station_manager", "station_clerk")


@pytest.mark.parametrize("life", LIVES)
def test_the_buttons_are_all_that_the_table_allows(life: str) -> None:
    table, events = LIVES[life]
    ways = [(here, *way) for event in events.values() for here, way in event.ways.items()]
    steps = {step for way in ways for step in pairwise(way)}
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
    buyer_id: int
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
    yield World(shop, buyer.id, {"number": number, "parcel": parcel, "case": "", "code": listing.code}, visitors, Undone())
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
    world.names["number"] = on_account = on_account_of(world)
    world.settle(f"order:{on_account}")
    yield O.PLACED_ON_ACCOUNT, ORDERS
    world.names["number"] = paid
    for state, parcel in ((O.PAID, S.AWAITING_ACCEPTANCE), (O.COMPLETED, S.SETTLED), (O.CANCELLED, S.CANCELLED)):
        put(Order, Order.number, paid, state=state)
        put(Parcel, Parcel.public_id, world.names["parcel"], state=parcel)
        world.settle(f"order:{paid}")
        yield state, ORDERS


def on_account_of(world: World) -> str:
    """An order that the world's buyer places as the purchaser of a canteen."""
    canteen, buyer = build_canteen(world.shop), db.session.get_one(Person, world.buyer_id)
    given: dict[str, Any] = {"institution": canteen.public_id, "person_id": canteen.payer.id}
    in_transaction(keeping.add_member, **given, address=str(buyer.email), role=keeping.PURCHASER)
    return replace(canteen, payer=buyer).order(apples=1)


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
    """Whom the table of permissions does not name at all is refused before any state is looked at: they try now and then."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("who may do what is not asked of the database")
    chance = Random(life)
    for state, events in IN_ALL_STATES[life](world):
        for name, event in events.items():
            for who in world.visitors:
                if world.may(who, event) in {0, 404} or chance.random() < OTHERS_TRY:
                    press(world, state, name, event, who)
