"""Programs of a station: the steps of its desk, at its own parcels alone."""

from typing import get_args

import pytest
from sqlalchemy import func, select

from marketplace.accounts import people
from marketplace.accounts.models import Person
from marketplace.accounts.tokens import TokenScope
from marketplace.api.writing_schemas import StepName
from marketplace.core.db import db, in_transaction
from marketplace.core.idempotency import IdempotencyKey
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Parcel
from marketplace.orders.views import desk
from tests import factories
from tests.api.trading import Programs, body_of, paid
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, get, parcels


def test_a_station_takes_its_parcel_through_the_steps(shop: Shop, program: Programs) -> None:
    number = f"{paid(shop, program)}-1"
    clerk = program("station_clerk")
    assert clerk.get(f"/parcels/{number}").get_json()["next_step"] == "acceptance"
    for step, fields in (
        ("acceptance", {}),
        ("collection", {}),
        ("packing", {"shelf": "A-2"}),
        ("dispatch", {"carrier": "邮政", "tracking_number": "EY123456"}),
        ("delivery", {}),
    ):
        taken = clerk.post(f"/parcels/{number}/steps", {"step": step} | fields)
        assert taken.status_code == 201, taken.text
    shown = clerk.get(f"/parcels/{number}").get_json()

    assert (shown["state"], shown["shelf"], shown["carrier"], shown["tracking_number"]) == (
        "delivered",
        "A-2",
        "邮政",
        "EY123456",
    )
    assert shown["recipient"]["name"] == "郭晓芸"
    assert program(person=clerk.person, scopes=(TokenScope.READ,)).get(f"/parcels/{number}").get_json()["recipient"] is None
    traced = select(EventRow.actor).where(EventRow.to_state == "shipped")
    assert clerk.person and db.session.scalars(traced).all() == [f"person:{clerk.person.id}"]


def test_a_step_repeated_under_its_key_is_taken_once_and_under_another_refused(shop: Shop, program: Programs) -> None:
    number = f"{paid(shop, program)}-1"
    clerk = program("station_clerk")
    first = clerk.post(f"/parcels/{number}/steps", {"step": "acceptance"}, key="s")

    assert clerk.post(f"/parcels/{number}/steps", {"step": "acceptance"}, key="s").get_json() == first.get_json()
    refused = clerk.post(f"/parcels/{number}/steps", {"step": "acceptance"})
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:stale-state")


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"step": "packing"}, "#/shelf"),
        ({"step": "acceptance", "shelf": "A-2"}, "#/shelf"),
        ({"step": "dispatch", "carrier": "邮政", "tracking_number": "号"}, "#/tracking_number"),
        ({"step": "eating"}, "#/step"),
        ({"step": "pickup", "code": "12345"}, "#/code"),
    ],
)
def test_a_step_says_what_it_lacks(shop: Shop, program: Programs, sent: dict[str, str], pointer: str) -> None:
    number = f"{paid(shop, program)}-1"
    refused = program("station_clerk").post(f"/parcels/{number}/steps", sent)

    assert refused.status_code == 422 and refused.get_json()["errors"][0]["pointer"] == pointer
    assert parcels(number.removesuffix("-1"))[0].state == "awaiting_acceptance"


def test_a_wrong_pickup_code_hands_nothing_over(shop: Shop, program: Programs) -> None:
    order = program().post("/orders", body_of(shop, pickup=[JIXIAN], total_fen=7960)).get_json()["number"]
    program(person=db.session.get(Person, get(order).buyer_id)).post(f"/orders/{order}/payment")
    shop.pay(order)
    shop.work()
    clerk = program("station_manager")
    for sent in ({"step": "acceptance"}, {"step": "collection"}, {"step": "packing", "shelf": "A"}, {"step": "shelving"}):
        assert clerk.post(f"/parcels/{order}-1/steps", sent).status_code == 201
    code = parcels(order)[0].pickup_code or ""
    wrong = "000000" if code != "000000" else "111111"

    refused = clerk.post(f"/parcels/{order}-1/steps", {"step": "pickup", "code": wrong})
    assert refused.status_code == 422 and refused.get_json()["errors"][0]["pointer"] == "#/code"
    assert parcels(order)[0].state == "ready_for_pickup"
    assert clerk.post(f"/parcels/{order}-1/steps", {"step": "pickup", "code": code}).get_json()["state"] == "picked_up"
    assert code not in str(db.session.execute(select(IdempotencyKey.answer)).all())


def test_who_works_at_two_stations_reaches_both_and_no_third(shop: Shop, program: Programs) -> None:
    number = f"{paid(shop, program)}-1"
    person = factories.make_person("station_clerk", station=QINXIAN)
    assert program(person=person).get(f"/parcels/{number}").status_code == 404
    assert program(person=person).post(f"/parcels/{number}/steps", {"step": "acceptance"}).status_code == 404
    grant = {"role": "station_clerk", "actor": "test", "scope_kind": "station", "scope_id": JIXIAN}
    in_transaction(people.grant, person_id=person.id, **grant)

    assert program(person=person).post(f"/parcels/{number}/steps", {"step": "acceptance"}).status_code == 201


def test_steps_are_those_of_the_desk() -> None:
    assert set(desk.STEPS) == set(get_args(StepName))


def test_parcels_are_called_by_their_labels(shop: Shop, program: Programs) -> None:
    clerk = program("station_clerk")
    for name in ("SX-23456789", "SX-23456789-0", "SX-23456789-²", "x", "-1", "SX-23456789-99999999999999999999"):
        assert clerk.get(f"/parcels/{name}").status_code == 404
    assert db.session.scalar(select(func.count()).select_from(Parcel)) == 0
