import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from listings.cards import cards
from listings.drawings import DRAWINGS
from listings.models import Category, Listing, Variant
from listings.product import MOST_AT_ONCE, get_product
from listings.states import ListingState
from marketplace.core import clock
from marketplace.core.assets import SOURCES

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def client(demo_app: Flask, demonstration: Session) -> FlaskClient:
    return demo_app.test_client()


def test_a_product_page_says_what_it_costs_and_whose_that_is(client: FlaskClient) -> None:
    page = client.get("/listings/P0271").text

    assert "吉县苹果" in page and "¥5.98/斤" in page and "(¥11.96/kg)" in page
    assert "¥55.02" in page and "¥4.78" in page  # grower and station: 8 % of 59.80 is 4.784
    assert "坏果 48 小时内拍照，按斤赔" in page
    assert "插画，非实物照片" in page


def test_the_chosen_pack_stands_in_the_address(client: FlaskClient) -> None:
    page = client.get("/listings/P0271?variant=P0271-2").text

    assert 'name="variant" value="P0271-2"' in page
    assert 'href="?variant=P0271-2" aria-current="true"' in page


@pytest.mark.parametrize("address", ["/listings/P9999", "/listings/P0271?variant=P0001-1", "/listings/%3Cscript%3E"])
def test_what_is_not_there_is_not_found(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("state", [state for state in ListingState if state is not ListingState.PUBLISHED])
def test_only_published_goods_have_a_page(client: FlaskClient, demonstration: Session, state: ListingState) -> None:
    demonstration.execute(update(Listing).where(Listing.code == "P0271").values(state=state))

    assert client.get("/listings/P0271").status_code == 404


def test_sold_out_goods_cannot_be_put_in_the_cart(client: FlaskClient, demonstration: Session) -> None:
    demonstration.execute(update(Variant).where(Variant.code.startswith("P0271-")).values(reserved=Variant.on_hand))

    page = client.get("/listings/P0271").text

    assert "卖完了" in page and "picture--gone" in page and "/cart/items" not in page
    assert "data-tiers" not in page
    assert 'class="tab tab--browse" href="/search" aria-current="page"' in page


def test_a_pack_that_is_gone_leaves_the_others_bright(client: FlaskClient, demonstration: Session) -> None:
    demonstration.execute(update(Variant).where(Variant.code == "P0271-2").values(reserved=Variant.on_hand))

    page = client.get("/listings/P0271?variant=P0271-2").text

    assert "这一种刚卖完" in page and "data-tiers" not in page
    assert "picture--gone" not in page.partition("product__below")[0]


def test_buttons_tiers_and_stock_speak_of_the_pack_itself(client: FlaskClient) -> None:
    page = client.get("/listings/P0002").text

    assert page.count("买 1 袋 ¥66.00") == 2
    assert "10 袋起" in page and "买几袋" in page and re.search(r"还有 \d+ 袋", page)
    assert 'data-one="袋" data-several="袋"' in page
    client.set_cookie("lang", "en")
    page = client.get("/listings/P0002").text
    assert page.count("Buy 1 bag ¥66.00") == 2 and page.count("Add to cart") == 2
    assert "From 1 bag<" in page and "From 10 bags<" in page and 'data-one="bag" data-several="bags"' in page


def test_an_english_page_names_the_seller_in_english_and_marks_what_is_chinese(client: FlaskClient) -> None:
    client.set_cookie("lang", "en")

    page = client.get("/listings/P0002").text

    assert "<dd>Beipo Millet Cooperative</dd>" in page
    assert 'Taiyuan, Beipo Millet Cooperative, <span lang="zh">高村乡石岭村</span>' in page
    assert "阳曲北坡村谷子合作社" not in page


def test_months_are_no_moment_and_days_are(client: FlaskClient) -> None:
    page = client.get("/listings/P0002").text

    assert "<time>" not in page
    assert '<span class="timeline__when">9-10月</span>' in page
    assert re.search(r'<time class="timeline__when" datetime="\d{4}-\d\d-\d\d">', page)


@pytest.mark.parametrize(("category", "fact"), [("fruit-apple", "这个月采收"), ("oil-vinegar", ""), ("drink-juice", "")])
def test_only_what_is_sold_as_it_grew_was_harvested(
    demo_app: Flask, demonstration: Session, category: str, fact: str
) -> None:
    month = clock.today().month
    changed = {"category_code": category, "harvest_months": [month], "tags": []}
    demonstration.execute(update(Listing).where(Listing.code == "P0002").values(changed))

    with demo_app.test_request_context():
        (card,) = cards(demonstration, Listing.code == "P0002", order=(), limit=1)

    assert card.fact == fact


def test_the_first_pack_that_can_be_had_is_chosen(demo_app: Flask, demonstration: Session) -> None:
    demonstration.execute(update(Variant).where(Variant.code == "P0271-1").values(reserved=Variant.on_hand))

    with demo_app.test_request_context():
        product = get_product(demonstration, "P0271")

    assert product.pack("").code == "P0271-2"
    assert all(pack.most <= MOST_AT_ONCE for pack in product.packs)


def test_a_pack_that_is_not_offered_any_more_leads_to_the_others(client: FlaskClient, demonstration: Session) -> None:
    demonstration.execute(update(Variant).where(Variant.code == "P0271-2").values(is_offered=False))

    answer = client.get("/listings/P0271?variant=P0271-2")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/listings/P0271")


def test_what_a_seller_writes_is_text(client: FlaskClient, demonstration: Session) -> None:
    demonstration.execute(update(Listing).where(Listing.code == "P0271").values(title_zh="<script>alert(1)</script>"))

    page = client.get("/listings/P0271").text

    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


def test_a_product_page_costs_a_fixed_number_of_statements(client: FlaskClient, count_statements: Statements) -> None:
    counts = set()
    for code in ("P0271", "P0001", "P0384"):
        with count_statements() as sent:
            assert client.get(f"/listings/{code}").status_code == 200
        counts.add(len(sent))

    assert counts == {16}


def test_every_category_has_a_drawing_until_there_is_a_photo(demonstration: Session) -> None:
    categories = demonstration.scalars(select(Category.code).where(Category.parent_code.isnot(None))).all()

    assert set(categories) <= set(DRAWINGS)
    assert all((SOURCES / "produce" / f"{kind}.svg").exists() for kind in DRAWINGS.values())
