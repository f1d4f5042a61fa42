"""Filters, orders and facets, against the same counted by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from search_index import Alternative, Backend, Document, Measure, Query, Sort
from search_index.narrowing import buckets
from tests.search_index.catalogue import documents


def below(one: Document, price: int) -> bool:
    return one.measure_price_fen is not None and one.measure_price_fen <= price


def every_code(index: Backend, query: Query) -> list[str]:
    first = index.search(replace(query, per_page=100))
    return [
        code for page in range(1, first.pages + 1) for code in index.search(replace(query, per_page=100, page=page)).codes
    ]


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        (Query(), lambda one: True),
        (Query(categories=frozenset({"grain"})), lambda one: one.categories[0].code == "grain"),
        (
            Query(categories=frozenset({"grain-oat", "fruit"})),
            lambda one: one.categories[-1].code.startswith(("grain-oat", "fruit")),
        ),
        (Query(counties=frozenset({"140430", "141031"})), lambda one: one.county.code in {"140430", "141031"}),
        (Query(price_min_fen=2980, price_max_fen=3980), lambda one: 2980 <= one.price_fen <= 3980),
        (Query(measure=Measure.VOLUME), lambda one: one.measure is Measure.VOLUME),
        (
            Query(measure=Measure.WEIGHT, measure_price_max_fen=900),
            lambda one: one.measure is Measure.WEIGHT and one.measure_price_fen <= 900,
        ),
        (Query(in_season=1), lambda one: 1 in one.harvest_months),
        (Query(geographical_indication=True, pickup=True), lambda one: one.has_geographical_indication and one.has_pickup),
        (Query(deep_poverty=True, in_stock=True), lambda one: one.is_deep_poverty and one.in_stock),
        (Query(price_min_fen=10, price_max_fen=5), lambda one: False),
        (Query(counties=frozenset({"no such county"})), lambda one: False),
        (Query(in_season=13), lambda one: False),
    ],
)
def test_filters_find_what_fits(index: Backend, query: Query, fits: object) -> None:
    expected = {one.code for one in documents() if fits(one)}  # type: ignore[operator]

    assert set(every_code(index, query)) == expected
    assert index.search(query).total == len(expected)


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        (Sort.PRICE, lambda one: one.price_fen),
        (Sort.UNIT_PRICE, lambda one: (list(Measure).index(one.measure), one.measure_price_fen)),
        (Sort.NEWEST, lambda one: -one.published_at.timestamp()),
        (Sort.SALES, lambda one: -one.sales),
    ],
)
def test_orders(index: Backend, sort: Sort, key: object) -> None:
    by_code = {one.code: one for one in documents()}

    keys = [key(by_code[code]) for code in every_code(index, Query(sort=sort))]  # type: ignore[operator]

    assert keys == sorted(keys) and len(keys) == len(by_code)


def test_facets_count_everything_once_for_each_parent(index: Backend) -> None:
    facets = index.search(Query()).facets
    categories = Counter(term.code for one in documents() for term in one.categories)

    assert {facet.code: facet.count for facet in facets.categories} == categories
    assert {facet.code: facet.count for facet in facets.counties} == Counter(one.county.code for one in documents())
    assert facets.flags["geographical_indication"] == sum(one.has_geographical_indication for one in documents())
    assert facets.seasons[10] == sum(10 in one.harvest_months for one in documents())
    assert sum(bucket.count for bucket in facets.measures[Measure.WEIGHT]) == sum(
        one.measure is Measure.WEIGHT for one in documents()
    )
    assert next(facet for facet in facets.counties if facet.code == "140430").name_zh == "沁县"


def test_a_facet_does_not_narrow_itself(index: Backend) -> None:
    def grain_of(one: Document) -> bool:
        return one.categories[0].code == "grain"

    facets = index.search(Query(counties=frozenset({"140430"}), categories=frozenset({"grain"}))).facets

    assert {facet.code: facet.count for facet in facets.counties} == Counter(
        one.county.code for one in documents() if grain_of(one)
    )
    assert {facet.code for facet in facets.categories} == {
        term.code for one in documents() if one.county.code == "140430" for term in one.categories
    }


def test_an_empty_answer_names_the_filter_in_the_way(index: Backend) -> None:
    answer = index.search(Query(text="樱桃", counties=frozenset({"140430"}), in_stock=True))

    assert answer.total == 0
    assert answer.alternatives[0].filters == ("counties",)
    assert answer.alternatives[0].count == index.search(Query(text="樱桃", in_stock=True)).total


def test_filters_that_only_together_find_nothing_are_dropped_together(index: Backend) -> None:
    answer = index.search(Query(counties=frozenset({"nowhere"}), categories=frozenset({"nothing"})))

    assert answer.alternatives == (Alternative(("categories", "counties"), len(documents())),)


def test_pages_are_parts_of_one_order(index: Backend) -> None:
    query = Query(text="小米", per_page=7)
    pages = [index.search(replace(query, page=page)) for page in (1, 2, 3)]

    assert [code for page in pages for code in page.codes] == index.search(replace(query, per_page=21)).codes
    assert index.search(replace(query, page=999)).codes == []
    assert index.search(replace(query, page=-1)).page == 1


def test_histograms_have_round_widths_and_an_open_end() -> None:
    found = buckets(np.array([100] * 90 + [550] * 9 + [100_000]))

    assert found[0].from_fen == 0 and found[-1].below_fen is None
    assert sum(bucket.count for bucket in found) == 100
    assert len(found) <= 12 and found[0].below_fen == 50


@pytest.mark.parametrize("query", [Query(), Query(text="小米"), Query(text="小米", geographical_indication=True)])
def test_counties_are_those_of_the_exact_goods_under_all_filters(index: Backend, query: Query) -> None:
    answer = index.search(query)
    exact = set(every_code(index, query)[: answer.exact])

    assert answer.counties == len({one.county.code for one in documents() if one.code in exact})
