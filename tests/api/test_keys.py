"""What a token opens, and what none opens."""

import pytest
from sqlalchemy import update

from marketplace.accounts import people, tokens
from marketplace.accounts.models import AccessToken, Person
from marketplace.accounts.tokens import TokenScope
from marketplace.core.db import db, in_transaction
from tests import factories
from tests.api.conftest import Program
from tests.api.trading import Programs, body_of, paid, rows
from tests.orders.conftest import JIXIAN, Shop

ROUTES = [
    ("POST", "/carts"),
    ("GET", "/carts/0000000000000000"),
    ("POST", "/orders"),
    ("GET", "/orders/SX-23456789"),
    ("POST", "/orders/SX-23456789/payment"),
    ("GET", "/parcels/SX-23456789-1"),
    ("POST", "/parcels/SX-23456789-1/steps"),
    ("POST", "/listings"),
    ("POST", "/listings/P0001/submission"),
    ("GET", "/listings/P0001/submission"),
    ("POST", "/cases"),
    ("GET", "/cases/0000000000000000"),
    ("POST", "/imports"),
    ("GET", "/imports/0000000000000000"),
    ("POST", "/imports/0000000000000000/confirm"),
    ("POST", "/imports/0000000000000000/drop"),
    ("POST", "/imports/0000000000000000/undo"),
]
OF_SELLERS = ("listings", "imports")


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer ", "Basic YTpi", "Bearer é"])
def test_without_a_good_token_nothing_is_answered(shop: Shop, authorization: str) -> None:
    client, before = shop.browser(), rows()
    factories.signed_in(client, "seller", "station_manager")  # a cookie is no token
    headers = {"Idempotency-Key": "a"} | ({"Authorization": authorization} if authorization else {})

    for method, path in ROUTES:
        refused = client.open(f"/api/v1{path}", method=method, json=body_of(shop), headers=headers)
        assert refused.status_code == 401, path
        assert refused.headers["WWW-Authenticate"].startswith('Bearer realm="api"')
    assert rows() == before


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_scope_or_a_role_that_is_missing_is_said(shop: Shop, program: Programs, method: str, path: str) -> None:
    other = TokenScope.ORDERS_WRITE if path.split("/")[1] in OF_SELLERS else TokenScope.LISTINGS_WRITE
    without_scope = program("seller", "station_manager", scopes=(other,))
    answer = without_scope.client.open(f"/api/v1{path}", method=method, json={}, headers=without_scope.headers())
    assert (answer.status_code, answer.get_json()["type"]) == (403, "urn:problem:scope-missing")

    buyer = program()
    answer = buyer.client.open(f"/api/v1{path}", method=method, json={}, headers=buyer.headers())
    needs_role = path.split("/")[1] in ("parcels", *OF_SELLERS)
    assert (answer.status_code == 403) is needs_role


def test_a_token_that_is_over_opens_nothing_not_even_what_everybody_reads(shop: Shop, program: Programs) -> None:
    ended, old = program(), program()
    assert ended.person and old.person
    (row,) = tokens.of_person(db.session(), ended.person.id)
    in_transaction(tokens.end, person_id=ended.person.id, token=row.public_id)
    past = update(AccessToken).where(AccessToken.person_id == old.person.id).values(expires_at=row.created_at)
    in_transaction(lambda session: session.execute(past))

    for each in (ended, old):
        assert each.post("/orders", body_of(shop)).status_code == 401
        assert each.get("/stations").status_code == 401
    assert Program(shop.browser(), "").get("/stations").status_code == 200


def test_a_closed_account_has_no_programs(shop: Shop, program: Programs) -> None:
    buyer = program()
    assert buyer.person
    closed = update(Person).where(Person.id == buyer.person.id).values(is_active=False)
    in_transaction(lambda session: session.execute(closed))

    assert buyer.post("/orders", body_of(shop)).status_code == 401


@pytest.mark.parametrize("second_factor", [False, True])
def test_a_token_made_before_its_person_became_staff_is_no_key_to_the_desk(
    shop: Shop, program: Programs, second_factor: bool
) -> None:
    """Not even one of a buyer with a second factor: it may last a year."""
    number = f"{paid(shop, program)}-1"
    person = factories.make_person()
    early = program(person=person, second_factor=second_factor, days=365)
    grant = {"role": "station_clerk", "actor": "test", "scope_kind": "station", "scope_id": JIXIAN}
    in_transaction(people.grant, person_id=person.id, **grant)

    assert early.get(f"/parcels/{number}").status_code == 403
    assert early.post("/orders", body_of(shop)).status_code == 201
    late = program(person=person)
    assert late.get(f"/parcels/{number}").status_code == 200

    in_transaction(people.grant, person_id=person.id, **grant | {"role": "station_manager"})
    assert late.get(f"/parcels/{number}").status_code == 200


def test_a_program_that_writes_too_much_has_to_wait(shop: Shop, program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.api.doors.WRITES_AN_HOUR", 1)
    buyer = program()
    assert buyer.post("/orders", body_of(shop)).status_code == 201

    refused = buyer.post("/orders", body_of(shop))
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
    assert program(person=buyer.person).post("/orders", body_of(shop)).status_code == 201


def test_the_hour_of_its_last_use_is_kept(shop: Shop, program: Programs) -> None:
    buyer = program()
    assert buyer.person
    buyer.get("/stations")

    db.session.rollback()
    assert tokens.of_person(db.session(), buyer.person.id)[0].used_at is not None
