"""Every state of a group, every button that anybody has at one, everybody: what is written here happens, to the group, its
members, their orders and parcels, and nothing else. A press that is refused changes nothing.

No button leads a group itself anywhere: payments and its deadline do (tests/groups/test_lives.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from sqlalchemy import select

from marketplace.accounts.models import Person
from marketplace.core import ids
from marketplace.core.db import db, in_transaction
from marketplace.core.transitions import EventRow
from marketplace.orders.carts import CartOwner
from marketplace.orders.groups import joining, offering
from marketplace.orders.groups.offering import Keeper
from marketplace.orders.groups.states import JOINABLE, GroupState as G
from tests import factories
from tests.groups.conftest import Market, after_the_deadline, market, place
from tests.orders.conftest import QINXIAN, RECIPIENT, parcels
from tests.states.buttons import DESK, Event
from tests.states.test_doors import AT_TWO_STATIONS, ROLES, World, visiting
from tests.undone import Undone

__all__ = ["market"]

Steps = frozenset[str]
BORN: Final = frozenset({"group_member:>held", "order:>pending_payment", "parcel:>awaiting_group"})
GIVEN_UP: Final = frozenset({"group_member:held>lapsed", "order:pending_payment>cancelled"})
LEFT: Final = frozenset({"group_member:paid>refunded", "order:paid>cancelled", "parcel:awaiting_group>cancelled"})
LEFT_LATE: Final = frozenset({"order:paid>cancelled", "parcel:awaiting_acceptance>cancelled"})
GATHERING: Final = (G.OPEN, G.PROLONGED)
COMPLETE: Final = (G.REACHED, G.ORDERED)
LIVES: Final = ("group_buy", "group_member", "order", "parcel")
OFFER_ENDS: Final = "group_offer"  # which has no states: its table is what changed
JOIN: Final = RECIPIENT | {"packs": "1", "phone": "13835172077", "shown_total": "3600", "idempotency_key": ids.public_id()}


@dataclass(frozen=True)
class Press:
    """`ways`: in which states it does what, for whoever may."""

    button: Event
    ways: Mapping[G, Steps]


PRESSES: Final = {
    "joining": Press(Event("/groups/{group}/members", "", {}, JOIN), dict.fromkeys(JOINABLE, BORN)),
    "giving up": Press(
        Event("/orders/{unpaid}/cancellation", "buyer", {}), dict.fromkeys((G.OPEN, G.PROLONGED, G.REACHED), GIVEN_UP)
    ),
    "leaving": Press(
        Event("/orders/{number}/withdrawal", "buyer", {}),
        dict.fromkeys(GATHERING, LEFT) | dict.fromkeys(COMPLETE, LEFT_LATE),
    ),
    "accepting": Press(
        Event(DESK + "acceptance", "station", {}),
        dict.fromkeys(COMPLETE, frozenset({"parcel:awaiting_acceptance>accepted"})),
    ),
    "refusing": Press(
        Event(DESK + "refusal", "station", {}, {"reason": "雹灾"}),
        dict.fromkeys(COMPLETE, frozenset({"parcel:awaiting_acceptance>refused", "order:paid>cancelled"})),
    ),
    "ending the offer": Press(
        Event("/seller/group-offers/{offer}/end", "seller", {}), dict.fromkeys(G, frozenset({OFFER_ENDS}))
    ),
    "ending the offer at the desk": Press(Event("/station/group-offers/{offer}/end", "station", {}), {}),  # no consent
}


class Around(World):
    """A group in whatever state it was led to, its member who has paid, and one who has not."""

    def traced(self) -> Any:
        kind = EventRow.subject
        return select(kind, EventRow.from_state, EventRow.to_state).order_by(EventRow.id)

    def pressed(self, who: str, event: Event) -> tuple[int, Steps, set[str]]:
        status, steps, changed = self.attempt(who, event)
        named = ((subject.partition(":")[0], before, after) for subject, before, after in steps)  # type: ignore[misc]
        seen = {f"{kind}:{before}>{after}" for kind, before, after in named if kind in LIVES}
        return status, frozenset(seen | ({OFFER_ENDS} & changed)), changed


def around(market: Market, state: G) -> Around:
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    market.offering(prolong_days=1)
    shop, buyer = market.shop, factories.make_person()
    seller = db.session.get_one(Person, market.seller)
    mine: dict[str, Any] = {"owner": CartOwner(buyer.id, None)}
    packs = 3 if state in COMPLETE else 2 if state is G.PROLONGED else 1
    number = in_transaction(joining.open_group, offer=market.offer, place=place(packs, "13835172001", **mine))
    group = market.group_of(market.sent(number))
    market.pay(number)
    if state in {G.PROLONGED, G.FAILED, G.ORDERED}:
        after_the_deadline(market, group)
    unpaid = number
    if state in JOINABLE:
        unpaid = market.sent(in_transaction(joining.join, group=group, place=place(1, "13835172002", **mine)))
    assert market.group(group).state is state
    names = {"group": group, "number": number, "unpaid": unpaid, "offer": market.offer}
    names["parcel"] = parcels(number)[0].public_id
    visitors = {
        "the buyer": visiting(shop, buyer, set(), "buyer"),
        "the seller": visiting(shop, seller, {"seller"}, "seller"),
    }
    visitors["somebody else"] = visiting(shop, factories.make_person(), set())
    for role in ROLES:
        visitors[role] = visiting(
            shop, factories.make_person(role), {role}, *(("station",) if role in AT_TWO_STATIONS else ())
        )
    for role in AT_TWO_STATIONS:
        visitors[f"{role} elsewhere"] = visiting(shop, factories.make_person(role, station=QINXIAN), {role})
    made = Around(shop, buyer.id, names, visitors, Undone())
    made.settle("")
    return made


@pytest.mark.full
@pytest.mark.parametrize("state", list(G))
def test_everybody_presses_everything_at_a_group(market: Market, state: G) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("who may do what is not asked of the database")
    there = around(market, state)
    for name, press in PRESSES.items():
        for who in there.visitors:
            refused = there.may(who, press.button)
            expected = frozenset() if refused else press.ways.get(state, frozenset())
            status, steps, changed = there.pressed(who, press.button)
            told = (name, who, status, sorted(steps), changed)
            assert steps == expected and bool(changed) is bool(expected), told
            assert status in ({refused} if refused else {303} if expected else {303, 404, 409, 422}), told
