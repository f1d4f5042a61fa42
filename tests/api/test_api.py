"""The JSON face: exact shapes, filters, problems, and a document that says the same."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from listings import indexing
from marketplace.core.settings import settings
from tests import factories


@pytest.fixture
def goods(real_app: Flask) -> Iterator[FlaskClient]:
    factories.make_station()
    factories.make_station("140430", county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    factories.make_category(code="grain", name_zh="杂粮", name_en="Grain")
    factories.make_category(code="grain-millet", parent_code="grain", name_zh="小米", name_en="Millet")
    factories.make_category()
    for code, title, fen in (("A1", "沁州黄小米", 5800), ("A2", "沁县小米 大袋", 11000)):
        listing = factories.make_listing(
            code=code, title_zh=title, title_en=f"Millet {code}", category_code="grain-millet", station_code="140430"
        )
        factories.make_variant(listing, price_fen=fen, measure_amount=2500 if code == "A1" else 5000, code=f"{code}-1")
    apple = factories.make_listing(code="A3")
    factories.make_variant(apple, code="A3-1", tiers=((10, 3680),))
    shutil.rmtree(settings().search_folder, ignore_errors=True)
    indexing.rebuild()
    yield real_app.test_client()
    real_app.extensions.pop("search_index", None)


def skus(client: FlaskClient, query: str) -> list[str]:
    return [item["sku"] for item in client.get(f"/api/v1/search?{query}").get_json()["items"]]


def test_an_answer_has_exactly_this_shape(goods: FlaskClient) -> None:
    assert goods.get("/api/v1/search?q=苹果").get_json() == {
        "total": 1,
        "page": 1,
        "items": [
            {
                "sku": "A3",
                "title": "吉县红富士苹果",
                "price_fen": 3980,
                "county_code": "141028",
                "category": "fruit-apple",
                "url": "/listings/A3",
            }
        ],
        "facets": {
            "county": [{"code": "141028", "name": "吉县", "count": 1}],
            "category": [{"code": "fruit-apple", "name": "苹果", "count": 1}],
        },
    }


def test_filters_repeat_parents_count_and_orders_order(goods: FlaskClient) -> None:
    assert sorted(skus(goods, "category=grain")) == ["A1", "A2"]
    assert sorted(skus(goods, "county=140430&county=141028")) == ["A1", "A2", "A3"]
    assert skus(goods, "county=141028") == ["A3"]
    assert skus(goods, "sort=price") == ["A3", "A1", "A2"]
    assert skus(goods, "category=grain&sort=unit_price") == ["A2", "A1"]
    assert skus(goods, "sort=price&per_page=1&page=2") == ["A1"]
    assert skus(goods, "q=qinzhou+huang+xiaomi")[0] == "A1"


@pytest.mark.parametrize(
    "wrong",
    ["page=0", "page=x", "per_page=101", "per_page=-1", "sort=cheap", "county=1410", "q=" + "x" * 201, "category=a b"],
)
def test_a_wrong_parameter_is_a_problem_that_names_it(goods: FlaskClient, wrong: str) -> None:
    answer = goods.get(f"/api/v1/search?{wrong}")

    assert answer.status_code == 422 and answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["errors"][0]["pointer"] == "?" + wrong.partition("=")[0]


def test_rubbish_finds_nothing_and_breaks_nothing(goods: FlaskClient) -> None:
    for text in ("🍎", "' OR 1=1 --", "<script>", "\\", "*", "AND OR NOT", "(", "%00", "title:[a TO z]"):
        assert goods.get("/api/v1/search", query_string={"q": text}).status_code == 200


def test_without_the_index_the_words_of_the_titles_still_find(goods: FlaskClient) -> None:
    shutil.rmtree(settings().search_folder)
    goods.application.extensions.pop("search_index", None)

    assert sorted(skus(goods, "q=小米")) == ["A1", "A2"]
    assert skus(goods, "q=小米&category=fruit-apple") == []
    assert goods.get("/api/v1/suggest?q=xiao").get_json() == {"suggestions": []}


def test_a_listing_shows_its_packs_and_tiers(goods: FlaskClient) -> None:
    answer = goods.get("/api/v1/listings/A3").get_json()

    assert (answer["sku"], answer["county_code"], answer["return_policy"]) == ("A3", "141028", "fresh_excluded")
    assert answer["packs"] == [
        {
            "sku": "A3-1",
            "unit": "5斤箱",
            "price_fen": 3980,
            "net_weight_g": 2500,
            "minimum_quantity": 1,
            "available": 100,
            "tiers": [{"from_quantity": 10, "price_fen": 3680}],
        }
    ]


def test_english_is_asked_for_by_the_cookie(goods: FlaskClient) -> None:
    goods.set_cookie("lang", "en")
    assert goods.get("/api/v1/listings/A1").get_json()["title"] == "Millet A1"


def test_unknown_is_a_problem_too(goods: FlaskClient) -> None:
    for path, status in (("/api/v1/listings/nothing", 404), ("/api/v1/nothing", 404)):
        answer = goods.get(path)
        assert answer.status_code == status and answer.content_type == "application/problem+json"
    assert goods.post("/api/v1/search", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 405


def test_stations_are_listed(goods: FlaskClient) -> None:
    answer = goods.get("/api/v1/stations").get_json()

    assert answer["total"] == 2 and [item["code"] for item in answer["items"]] == ["140430", "141028"]


def test_the_document_is_valid_and_names_every_path(goods: FlaskClient) -> None:
    document: Any = goods.get("/api/v1/openapi.json").get_json()

    validate(document)
    rules = {rule.rule for rule in goods.application.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    said = {f"/api/v1{path}".replace("{", "<").replace("}", ">") for path in document["paths"]}
    assert said == rules - {"/api/v1/openapi.json"}


def test_a_longer_page_costs_no_more_statements(
    goods: FlaskClient, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    goods.get("/api/v1/search")
    with count_statements() as few:
        goods.get("/api/v1/search?per_page=1")
    with count_statements() as many:
        goods.get("/api/v1/search?per_page=100")

    assert len(few) == len(many)
