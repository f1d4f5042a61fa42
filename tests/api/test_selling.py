"""Programs of a seller: drafts, and what goes to the station."""

from typing import Any

import pytest
from sqlalchemy import update

from listings import reviewing
from listings.models import Category
from marketplace.core.db import in_transaction
from marketplace.stations.models import Seller
from tests import factories
from tests.api.conftest import Program
from tests.api.trading import Programs, rows
from tests.orders.conftest import JIXIAN, Shop

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
    review = {"code": sku, "station": JIXIAN, "reviewer_id": factories.make_person("station_clerk").id}
    in_transaction(reviewing.reject, **review, reason="价钱写错了")
    stands = grower.get(f"/listings/{sku}/submission").get_json()
    assert stands == {"sku": sku, "state": "rejected", "reason": "价钱写错了", "url": f"/listings/{sku}"}


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
    assert program("seller").get(f"/listings/{sku}/submission").status_code == 404
    assert program("seller").post("/listings", GOODS).get_json()["type"] == "urn:problem:no-station"
