"""Programs of buyers say what was wrong with goods that arrived."""

import base64
import io
from typing import Any

import pytest
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from marketplace.accounts.models import Person
from marketplace.accounts.tokens import TokenScope
from marketplace.core import ids
from marketplace.core.db import db
from marketplace.core.settings import settings
from marketplace.orders.cases.models import AfterSalesCase, CasePicture
from marketplace.orders.models import Order, OrderLine
from marketplace.payments.models import Refund
from tests.api.conftest import Program
from tests.api.trading import Programs, paid
from tests.orders.casework import deliver, picture, ship
from tests.orders.conftest import Shop, get

WRONG: dict[str, Any] = {"quantity": 1, "kind": "wrong", "words": "不是我订的那种"}


@pytest.fixture
def buyer(shop: Shop, program: Programs) -> Program:
    """Whose two boxes of apples, 3980 fen each, have arrived."""
    number = paid(shop, program)
    deliver(number)
    return program(person=db.session.get(Person, get(number).buyer_id))


@pytest.fixture
def about(shop: Shop, buyer: Program) -> dict[str, Any]:
    return {"order": number_of(buyer), "sku": shop.apples} | WRONG


def number_of(buyer: Program) -> str:
    assert buyer.person
    return str(db.session.scalar(select(Order.number).where(Order.buyer_id == buyer.person.id)))


def send(who: Program, fields: dict[str, Any], *pictures: Any, key: str = "") -> TestResponse:
    headers = who.headers() | {"Idempotency-Key": key or ids.public_id()}
    sent = {name: str(value) for name, value in fields.items()} | {"pictures": list(pictures)}
    return who.client.post("/api/v1/cases", data=sent, headers=headers, content_type="multipart/form-data")


def written() -> tuple[int, int, int]:
    """Cases, their pictures, refunds."""
    db.session.rollback()
    counted = (select(func.count()).select_from(kind) for kind in (AfterSalesCase, CasePicture, Refund))
    first, second, third = (db.session.scalar(each) or 0 for each in counted)
    return first, second, third


def test_a_case_is_opened_by_line_and_quantity_and_followed(buyer: Program, about: dict[str, Any]) -> None:
    opened = buyer.post("/cases", about)

    assert opened.status_code == 201, opened.text
    told = opened.get_json()
    case = told["case"]
    assert told.pop("opened_at") < told.pop("decide_by")
    assert told == {
        "case": case,
        "order": about["order"],
        "sku": about["sku"],
        "quantity": 1,
        "spoiled_grams": None,
        "spoiled_pieces": None,
        "kind": "wrong",
        "wish": "refund",
        "state": "requested",
        "pictures": 0,
        "refunded_fen": 0,
        "answer": "",
        "url": f"/orders/{about['order']}/cases/{case}",
    }
    assert buyer.get(f"/cases/{case}").get_json() == opened.get_json()
    assert written() == (1, 0, 0)


def test_damage_with_pictures_is_refunded_at_once(buyer: Program, about: dict[str, Any]) -> None:
    damaged = about | {"kind": "damaged"}
    opened = send(buyer, damaged, picture("brown"), picture("black"), key="once")

    assert opened.status_code == 201, opened.text
    assert (opened.get_json()["state"], opened.get_json()["pictures"]) == ("refunded", 2)
    assert opened.get_json()["refunded_fen"] == 3980 + 300
    kept = db.session.scalars(select(CasePicture.digest)).all()
    assert all((settings().private_media_folder / each[:2] / each / "320.webp").exists() for each in kept)

    again = send(buyer, damaged, picture("brown"), picture("black"), key="once")
    assert again.get_json() == opened.get_json() and again.headers["Idempotent-Replayed"] == "true"
    other = send(buyer, damaged, picture("brown"), picture("white"), key="once")
    assert (other.status_code, other.get_json()["type"]) == (409, "urn:problem:key-with-other-request")
    assert written() == (1, 2, 1)


def test_what_is_bad_in_part_is_paid_for_by_weight(buyer: Program, about: dict[str, Any]) -> None:
    bad = about | {"kind": "damaged", "spoiled_grams": 625}
    refused = send(buyer, bad | {"spoiled_grams": 2501}, picture())
    assert (refused.status_code, refused.get_json()["type"]) == (422, "urn:problem:too-heavy")
    assert refused.get_json()["errors"][0]["pointer"] == "#/spoiled_grams" and written() == (0, 0, 0)
    opened = send(buyer, bad, picture())
    assert opened.status_code == 201, opened.text
    told = opened.get_json()
    assert (told["state"], told["spoiled_grams"], told["refunded_fen"]) == ("refunded", 625, 995)


