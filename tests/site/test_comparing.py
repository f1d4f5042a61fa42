"""Up to four packs side by side; by their measures only what has the same one compares."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.orm import Session

from listings import offering
from listings.alike import measure_fen
from marketplace.core.db import in_transaction
from tests.factories import make_category, make_listing, make_person, make_shipping, make_station, make_variant

pytestmark = pytest.mark.usefixtures("shelf")


@pytest.fixture
def shelf(session: Session) -> None:
    """Four apples by weight, eggs by the piece, vinegar by volume, and a thing without a measure."""
    make_station()
    make_category()
    make_shipping()
    seller = make_person("seller").id
    goods: list[tuple[str, int, dict[str, Any]]] = [
        ("A1", 3980, {}),
        ("A2", 2980, {"measure_amount": 2500}),
        ("A3", 2980, {"measure_amount": 2500}),
        ("A4", 990, {"measure_amount": 500}),
        ("E1", 4500, {"measure": "piece", "measure_amount": 30, "piece_zh": "枚"}),
        ("V1", 1800, {"measure": "volume", "measure_amount": 500}),
        ("T1", 8800, {"measure": "none", "measure_amount": None}),
    ]
    for code, fen, more in goods:
        make_variant(
            make_listing(code=code, seller_id=seller, title_zh=f"货{code}"), code=f"{code}-1", price_fen=fen, **more
        )


def columns(page: str) -> list[str]:
    return re.findall(r'compare__title" href="/listings/(\w+)', page)


def best(page: str) -> list[str]:
    """The goods whose price by measure is said to be the best."""
    row = next(row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if "同样多" in row)
    cells = re.findall(r"<td>.*?</td>", row, re.DOTALL)
    return [code for code, cell in zip(columns(page), cells, strict=True) if "最划算" in cell]


def test_the_best_price_by_measure_is_said_in_words_and_two_that_share_it_both_have_it(client: FlaskClient) -> None:
    page = client.get("/compare?items=A1-1,A2-1,A3-1,A4-1").text

    assert columns(page) == ["A1", "A2", "A3", "A4"]
    assert best(page) == ["A2", "A3"]
    assert "¥5.96/斤" in page and "计量一样" in page


def test_only_what_has_the_same_measure_compares(client: FlaskClient) -> None:
    page = client.get("/compare?items=A1-1,A4-1,E1-1,V1-1").text

    assert best(page) == ["A1"]
    assert "它们计量不一样" in page
    page = client.get("/compare?items=A1-1,E1-1,T1-1").text
    assert best(page) == [] and "没有计量，不好比" in page


def test_the_address_may_be_written_in_two_ways_and_holds_each_once(client: FlaskClient) -> None:
    one = columns(client.get("/compare?items=A1-1,A2-1,A1-1").text)

    assert one == columns(client.get("/compare?items=A1-1&items=A2-1&items=A1-1").text) == ["A1", "A2"]


def test_four_are_enough(client: FlaskClient) -> None:
    page = client.get("/compare?items=A1-1,A2-1,A3-1,A4-1,E1-1").text

    assert columns(page) == ["A1", "A2", "A3", "A4"] and "先列出前四样" in page


def test_what_is_not_for_sale_is_left_out_and_that_is_said(client: FlaskClient, session: Session) -> None:
    seller = make_listing(code="B1")
    make_variant(seller, code="B1-1")
    in_transaction(offering.pause, code="B1", person_id=seller.seller_id)

    page = client.get("/compare?items=A1-1,B1-1,X9-9").text

    assert columns(page) == ["A1"] and "有 2 样现在不卖" in page


@pytest.mark.parametrize("query", ["", "?items=", "?items=%00", "?items=<script>", "?items=,,,", "?items=" + "x" * 5000])
def test_rubbish_leads_to_an_empty_comparison(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/compare{query}")

    assert (
        answer.status_code == 200 and "还没有要比的" in answer.text and "<script>" not in answer.text.partition("<main")[2]
    )


def test_the_cheapest_of_the_same_category_and_measure_are_offered_first(client: FlaskClient) -> None:
    page = client.get("/compare?items=A1-1").text

    assert re.findall(r'href="/compare\?items=([^"]+)"', page.partition('id="others"')[2]) == [
        "A1-1,A2-1",
        "A1-1,A3-1",
        "A1-1,A4-1",
    ]


def test_a_product_page_leads_to_the_comparison_with_the_cheapest_alike(client: FlaskClient) -> None:
    page = client.get("/listings/A1").text

    assert 'href="/compare?items=A1-1,A2-1,A3-1,A4-1"' in page
    assert 'href="/compare?items=T1-1"' in (page := client.get("/listings/T1").text) and 'id="alike"' not in page


def test_one_can_be_left_out(client: FlaskClient) -> None:
    page = client.get("/compare?items=A1-1,A2-1").text

    assert 'href="/compare?items=A2-1"' in page and 'href="/compare?items=A1-1"' in page


MEASURES = st.sampled_from(["weight", "volume", "piece"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fen=st.integers(1, 10_000_000), measure=MEASURES, amount=st.integers(1, 100_000))
def test_the_price_of_a_measure_is_rounded_half_up(fen: int, measure: str, amount: int) -> None:
    per = {"weight": 500, "volume": 1000, "piece": 1}[measure]

    found = measure_fen(fen, measure, amount)

    assert found is not None and abs(2 * (found * amount - fen * per)) <= amount
    assert measure_fen(fen, "none", amount) is None and measure_fen(fen, measure, None) is None
