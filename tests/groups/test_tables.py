"""Every state of a group and of a member, every event, every role: what the tables say happens, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any, Final

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, Refusal, StaleState
from marketplace.core.transitions import transition
from marketplace.orders import fulfilment, undelivered
from marketplace.orders.groups import closing, joining, offering
from marketplace.orders.groups.models import GroupBuy, GroupMember
from marketplace.orders.groups.offering import Keeper
from marketplace.orders.groups.states import GROUP, MEMBER, GroupState as G, MemberState as M
from tests import factories
from tests.groups.conftest import Market, after_the_deadline, at, place
from tests.orders.conftest import JIXIAN, QINXIAN, parcels, post


@pytest.fixture
def longer(market: Market) -> Market:
    """Offered so that each state can be reached."""
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    market.offering(prolong_days=1)
    return market


def in_state(market: Market, state: G) -> tuple[str, str, str]:
    """A group, a paid member's order and an unpaid one's."""
    group, paid = market.open(3 if state in {G.REACHED, G.ORDERED} else 2 if state is G.PROLONGED else 1)
    market.pay(paid)
    if state in {G.PROLONGED, G.FAILED, G.ORDERED}:
        after_the_deadline(market, group)
        return group, paid, ""
    return group, paid, market.join(group, 1, "13835172002")


AFTER: Final = {G.OPEN: G.FAILED, G.PROLONGED: G.FAILED, G.REACHED: G.ORDERED}
"""By the deadline, with one pack of three, or two, or all."""
JOINED: Final = {G.OPEN: True, G.PROLONGED: True, G.REACHED: True, G.ORDERED: False, G.FAILED: False}


@pytest.mark.parametrize("state", list(G))
def test_what_each_event_makes_of_a_group(longer: Market, state: G) -> None:
    group, _paid, _unpaid = in_state(longer, state)
    assert longer.group(group).state is state
    with at(longer.group(group).closes_at - timedelta(hours=1)):
        try:
            in_transaction(joining.join, group=group, place=place(1, "13835172009"))
            joined = True
        except joining.GroupIsOver:
            joined = False
    assert joined is JOINED[state] and longer.group(group).state is state
    after_the_deadline(longer, group)
    assert longer.group(group).state is AFTER.get(state, state)


@pytest.mark.parametrize(("table", "kind"), [(GROUP, GroupBuy), (MEMBER, GroupMember)])
def test_what_the_table_does_not_say_cannot_happen(market: Market, table: Any, kind: Any) -> None:
    market.open(1)
    row = db.session.scalars(select(kind)).one()
    for here, there in product(table, table):
        expected: type[Exception] | None = StaleState if there in table[here] and here is not row.state else None
        if there not in table[here]:
            expected = IllegalTransition
        if expected is None:
            continue
        with pytest.raises(expected):
            in_transaction(move, row, there, here)
    assert db.session.scalars(select(kind)).one().state in {G.OPEN, M.HELD}


def move(session: Session, row: Any, there: Any, here: Any) -> None:
    transition(session, row, there, expected=here, actor="test", why="test")


COMMANDS: Final[dict[str, Callable[..., object]]] = {
    "acceptance": fulfilment.accept,
    "collection": fulfilment.collect,
    "delivery": fulfilment.deliver,
    "second-shelving": fulfilment.shelve_again,
}


@pytest.mark.parametrize("station", [JIXIAN, QINXIAN, None])
def test_no_role_steps_a_waiting_parcel(market: Market, station: str | None) -> None:
    _group, paid = market.open(1)
    market.pay(paid)
    parcel = parcels(paid)[0].public_id
    for command in COMMANDS.values():
        with pytest.raises(Refusal):
            in_transaction(command, parcel=parcel, station=station, actor="test")
    assert parcels(paid)[0].state == "awaiting_group"


@pytest.mark.parametrize(
    ("role", "station", "status"),
    [
        ("station_clerk", JIXIAN, 404),
        ("station_manager", JIXIAN, 404),
        ("station_clerk", QINXIAN, 404),
        ("seller", JIXIAN, 403),
        ("buyer", JIXIAN, 403),
        ("operator", JIXIAN, 403),
    ],
)
def test_who_may_not_step_it_at_the_desk(market: Market, role: str, station: str, status: int) -> None:
    _group, paid = market.open(1)
    market.pay(paid)
    client = market.shop.browser()
    factories.signed_in(client, *([] if role == "buyer" else [role]), station=station)
    assert post(client, f"/station/parcels/{parcels(paid)[0].public_id}/acceptance", {}).status_code == status
    assert parcels(paid)[0].state == "awaiting_group"


LEAVES: Final = {G.OPEN: M.REFUNDED, G.PROLONGED: M.REFUNDED, G.REACHED: M.ORDERED, G.ORDERED: M.ORDERED}


@pytest.mark.parametrize("state", list(LEAVES))
def test_who_leaves_in_each_state(longer: Market, state: G) -> None:
    group, paid, _unpaid = in_state(longer, state)
    in_transaction(undelivered.cancel_paid, number=paid, actor="guest")
    assert longer.members(group)[0][0] == LEAVES[state] and longer.group(group).state is state
    with pytest.raises(Refusal):
        in_transaction(undelivered.cancel_paid, number=paid, actor="guest")
    closing.close(group=group)
    assert longer.group(group).state is state
