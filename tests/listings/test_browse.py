import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from listings.models import Listing, Variant
from listings.states import ListingState
from search_index import Alternative, Answer, Facet, Facets, Hit, IndexUnavailable, Measure, Query, ReadAs, Reading

Statements = Callable[[], AbstractContextManager[list[str]]]


@dataclass
class Index:
    """An index that answers what a test wants, or is not there."""

    answer: Answer | None = None
    asked: list[Query] = field(default_factory=list)

    def generation(self) -> int:
        if self.answer is None:
            raise IndexUnavailable
        return id(self)

    def search(self, query: Query) -> Answer:
        if self.answer is None:
            raise IndexUnavailable
        self.asked.append(query)
        return self.answer


def heading(page: str) -> str:
    """A page's first heading, as it is read."""
    return re.sub(r"<[^>]+>", "", page.split("<h1>")[1].split("</h1>")[0])


@pytest.fixture
def index(demo_app: Flask) -> Iterator[Index]:
    demo_app.extensions["search_index"] = index = Index()
    yield index
    del demo_app.extensions["search_index"]


@pytest.fixture
def client(demo_app: Flask, demonstration: Session, index: Index) -> FlaskClient:
    return demo_app.test_client()


def found(*codes: str, **more: object) -> Answer:
    hits = tuple(Hit(code, 1.0) for code in codes)
    return Answer(**{"total": len(codes), "exact": len(codes), "page": 1, "per_page": 24, "hits": hits, **more})  # type: ignore[arg-type]


def test_goods_stand_in_the_order_of_the_index(client: FlaskClient, index: Index) -> None:
    index.answer = found("P0076", "P0001", "P0002")

    page = client.get(f"/search?q={quote('小米')}").text

    places = [page.index(f'href="/listings/{code}"') for code in ("P0076", "P0001", "P0002")]
    assert places == sorted(places)
    assert "3 件" in page and index.asked[0].text == "小米"


def test_what_was_unpublished_meanwhile_is_left_out(client: FlaskClient, index: Index, demonstration: Session) -> None:
    demonstration.execute(update(Listing).where(Listing.code == "P0001").values(state=ListingState.SUSPENDED))
    index.answer = found("P0076", "P0001")

    page = client.get("/search?q=millet").text

    assert "/listings/P0076" in page and "/listings/P0001" not in page


def test_it_says_how_the_words_were_read(client: FlaskClient, index: Index) -> None:
    index.answer = found("P0101", understood=(Reading("zaliang", ("杂粮",), ReadAs.PINYIN),), suggestion="五谷杂粮")

    page = client.get("/search?q=zaliang").text

    assert "按拼音 zaliang 找到：杂粮" in page
    assert "是不是要找" in page and quote("五谷杂粮") in page
    assert 'href="/search?q=zaliang&amp;exact=1"' in page


def test_what_only_comes_near_is_said_to(client: FlaskClient, index: Index) -> None:
    index.answer = found("P0076", "P0001", exact=1)

    page = client.get("/search?q=millet").text

    assert page.index("/listings/P0076") < page.index("不完全是，差不多的") < page.index("/listings/P0001")
    assert "1 件" in page


def test_nothing_found_offers_ways_out(client: FlaskClient, index: Index) -> None:
    index.answer = found(alternatives=(Alternative(("counties",), 12),))

    page = client.get(f"/search?q={quote('苹果')}&county=140430").text

    assert "没找到这样的货" in page
    assert f'href="/search?q={quote("苹果")}">不限站点，有 12 件' in page


def test_chosen_filters_stay_even_without_goods(client: FlaskClient, index: Index) -> None:
    index.answer = found(facets=Facets(counties=(Facet("140430", "沁县", "Qinxian", 7),)))

    page = client.get("/search?q=x&county=141028").text

    assert 'name="county" value="141028" checked' in page
    assert page.index('value="141028"') < page.index('value="140430"')


def test_filters_without_goods_stay_greyed_and_last(client: FlaskClient, index: Index) -> None:
    index.answer = found(facets=Facets(counties=(Facet("141028", "吉县", "Jixian", 7),)))

    page = client.get("/search?q=x").text

    assert '<label class="check"><input type="checkbox" name="county" value="141028">' in page
    assert '<label class="check check--none"><input type="checkbox" name="county" value="140430">' in page
    assert page.index('value="141028"') < page.index('value="140430"')


def test_a_shelf_asks_for_its_categories(client: FlaskClient, index: Index) -> None:
    index.answer = found("P0012", total=80)

    page = client.get("/categories/pantry").text

    assert index.asked[0].categories == {"oil", "drink", "honey"}
    assert "80 件" in page and 'aria-current="page">油酒茶' in page


def test_without_an_index_goods_are_still_found(client: FlaskClient) -> None:
    page = client.get(f"/search?q={quote('玉露香梨')}&county=141031").text

    assert "搜索正在重新整理" in page
    assert "/listings/P0290" in page and "/listings/P0310" not in page


@pytest.mark.parametrize(
    "query", ["gi=1", "deep=1", "stock=1", "season=1", "min=2&max=9", "category=fruit-apple", "sort=unit_price"]
)
def test_every_filter_works_without_an_index(client: FlaskClient, query: str) -> None:
    assert client.get(f"/categories/fresh-fruit?{query}").status_code == 200