def test_what_is_bad_in_part_is_paid_for_by_the_piece_once(buyer: Program, about: dict[str, Any]) -> None:
    db.session.execute(update(OrderLine).values(unit_zh="30枚箱"))
    db.session.commit()
    bad = about | {"kind": "damaged", "spoiled_pieces": 2}
    for pieces, kind in (("31", "too-many-pieces"), ("0", "unfit"), ("-1", "unfit"), ("1.5", "unfit"), (10**30, "unfit")):
        refused = send(buyer, bad | {"spoiled_pieces": pieces}, picture())
        assert (refused.status_code, refused.get_json()["type"]) == (422, f"urn:problem:{kind}"), pieces
        assert refused.get_json()["errors"][0]["pointer"] == "#/spoiled_pieces" and written() == (0, 0, 0)
    first, again = (send(buyer, bad, picture(), key="k").get_json() for _time in range(2))
    assert first == again and written() == (1, 1, 1)
    assert (first["state"], first["spoiled_pieces"], first["refunded_fen"]) == ("refunded", 2, 3980 * 2 // 30)


REFUSED: list[tuple[dict[str, Any], int, str, str]] = [
    ({"quantity": 3}, 422, "urn:problem:too-many-units", "#/quantity"),
    ({"quantity": 0}, 422, "urn:problem:unfit", "#/quantity"),
    ({"kind": "damaged"}, 422, "urn:problem:picture-needed", "#/pictures"),
    ({"kind": "unwanted"}, 422, "urn:problem:too-late", "#/kind"),
    ({"kind": "eaten"}, 422, "urn:problem:unfit", "#/kind"),
    ({"kind": "missing", "wish": "exchange"}, 422, "urn:problem:unfit", "#/wish"),
    ({"spoiled_grams": 500}, 422, "urn:problem:not-by-weight", "#/spoiled_grams"),
    ({"spoiled_pieces": 2}, 422, "urn:problem:not-by-piece", "#/spoiled_pieces"),
    ({"spoiled_grams": 0}, 422, "urn:problem:unfit", "#/spoiled_grams"),
    ({"spoiled_grams": "1.5"}, 422, "urn:problem:unfit", "#/spoiled_grams"),
    ({"words": "\u2800 "}, 422, "urn:problem:unfit", "#/words"),
    ({"sku": "P0001-9"}, 422, "urn:problem:unfit", "#/sku"),
    ({"order": "SX-23456789"}, 404, "urn:problem:not-found", ""),
    ({"line": "1"}, 422, "urn:problem:unfit", "#/line"),
]


@pytest.mark.parametrize(("changes", "status", "kind", "pointer"), REFUSED)
def test_what_is_refused_is_pointed_at_and_kept_nowhere(
    buyer: Program, about: dict[str, Any], changes: dict[str, Any], status: int, kind: str, pointer: str
) -> None:
    refused = buyer.post("/cases", about | changes, key="k")

    problem = refused.get_json()
    assert (refused.status_code, problem["type"]) == (status, kind), refused.text
    assert [each["pointer"] for each in problem["errors"]] == ([pointer] if pointer else [])
    assert written() == (0, 0, 0)
    assert buyer.post("/cases", about, key="k").status_code == 201  # a refusal used up no key


def test_what_is_no_picture(buyer: Program, about: dict[str, Any]) -> None:
    damaged = about | {"kind": "damaged"}
    rubbish = (io.BytesIO(base64.b64decode("iVBORw0KGgo=")), "a.png")

    refused = send(buyer, damaged, picture(), rubbish)
    assert refused.status_code == 422 and [each["pointer"] for each in refused.get_json()["errors"]] == ["#/pictures/1"]
    refused = send(buyer, damaged, *(picture() for _each in range(7)))
    assert [each["pointer"] for each in refused.get_json()["errors"]] == ["#/pictures"]
    refused = send(buyer, damaged | {"pictures_2": 1}, picture())
    assert [each["pointer"] for each in refused.get_json()["errors"]] == ["#/pictures_2"]
    refused = buyer.client.post("/api/v1/cases", data="a", content_type="text/plain", headers=buyer.headers())
    assert refused.status_code == 415
    assert written() == (0, 0, 0)


def test_nobody_elses_order(buyer: Program, about: dict[str, Any], program: Programs) -> None:
    case = buyer.post("/cases", about).get_json()["case"]
    other = program()

    assert other.post("/cases", about).status_code == 404
    assert other.get(f"/cases/{case}").status_code == 404
    reads = program(person=buyer.person, scopes=(TokenScope.READ,))
    assert reads.get(f"/cases/{case}").status_code == 200
    assert reads.post("/cases", about).status_code == 403
    assert written() == (1, 0, 0)


def test_what_is_on_the_road_has_arrived_by_its_buyers_word_and_what_is_not_sent_has_not(
    shop: Shop, program: Programs
) -> None:
    number = paid(shop, program)
    buyer = program(person=db.session.get(Person, get(number).buyer_id))
    asked = {"order": number, "sku": shop.apples} | WRONG

    early = buyer.post("/cases", asked)
    assert (early.status_code, early.get_json()["type"]) == (409, "urn:problem:not-there-yet")
    ship(number)
    assert buyer.post("/cases", asked).status_code == 201
