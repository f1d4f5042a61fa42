"""The JSON face: exact shapes, filters, problems, and a document that says the same."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from listings import indexing
from marketplace.api import openapi
from marketplace.core.settings import settings
from tests import factories

ROOT: Final = Path(__file__).parents[2]


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
    indexing.rebuild()
    yield real_app.test_client()
    real_app.extensions.pop("search_index", None)


def skus(client: FlaskClient, query: str) -> list[str]:
    return [item["sku"] for item in client.get(f"/api/v1/search?{query}").get_json()["items"]]


def test_an_answer_has_exactly_this_shape(goods: FlaskClient) -> None:
    assert goods.get("/api/v1/search?q=苹果").get_json() == {
        "total": 1,
        "page": 1,
        "degraded": False,
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


@pytest.fixture
def lost(goods: FlaskClient) -> FlaskClient:
    """The index is gone, and nothing has changed since."""
    shutil.rmtree(settings().search_folder)
    goods.application.extensions.pop("search_index", None)
    return goods


def test_without_the_index_each_word_still_finds(lost: FlaskClient) -> None:
    assert sorted(skus(lost, "q=小米")) == ["A1", "A2"]
    assert skus(lost, "q=大袋 沁县") == ["A2"]
    assert skus(lost, "q=小米&category=fruit-apple") == []
    assert lost.get("/api/v1/suggest?q=xiao").get_json() == {"degraded": True, "suggestions": []}


def test_without_the_index_orders_and_facets_hold(lost: FlaskClient) -> None:
    assert skus(lost, "sort=price") == ["A3", "A1", "A2"]
    assert skus(lost, "category=grain&sort=unit_price") == ["A2", "A1"]
    assert skus(lost, "sort=price&per_page=1&page=2") == ["A1"]
    answer = lost.get("/api/v1/search?q=小米&county=141028").get_json()
    assert (answer["total"], answer["degraded"]) == (0, True)
    assert answer["facets"]["county"] == [{"code": "140430", "name": "沁县", "count": 2}]
    assert lost.get("/api/v1/search?category=fruit-apple").get_json()["facets"]["category"] == [
        {"code": "grain", "name": "杂粮", "count": 2},
        {"code": "grain-millet", "name": "小米", "count": 2},
        {"code": "fruit-apple", "name": "苹果", "count": 1},
    ]


def test_the_page_counts_and_orders_without_the_index_too(lost: FlaskClient) -> None:
    page = lost.get("/search?category=grain-millet&sort=unit_price").text

    assert page.index("/listings/A2") < page.index("/listings/A1") and "/listings/A3" not in page
    assert "只认得原样的字" in page


@pytest.mark.parametrize("path", ["/search?q=%00", "/search?county=%00&category=%00&q=x", "/api/v1/search?q=%00"])
def test_a_nul_breaks_nothing_without_the_index(lost: FlaskClient, path: str) -> None:
    assert lost.get(path).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "chinese", "english"),
    [
        ("county=１４１０２８", "没有这样的编码。", "It is not a known code."),
        ("page=0", "最小是 1。", "It must be at least 1."),
        ("per_page=101", "最大是 100。", "It may be at most 100."),
        ("page=x", "要填整数。", "It must be a whole number."),
        ("q=" + "x" * 201, "最多 200 个字。", "It may have at most 200 characters."),
    ],
)
def test_a_problem_speaks_the_language_of_the_cookie(goods: FlaskClient, wrong: str, chinese: str, english: str) -> None:
    problem = goods.get(f"/api/v1/search?{wrong}", headers={"Accept-Language": "en"}).get_json()
    assert (problem["title"], problem["errors"][0]["detail"]) == ("有个参数不对。", chinese)

    goods.set_cookie("lang", "en")
    problem = goods.get(f"/api/v1/search?{wrong}").get_json()
    assert (problem["title"], problem["errors"][0]["detail"]) == ("A parameter is wrong.", english)


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


def test_a_server_without_docstrings_says_what_its_answers_are() -> None:
    """As bin/run.py starts it."""
    code = """
import json
from marketplace.api import openapi
print(json.dumps({name: schema.get("description") for name, schema in openapi.document()["components"]["schemas"].items()}))
"""
    without = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    said = {name: schema.get("description") for name, schema in openapi.document()["components"]["schemas"].items()}
    assert json.loads(without.stdout) == said
    assert said["Problem"] == "RFC 9457."


def test_a_longer_page_costs_no_more_statements(
    goods: FlaskClient, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    goods.get("/api/v1/search")
    with count_statements() as few:
        goods.get("/api/v1/search?per_page=1")
    with count_statements() as many:
        goods.get("/api/v1/search?per_page=100")

    assert len(few) == len(many)