def test_by_measure_weights_come_first(client: FlaskClient) -> None:
    """The price of an egg is not one of 500 g."""
    page = client.get("/search?sort=unit_price").text
    pieces = client.get("/search?sort=unit_price&page=15").text
    assert all(per.endswith("斤") for per in re.findall(r"¥[0-9.]+/[^ <]", page)) and "/枚" in pieces


def test_unknown_categories_and_odd_pages(client: FlaskClient, index: Index) -> None:
    assert client.get("/categories/cars").status_code == 404
    assert "没有第 99 页" in client.get("/categories/grains?page=99").text


def test_a_list_costs_the_same_however_long(client: FlaskClient, index: Index, count_statements: Statements) -> None:
    index.answer = found("P0001")
    with count_statements() as one:
        client.get("/search?q=a")
    index.answer = found(*(f"P{number:04}" for number in range(1, 25)))
    with count_statements() as many:
        client.get("/search?q=b")

    assert len(one) == len(many) == 4


def test_stations_are_those_of_the_exact_goods_or_not_mentioned(client: FlaskClient, index: Index) -> None:
    counties = Facets(counties=(Facet("140430", "沁县", "Qinxian", 7), Facet("141028", "吉县", "Jixian", 2)))
    index.answer = found("P0076", "P0001", exact=1, counties=1, facets=counties)
    assert heading(client.get("/search?q=millet").text).endswith(" 1 件，1 个站在卖")

    index.answer = found("P0076", "P0001", exact=1, facets=counties)
    assert heading(client.get("/search?q=maize").text).endswith(" 1 件")


def test_without_an_index_stations_are_counted_in_the_database(client: FlaskClient, demonstration: Session) -> None:
    goods = demonstration.execute(
        select(func.count(), func.count(Listing.station_code.distinct())).where(
            Listing.category_code == "fruit-apple", Listing.state == ListingState.PUBLISHED
        )
    ).one()

    page = client.get("/categories/fruit-apple?stock=0").text

    assert heading(page) == f"苹果 {goods[0]} 件，{goods[1]} 个站在卖"


@pytest.mark.parametrize(
    ("typed", "readings", "shown"),
    [
        ("qinzhou huang xiaomi", (("qinzhou", "沁州"), ("huangxiaomi", "黄小米")), "沁州黄小米"),
        ("qinzhou huang xiaomi", (("qinzhou", "沁州"), ("xiaomi", "小米")), "qinzhou huang xiaomi"),
        ("Xiaomi", (("xiaomi", "小米"),), "小米"),
        ("xiaomi mi", (("mi", "米"), ("xiaomi", "小米")), "小米米"),
        ("milet wine", (("milet", "millet"),), "millet wine"),
        ("沁州 huang", (), "沁州 huang"),
    ],
)
def test_a_heading_is_as_typed_or_wholly_understood(
    client: FlaskClient, index: Index, typed: str, readings: tuple[tuple[str, str], ...], shown: str
) -> None:
    read = tuple(Reading(one, (other,), ReadAs.PINYIN) for one, other in readings)
    index.answer = found("P0076", understood=read)

    page = client.get(f"/search?q={quote(typed)}").text

    assert f"<h1>{shown} <span" in page


@pytest.mark.parametrize(
    ("bounds", "words"), [("min=2&max=20", "¥2–20/斤"), ("min=2.5", "¥2.50/斤以上"), ("max=20", "¥20/斤以下")]
)
def test_the_price_is_a_chip_that_takes_itself_away(client: FlaskClient, index: Index, bounds: str, words: str) -> None:
    index.answer = found("P0076")

    page = client.get(f"/search?q=x&{bounds}").text

    assert re.search(rf'chip--on" href="/search\?q=x">{words}<svg', page)
    assert index.asked[0].measure is Measure.WEIGHT
    assert "看 1 件" in page


def test_a_price_per_500_g_finds_only_what_is_sold_by_weight(client: FlaskClient, demonstration: Session) -> None:
    eggs = demonstration.scalars(select(Listing.code).join(Variant).where(Variant.measure == "piece").limit(1)).one()
    demonstration.execute(update(Listing).where(Listing.code == eggs).values(title_zh="独一份的蛋"))

    assert eggs in client.get(f"/search?q={quote('独一份')}").text
    assert f"/listings/{eggs}" not in client.get(f"/search?q={quote('独一份')}&min=0&max=9999").text


def test_flags_without_goods_come_last(client: FlaskClient, index: Index) -> None:
    index.answer = found("P0076", facets=Facets(flags={"deep_poverty": 3}))

    page = client.get("/search?q=x").text

    assert page.index('name="deep"') < page.index('name="stock"') < page.index('name="gi"')


def test_ways_out_stand_in_the_box_before_the_way_to_everything(client: FlaskClient, index: Index) -> None:
    bounds = ("measure", "measure_price_min_fen")
    index.answer = found(alternatives=(Alternative(("counties",), 12), Alternative(bounds, 3)))

    page = client.get("/search?q=x&county=140430&min=9").text
    box = page[page.index('class="empty"') :]

    assert box.index("不限站点，有 12 件") < box.index("不限价格，有 3 件") < box.index("看全部商品")
    assert 'href="/search?q=x&amp;county=140430">不限价格' in page
