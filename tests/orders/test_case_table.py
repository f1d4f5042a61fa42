"""Every state of a case, every event, everybody who might try it: what the tables say happens, and nothing else."""

from collections.abc import Callable
from itertools import product
from typing import Any, Final

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import db
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import EventRow
from marketplace.orders.cases import appealing, deciding, exchanging, returning
from marketplace.orders.cases.finding import Reach, appeal_of, get_case
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import Bearer, Condition, Kind, Wish
from marketplace.orders.cases.states import CASE, MAY_APPEAL, AppealState, CaseState as C, Party
from marketplace.orders.models import OrderLine
from tests import factories
from tests.factories import sign_in_as, signed_in
from tests.orders.casework import PICTURE, Bought, bought, case_of, do, open_case
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, post
from tests.orders.refunding import clerk_of

EVENTS: Final[dict[str, tuple[Callable[..., object], C, dict[str, Any]]]] = {
    "approve": (deciding.approve, C.APPROVED, {}),
    "refund": (deciding.refund, C.REFUNDED, {}),
    "reject": (deciding.reject, C.REJECTED, {}),
    "witness": (returning.witness, C.GOODS_RETURNED, {"quantity": 1, "condition": Condition.BAD}),
    "call off": (returning.call_off, C.CANCELLED, {}),
    "exchange": (exchanging.exchange, C.EXCHANGED, {}),
}
TO_GET_THERE: Final[dict[C, tuple[str, ...]]] = {
    C.REQUESTED: (),
    C.APPROVED: ("approve",),
    C.REJECTED: ("reject",),
    C.REFUNDED: ("refund",),
    C.GOODS_RETURNED: ("approve", "witness"),
    C.EXCHANGED: ("approve", "witness", "exchange"),
    C.CANCELLED: ("approve", "call off"),
}


@pytest.fixture
def order(shop: Shop) -> Bought:
    shop.apples = factories.make_variant(factories.make_listing(return_policy="7d_no_reason"), price_fen=1999).code
    return bought(shop, 9)


def in_state(order: Bought, state: C) -> str:
    case = open_case(order, kind=Kind.WRONG, wish=Wish.EXCHANGE)
    for event in TO_GET_THERE[state]:
        command, _to, more = EVENTS[event]
        do(command, case, **more)
    assert case_of(case).state is state
    return case


def attempt(command: Callable[..., object], **given: Any) -> tuple[type[Refusal] | None, int]:
    """What it refuses with, and how many event rows of cases it left; all of it is undone again."""
    session: Session = db.session()
    session.rollback()
    mine = select(func.count()).select_from(EventRow).where(EventRow.subject.like("%case%"))
    before, refusal = session.scalar(mine) or 0, None
    with session.begin_nested() as undone:
        try:
            command(session, **given)
        except Refusal as error:
            refusal = type(error)
        left = (session.scalar(mine) or 0) - before
        undone.rollback()
    session.rollback()
    return refusal, left


def test_each_event_moves_where_the_table_says_and_for_nobody_else(order: Bought) -> None:
    cases = {state: in_state(order, state) for state in C}
    mine = (Reach(station=JIXIAN), Reach(order=order.number), Reach())
    others = (Reach(station=QINXIAN), Reach(order="SX-22222222"), Reach(seller="somebody else"))
    for (state, case), (name, (command, to, more)) in product(cases.items(), EVENTS.items()):
        for reach in mine:
            refusal, left = attempt(command, case=case, reach=reach, actor="person:1", why="看过", **more)
            assert (refusal is None) is (to in CASE[state]), (state, name, refusal)
            assert left == (refusal is None), (state, name)
        for reach in others:
            assert attempt(command, case=case, reach=reach, actor="person:1", why="看过", **more) == (NotFound, 0)

    cases[C.REFUNDED] = open_case(order, kind=Kind.DAMAGED, pictures=[PICTURE])  # at once, so that the station may ask too
    for (state, case), party in product(cases.items(), (Party.BUYER, Party.SELLER, Party.STATION)):
        refusal, left = attempt(appealing.ask, case=case, reach=Reach(), party=party, words="?", actor="guest")
        assert (refusal is None, left) == (state in MAY_APPEAL[party], int(refusal is None)), (state, party)
    judged: dict[str, Any] = {"why": "看过", "actor": "person:9"}
    for case in cases.values():
        assert attempt(appealing.grant, case=case, bearer=Bearer.EACH, **judged) == (NotFound, 0)
        assert attempt(appealing.leave, case=case, **judged) == (NotFound, 0)


