"""Programs that order: the commands of the shop's pages, under a token, once for each key."""

from typing import Any

import pytest
from sqlalchemy import update

from listings.models import Category
from marketplace.accounts import addresses
from marketplace.api.doors import MOST_BYTES
from marketplace.core.db import db, in_transaction
from marketplace.orders.institutions import keeping
from marketplace.orders.institutions.states import InstitutionState
from marketplace.stations.models import Station
from tests import factories
from tests.api.trading import RECIPIENT, Programs, body_of, paid, rows
from tests.institutions.conftest import build_canteen, differences
from tests.orders.conftest import Shop, stock_of
from tests.orders.promotions.promoting import promotion


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


def test_a_key_with_another_body_is_refused_also_where_none_is_asked_for(shop: Shop, program: Programs) -> None:
    buyer = program()
    path = f"/orders/{buyer.post('/orders', body_of(shop)).get_json()['number']}/payment"
    first = buyer.post(path, key="a")
    before = rows()

    again, refused = buyer.post(path, {}, key="a"), buyer.post(path, {"total_fen": 1}, key="a")
    huge = buyer.post(path, {"words": "x" * 70_000}, key="b")

    assert (first.status_code, again.status_code, again.get_json()) == (201, 201, first.get_json())
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:key-with-other-request")
    assert (huge.status_code, huge.get_json()["type"]) == (413, "urn:problem:too-large")
    assert rows() == before


@pytest.mark.parametrize("sent", [{}, {"items": "apples"}, [], {"phone": "1"}])
def test_a_used_key_with_a_body_that_cannot_be_taken_is_refused_as_another_request(
    shop: Shop, program: Programs, sent: Any
) -> None:
    buyer = program()
    first = buyer.post("/orders", body_of(shop), key="k")
    assert first.status_code == 201
    before = rows()

    refused = buyer.post("/orders", sent, key="k")

    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:key-with-other-request")
    assert buyer.post("/orders", sent, key="new").status_code == 422
    assert program().post("/orders", sent, key="k").status_code == 422  # another's key
    assert buyer.post("/orders", body_of(shop), key="k").get_json() == first.get_json() and rows() == before


def test_so_is_a_body_of_another_type_or_one_that_is_too_long(shop: Shop, program: Programs) -> None:
    buyer = program()
    assert buyer.post("/orders", body_of(shop), key="k").status_code == 201
    before = rows()
    for data, kind, alone in (("a=1", "text/plain", 415), (" " * (MOST_BYTES + 1), "application/json", 413)):
        for key, status in (("new", alone), ("k", 409)):
            headers = buyer.headers() | {"Idempotency-Key": key}
            answer = buyer.client.post("/api/v1/orders", data=data, content_type=kind, headers=headers)
            assert answer.status_code == status, answer.text
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
    ({"coupon": "free\0"}, "#/coupon"),
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


def test_a_cart_promises_the_day_that_its_order_will(shop: Shop, program: Programs) -> None:
    """A station that has two days of parcels to pack says so before the order too."""
    buyer, where = program(), {"province": "140000", "lines": [{"sku": shop.apples, "quantity": 2}]}
    at_rest = buyer.post("/carts", where).get_json()["parcels"][0]["promised_by"]
    paid(shop, program), paid(shop, program)
    in_transaction(lambda session: session.execute(update(Station).values(daily_capacity=1)))

    promised = buyer.post("/carts", where).get_json()["parcels"][0]["promised_by"]
    ordered = buyer.post("/orders", body_of(shop)).get_json()["parcels"][0]["promised_by"]
    assert promised == ordered > at_rest


def test_a_coupon_is_reckoned_and_taken_off(shop: Shop, program: Programs) -> None:
    promotion(threshold_fen=3000)
    buyer = program()
    cart = buyer.post("/carts", {"lines": body_of(shop)["lines"], "province": "140000", "coupon": "xinqiu"}).get_json()
    assert (cart["discount_fen"], cart["total_fen"]) == (1000, 7560)
    refused = buyer.get(f"/carts/{cart['cart']}?province=140000&coupon=NOSUCH")
    assert refused.status_code == 422 and refused.get_json()["errors"][0]["pointer"] == "#/coupon"

    answer = buyer.post("/orders", body_of(shop, coupon="XINQIU", total_fen=7560))

    assert answer.status_code == 201
    assert (answer.get_json()["discount_fen"], answer.get_json()["total_fen"]) == (1000, 7560)
    again = buyer.post("/orders", body_of(shop, coupon="XINQIU", total_fen=7560))
    assert again.status_code == 422 and again.get_json()["errors"][0]["pointer"] == "#/coupon"


def test_a_member_orders_on_account_within_the_limit(shop: Shop, program: Programs) -> None:
    canteen = build_canteen(shop)
    cook = program(person=canteen.payer)
    promotion(code="", amount_fen=500)
    promotion(amount_fen=700)
    body = body_of(shop, on_account=True) | {"coupon": "XINQIU", "total_fen": 8560 - 1200}

    answers = [cook.post("/orders", body, key="k") for _twice in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    made = answers[0].get_json()
    assert (made["state"], made["total_fen"], made["discount_fen"], made["paid_at"]) == (
        "placed_on_account",
        7360,
        1200,
        None,
    )
    assert answers[1].get_json()["number"] == made["number"]
    assert canteen.row.outstanding_fen == 7360 and stock_of(shop.apples) == (98, 0)
    assert cook.post(f"/orders/{made['number']}/payment").status_code == 409
    assert differences(canteen) == []


def test_what_is_on_account_is_refused_and_leaves_nothing_behind(shop: Shop, program: Programs) -> None:
    canteen = build_canteen(shop, limit_fen=8559)
    promotion()
    cook, stranger = program(person=canteen.payer), program()
    before = rows()
    asked = body_of(shop, on_account=True)
    beyond, nobody = cook.post("/orders", asked), stranger.post("/orders", asked)
    code = cook.post("/orders", asked | {"coupon": "XINGQIU"})
    other_sum = cook.post("/orders", asked | {"total_fen": 8561})
    rubbish = cook.post("/orders", asked | {"on_account": canteen.public_id})

    assert (beyond.status_code, nobody.status_code, code.status_code) == (409, 422, 422)
    assert nobody.get_json()["errors"][0]["pointer"] == "#/on_account"
    assert code.get_json()["errors"][0]["pointer"] == "#/coupon"
    assert other_sum.get_json()["errors"][0]["pointer"] == "#/total_fen"
    assert rubbish.get_json()["errors"][0]["pointer"] == "#/on_account"
    assert rows() == before and canteen.row.outstanding_fen == 0 and stock_of(shop.apples) == (100, 0)

    decision: dict[str, Any] = {"institution": canteen.public_id, "person_id": canteen.operator.id}
    in_transaction(keeping.decide, **decision, to=InstitutionState.PAUSED, why="停一停")
    assert cook.post("/orders", asked | {"total_fen": 8560}).status_code == 422
    assert cook.post("/orders", body_of(shop)).status_code == 201  # paying at once stays possible
