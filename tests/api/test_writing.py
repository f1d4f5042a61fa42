"""Programs that do something: the commands of the pages, under a token, once for each key."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from sqlalchemy import func, select, update

from listings.models import Category, Listing
from marketplace.accounts import addresses, people, tokens
from marketplace.accounts.models import AccessToken, Person
from marketplace.accounts.tokens import TokenScope
from marketplace.api.writing_schemas import StepName
from marketplace.core.db import db, in_transaction
from marketplace.core.idempotency import IdempotencyKey
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Cart, Order, Parcel
from marketplace.orders.views import desk
from marketplace.stations.models import Seller
from tests import factories
from tests.api.conftest import Program
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, get, parcels, stock_of

Programs = Callable[..., Program]
RECIPIENT = {
    "name": "郭晓芸",
    "phone": "13835172045",
    "province": "140000",
    "city": "太原 小店区",
    "street": "平阳路 128 号",
}
COUNTED = (Order, Cart, EventRow, IdempotencyKey, Listing)


def body_of(shop: Shop, quantity: int = 2, **changes: Any) -> dict[str, Any]:
    """Apples of 3980 fen each, and ¥6.00 for sending them."""
    lines = [{"sku": shop.apples, "quantity": quantity}]
    return {"lines": lines, "recipient": RECIPIENT, "total_fen": 3980 * quantity + 600} | changes


def rows() -> dict[str, int]:
    db.session.rollback()
    return {kind.__tablename__: db.session.scalar(select(func.count()).select_from(kind)) or 0 for kind in COUNTED}


def test_the_same_request_again_has_one_effect_and_one_answer(shop: Shop, program: Programs) -> None:
    buyer = program()
    first = buyer.post("/orders", body_of(shop), key="a")
    again = buyer.post("/orders", body_of(shop), key="a")

    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotent-Replayed"] == "true"
    assert stock_of(shop.apples) == (100, 2)


@pytest.mark.parametrize("other", [{"note": "别的"}, {"total_fen": 1}])
def test_a_key_with_another_request_is_refused(shop: Shop, program: Programs, other: dict[str, Any]) -> None:
    buyer = program()
    buyer.post("/orders", body_of(shop), key="a")
    before = rows()

    refused = buyer.post("/orders", body_of(shop) | other, key="a")
    elsewhere = buyer.post("/carts", {"lines": [{"sku": shop.apples, "quantity": 1}]}, key="a")

    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:key-with-other-request")
    assert elsewhere.status_code == 409
    assert rows() == before


def test_a_refusal_is_not_kept_and_the_same_key_may_try_again(shop: Shop, program: Programs) -> None:
    buyer = program()
    before = rows()
    refused = buyer.post("/orders", body_of(shop, total_fen=1), key="a")
    assert refused.status_code == 409
    assert refused.get_json()["errors"] == [{"pointer": "#/total_fen", "detail": "现在是 8560 分。"}]
    assert rows() == before

    assert buyer.post("/orders", body_of(shop), key="a").status_code == 201


def test_what_two_programs_of_one_person_repeat_is_one(shop: Shop, program: Programs) -> None:
    """A token is replaced while a request is on its way."""
    first = program()
    second = program(person=first.person)

    assert (
        first.post("/orders", body_of(shop), key="a").get_json() == second.post("/orders", body_of(shop), key="a").get_json()
    )
    assert program().post("/orders", body_of(shop), key="a").status_code == 201  # somebody else's key is another


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"recipient": RECIPIENT | {"phone": "123"}}, "#/recipient/phone"),
    ({"recipient": RECIPIENT | {"province": "999999"}}, "#/recipient/province"),
    ({"recipient": RECIPIENT | {"name": " \u3000"}}, "#/recipient/name"),
    ({"recipient": "郭晓芸"}, "#/recipient"),
    ({"lines": []}, "#/lines"),
    ({"lines": [{"sku": "nothing", "quantity": 1}]}, "#/lines/0/sku"),
    ({"lines": [{"sku": "A", "quantity": 0}]}, "#/lines/0/quantity"),
    ({"lines": [{"sku": "A", "quantity": "2"}]}, "#/lines/0/quantity"),
    ({"lines": [{"sku": "A", "quantity": True}]}, "#/lines/0/quantity"),
    ({"lines": None}, "#/cart"),
    ({"cart": "0" * 16}, "#/cart"),
    ({"lines": None, "cart": "0" * 16}, "#/cart"),
    ({"total_fen": None}, "#/total_fen"),
    ({"total_fen": 10**30}, "#/total_fen"),
    ({"coupon": "free"}, "#/coupon"),
    ({"note": "长" * 201}, "#/note"),
]


@pytest.mark.parametrize(("changes", "pointer"), WRONG)
def test_what_is_wrong_is_pointed_at(shop: Shop, program: Programs, changes: dict[str, Any], pointer: str) -> None:
    buyer = program()
    before = rows()

    refused = buyer.post("/orders", body_of(shop) | changes)

    problem = refused.get_json()
    assert (refused.status_code, refused.content_type) == (422, "application/problem+json")
    assert problem["type"] == "urn:problem:unfit"
    assert pointer in [each["pointer"] for each in problem["errors"]] and all(each["detail"] for each in problem["errors"])
    assert rows() == before


RAW: list[tuple[bytes, str, int]] = [
    (b"{", "application/json", 422),
    (b"", "application/json", 422),
    (b"\xff\xfe", "application/json", 422),
    (b'"\\ud800"', "application/json", 422),
    (b"[" * 30_000, "application/json", 422),
    (b"{}", "text/plain", 415),
    (b"a=b", "application/x-www-form-urlencoded", 415),
    (b" " * (64 * 1024 + 1), "application/json", 413),
]


@pytest.mark.parametrize(("raw", "kind", "status"), RAW)
def test_what_cannot_be_read(shop: Shop, program: Programs, raw: bytes, kind: str, status: int) -> None:
    buyer = program()
    headers = buyer.headers() | {"Idempotency-Key": "a"}

    refused = buyer.client.post("/api/v1/orders", data=raw, content_type=kind, headers=headers)

    assert refused.status_code == status and refused.get_json()["status"] == status


@pytest.mark.parametrize("key", ["", "é", "k" * 256, "a b\tc"])
def test_a_post_needs_a_key(shop: Shop, program: Programs, key: str) -> None:
    buyer = program()
    before = rows()

    refused = buyer.client.post("/api/v1/orders", json=body_of(shop), headers=buyer.headers() | {"Idempotency-Key": key})

    assert refused.status_code == 422 and refused.get_json()["errors"][0]["pointer"] == "Idempotency-Key"
    assert rows() == before


def test_alcohol_is_for_adults(shop: Shop, program: Programs) -> None:
    in_transaction(lambda session: session.execute(update(Category).values(is_age_restricted=True)))
    buyer = program()

    refused = buyer.post("/orders", body_of(shop))
    assert refused.status_code == 422 and refused.get_json()["errors"][0]["pointer"] == "#/is_adult"
    assert buyer.post("/orders", body_of(shop, is_adult=True)).status_code == 201


def test_more_than_there_is(shop: Shop, program: Programs) -> None:
    buyer = program()
    cart = buyer.post("/carts", {"lines": [{"sku": shop.apples, "quantity": 101}], "province": "140000"}).get_json()
    assert cart["parcels"][0]["lines"][0]["trouble"] == "too_few_left" and cart["total_fen"] is None

    refused = buyer.post("/orders", {"cart": cart["cart"], "recipient": RECIPIENT, "total_fen": 1})
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:something-changed")


def test_a_cart_is_nobody_elses_and_leaves_the_shoppers_own_alone(shop: Shop, program: Programs) -> None:
    first, second = program(), program()
    browser = shop.browser()
    assert first.person
    factories.sign_in_as(browser, first.person)
    shop.fill(browser, millet=3)
    cart = first.post("/carts", {"lines": [{"sku": shop.apples, "quantity": 1}]}).get_json()["cart"]

    assert second.get(f"/carts/{cart}").status_code == 404
    asked = {"cart": cart, "recipient": RECIPIENT, "total_fen": 4580}
    assert second.post("/orders", asked).get_json()["errors"][0]["pointer"] == "#/cart"
    assert first.post("/orders", asked).status_code == 201
    assert "沁州黄小米" in browser.get("/cart").text
    assert addresses.of_person(db.session(), first.person.id) == []


def test_an_order_of_another_is_not_there(shop: Shop, program: Programs) -> None:
    number = program().post("/orders", body_of(shop)).get_json()["number"]
    other = program()

    assert other.get(f"/orders/{number}").status_code == 404
    assert other.post(f"/orders/{number}/payment").status_code == 404


def paid(shop: Shop, program: Programs) -> str:
    number = str(program().post("/orders", body_of(shop)).get_json()["number"])
    shop.browser()
    program(person=db.session.get(Person, get(number).buyer_id)).post(f"/orders/{number}/payment")
    shop.pay(number)
    shop.work()
    return number


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


GOODS = {
    "category": "fruit-apple",
    "title": "吉县红富士苹果",
    "unit": "5斤箱",
    "price_fen": 3980,
    "stock": 40,
    "village": "东城乡",
    "story": "霜降前摘的，果面干净，脆甜多汁。",
    "harvest_months": [10],
}


@pytest.fixture
def grower(shop: Shop, program: Programs) -> Program:
    in_transaction(lambda session: session.execute(update(Category).values(parent_code="grain-millet")))
    seller = program("seller")
    assert seller.person
    station = {"station_code": JIXIAN, "kind": "household", "name_zh": "冯建国家", "name_en": "Feng", "village_zh": "东城乡"}
    known = station | {"since": 2019, "story_zh": "", "story_en": ""}
    factories.make(Seller, known, {"person_id": seller.person.id})
    return seller


def test_a_seller_writes_a_draft_and_sends_it(grower: Program) -> None:
    draft = grower.post("/listings", GOODS)
    assert draft.status_code == 201, draft.text
    sku = draft.get_json()["sku"]
    assert draft.get_json()["state"] == "draft"

    assert grower.post(f"/listings/{sku}/submission").get_json()["state"] == "submitted"
    assert grower.post("/listings", GOODS | {"submit": True}).get_json()["state"] == "submitted"
    assert grower.get(f"/listings/{sku}").status_code == 404  # nobody sees it before the station has


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"category": "nothing"}, "#/category"),
        ({"title": "苹"}, "#/title"),
        ({"unit": "礼盒"}, "#/net_weight_g"),
        ({"price_fen": 0}, "#/price_fen"),
        ({"harvest_months": [13]}, "#/harvest_months/0"),
        ({"tier": {"from_quantity": 5, "price_fen": 4000}}, "#/tier/price_fen"),
        ({"story": "\u0000"}, "#/story"),
    ],
)
def test_a_listing_says_what_it_lacks(grower: Program, changes: dict[str, Any], pointer: str) -> None:
    before = rows()
    refused = grower.post("/listings", GOODS | changes)

    assert refused.status_code == 422 and refused.get_json()["errors"][0]["pointer"] == pointer, refused.text
    assert rows() == before


def test_a_draft_is_sent_by_its_seller_alone(grower: Program, program: Programs) -> None:
    sku = grower.post("/listings", GOODS).get_json()["sku"]

    assert program("seller").post(f"/listings/{sku}/submission").status_code == 404
    assert program("seller").post("/listings", GOODS).get_json()["type"] == "urn:problem:no-station"


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
]


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
    other = TokenScope.LISTINGS_WRITE if "listings" not in path else TokenScope.READ
    without_scope = program("seller", "station_manager", scopes=(other,))
    answer = without_scope.client.open(f"/api/v1{path}", method=method, json={}, headers=without_scope.headers())
    assert (answer.status_code, answer.get_json()["type"]) == (403, "urn:problem:scope-missing")

    buyer = program()
    answer = buyer.client.open(f"/api/v1{path}", method=method, json={}, headers=buyer.headers())
    needs_role = "parcels" in path or "listings" in path
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


def test_a_token_made_before_its_person_became_staff_is_no_key_to_the_desk(shop: Shop, program: Programs) -> None:
    number = f"{paid(shop, program)}-1"
    person = factories.make_person()
    early = program(person=person, second_factor=False)
    grant = {"role": "station_clerk", "actor": "test", "scope_kind": "station", "scope_id": JIXIAN}
    in_transaction(people.grant, person_id=person.id, **grant)

    assert early.get(f"/parcels/{number}").status_code == 403
    assert early.post("/orders", body_of(shop)).status_code == 201
    assert program(person=person).get(f"/parcels/{number}").status_code == 200


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


def test_steps_are_those_of_the_desk() -> None:
    assert set(desk.STEPS) == set(get_args(StepName))


def test_parcels_are_called_by_their_labels(shop: Shop, program: Programs) -> None:
    clerk = program("station_clerk")
    for name in ("SX-23456789", "SX-23456789-0", "SX-23456789-²", "x", "-1", "SX-23456789-99999999999999999999"):
        assert clerk.get(f"/parcels/{name}").status_code == 404
    assert db.session.scalar(select(func.count()).select_from(Parcel)) == 0