@pytest.mark.full
def test_the_province_answers_once_whatever_the_state(order: Bought) -> None:
    def ask_and_judge(session: Session, *, case: str, party: Party, judge: Callable[..., object], **more: Any) -> None:
        row = session.scalars(select(AfterSalesCase).where(AfterSalesCase.public_id == case)).one()
        parcel = get_case(session, case, Reach())[1]
        appealing.write_down(session, row, parcel, party, "", "guest")
        judge(session, case=case, why="看过", actor="person:9", **more)
        asked = appeal_of(session, row)
        assert asked is not None and asked.state is (AppealState.GRANTED if more else AppealState.LEFT)
        for again, extra in ((appealing.grant, {"bearer": Bearer.EACH}), (appealing.leave, {})):
            with pytest.raises(Refusal):
                again(session, case=case, why="再来", actor="person:9", **extra)

    cases = {state: in_state(order, state) for state in C if state is not C.APPROVED}
    for (state, case), bearer in product(cases.items(), (*Bearer, None)):
        judge = appealing.leave if bearer is None else appealing.grant
        more = {} if bearer is None else {"bearer": bearer}
        refusal, _left = attempt(ask_and_judge, case=case, party=Party.BUYER, judge=judge, **more)
        assert refusal is (appealing.GoodsAreBack if bearer is None and state is C.GOODS_RETURNED else None), (state, bearer)


STEPS: Final = ("approval", "refund", "rejection", "return", "exchange", "cancellation", "appeal")


@pytest.mark.full
def test_every_door_lets_in_whom_the_table_names(shop: Shop, order: Bought) -> None:
    case, number = in_state(order, C.REQUESTED), order.number
    seller, roles = shop.browser(), ("station_clerk", "seller", "operator", "auditor", "bank_officer")
    doors = {
        "buyer": f"/orders/{number}/cases/{case}",
        "station": f"/station/cases/{case}",
        "seller": f"/seller/cases/{case}",
        "operator": f"/operator/cases/{case}",
    }
    whose = db.session.scalars(select(OrderLine.seller_public_id)).first()
    sign_in_as(seller, db.session.scalars(select(Person).where(Person.public_id == whose)).one())
    people = {"guest": order.client, "stranger": shop.browser(), "clerk": clerk_of(shop), "grower": seller}
    people["other clerk"] = clerk_of(shop, QINXIAN)
    for role in roles[1:]:
        people[role] = shop.browser()
        signed_in(people[role], role)
    led = 302
    expected = {
        "guest": (200, led, led, led),
        "stranger": (404, led, led, led),
        "clerk": (404, 200, 403, 403),
        "other clerk": (404, 404, 403, 403),
        "grower": (404, 403, 200, 403),
        "seller": (404, 403, 404, 403),
        "operator": (404, 403, 403, 200),
        "auditor": (404, 403, 403, 200),
        "bank_officer": (404, 403, 403, 403),
    }
    for who, client in people.items():
        assert tuple(client.get(door).status_code for door in doors.values()) == expected[who], who
        if who == "clerk":
            continue
        for step in STEPS:
            status = post(client, f"{doors['station']}/{step}", {f"{step}-why": "?"}).status_code
            assert status in {401, 403, 404}, (who, step)
        if who != "operator":
            judged = post(client, f"{doors['operator']}/judgement", {"decision": "each", "why": "?"}).status_code
            assert judged in {401, 403}, who
    assert case_of(case).state is C.REQUESTED
