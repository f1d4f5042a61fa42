"""All prices and stocks of a seller in one list: each row whole or not at all, and nothing typed is lost."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from listings import offering, reviewing, stock
from listings.models import Listing, StockMovement, Variant
from marketplace.accounts.models import Person
from marketplace.core.db import db, in_transaction
from tests import factories

PRICES = "/seller/listings/prices"
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def seller(real_app: Flask) -> Iterator[FlaskClient]:
    factories.make_station()
    factories.make_category()
    client = real_app.test_client()
    client.person = factories.signed_in(client, "seller")  # type: ignore[attr-defined]
    yield client


def offer(seller: FlaskClient, code: str, **given: object) -> Variant:
    person: Person = seller.person  # type: ignore[attr-defined]
    listing = factories.make_listing(seller_id=person.id, code=code, title_zh=f"小米{code}")
    return factories.make_variant(listing, code=f"{code}-1", stock_on_hand=10, **given)  # type: ignore[arg-type]


def rows(**typed: tuple[str, str, str]) -> dict[str, str]:
    """The listing's code: price, stock, the stock that the page showed of its first pack, beside a price of ¥39.80."""
    fields = ("price", "stock", "seen_stock", "seen_price")
    return {
        f"{code}-1-{name}": value for code, row in typed.items() for name, value in zip(fields, (*row, "3980"), strict=True)
    }


def send(seller: FlaskClient, data: dict[str, str]):  # type: ignore[no-untyped-def]
    token = re.search(r'name="csrf_token" value="([^"]+)"', seller.get("/account").text)
    return seller.post(PRICES, data={**data, "csrf_token": token[1] if token else ""}, headers=OURS)


def now(code: str) -> tuple[int, int]:
    db.session.rollback()
    price, on_hand = db.session.execute(select(Variant.price_fen, Variant.on_hand).where(Variant.code == f"{code}-1")).one()
    return price, on_hand


def test_one_button_saves_every_row_and_says_so_at_each(seller: FlaskClient) -> None:
    offer(seller, "GA", tiers=((10, 3680),))
    offer(seller, "GB")
    offer(seller, "GC")

    answer = send(seller, rows(GA=("￥３６.５", "25", "10"), GB=("39.80", "10", "10"), GC=("39.80", "4", "10")))

    assert answer.status_code == 303 and re.findall(r"saved=([\w-]+)", answer.headers["Location"]) == ["GC-1", "GA-1"]
    assert (now("GA"), now("GB"), now("GC")) == ((3650, 25), (3980, 10), (3980, 4))
    assert db.session.scalar(select(Variant).where(Variant.code == "GA-1")).tiers == []  # type: ignore[union-attr]
    page = seller.get(answer.headers["Location"]).text
    assert page.count("存好了</span>") == 2 and "存好了 2 样。" in page


def test_a_wrong_row_is_kept_as_typed_and_keeps_no_other_back(seller: FlaskClient) -> None:
    offer(seller, "GA")
    offer(seller, "GB")

    answer = send(seller, rows(GA=("abc", "77", "10"), GB=("41.00", "9", "10")))

    assert answer.status_code == 422
    assert (now("GA"), now("GB")) == ((3980, 10), (4100, 9))
    assert re.search(r'id="GA-1-price"[^>]*value="abc"', answer.text) and re.search(
        r'id="GA-1-stock"[^>]*value="77"', answer.text
    )
    assert 'href="#GA-1-price"' in answer.text and "没存上" in answer.text
    assert answer.text.count("存好了</span>") == 1
    assert re.search(r'name="GB-1-seen_stock"[^>]*value="9"', answer.text)


def test_fewer_than_are_held_is_said_at_the_row_and_its_price_stays_too(seller: FlaskClient) -> None:
    variant = offer(seller, "GA")
    in_transaction(stock.reserve, {variant.code: 8}, reference="test")

    answer = send(seller, rows(GA=("50.00", "7", "10")))

    assert answer.status_code == 422 and "不能比那更少" in answer.text
    assert now("GA") == (3980, 10)


def test_what_was_sold_meanwhile_stays_sold(seller: FlaskClient) -> None:
    variant = offer(seller, "GA")
    for step in (stock.reserve, stock.sell):
        in_transaction(step, {variant.code: 2}, reference="test")

    assert send(seller, rows(GA=("42.00", "10", "10"))).status_code == 303
    assert now("GA") == (4200, 8)

    answer = send(seller, rows(GA=("42.00", "30", "10")))
    assert answer.status_code == 422 and "现在是 8 份" in answer.text
    assert now("GA") == (4200, 8)
    assert send(seller, rows(GA=("42.00", "30", "8"))).status_code == 303
    assert now("GA") == (4200, 30)


def test_a_page_of_before_takes_no_newer_price_back(seller: FlaskClient) -> None:
    """The sheet, or another page, has changed it since; here only the stock was typed."""
    offer(seller, "GA", tiers=((10, 3900),))
    assert send(seller, rows(GA=("45.00", "10", "10"))).status_code == 303

    assert send(seller, rows(GA=("39.80", "12", "10"))).status_code == 303
    assert now("GA") == (4500, 12)
    answer = send(seller, rows(GA=("38.00", "15", "12")))
    assert answer.status_code == 422 and "价格刚才改过，现在是 ¥45.00" in answer.text
    assert now("GA") == (4500, 12)
    assert send(seller, rows(GA=("38.00", "15", "12")) | {"GA-1-seen_price": "4500"}).status_code == 303
    assert now("GA") == (3800, 15)


def test_nothing_changed_moves_nothing(seller: FlaskClient) -> None:
    offer(seller, "GA")
    before = db.session.scalar(select(func.count()).select_from(StockMovement))

    answer = send(seller, rows(GA=("39.80", "10", "10")))

    assert answer.status_code == 303 and "没有改动" in seller.get(answer.headers["Location"]).text
    assert db.session.scalar(select(func.count()).select_from(StockMovement)) == before


def test_another_sellers_rows_are_not_there(seller: FlaskClient, real_app: Flask) -> None:
    offer(seller, "GA")
    other = real_app.test_client()
    factories.signed_in(other, "seller")

    send(other, rows(GA=("0.01", "0", "10")))

    assert now("GA") == (3980, 10) and "小米GA" not in other.get(PRICES).text


def test_the_seller_s_page_says_what_is_sold_out_and_what_is_kept(seller: FlaskClient) -> None:
    variant = offer(seller, "GA")
    assert "在卖</span>" in seller.get("/seller").text

    in_transaction(stock.count, variant.code, difference=-10, reference="test")
    page = seller.get("/seller").text

    assert "卖完了</span>" in page and "在卖</span>" not in page
    assert "先替你存着" in page and "样货等你送" in page and PRICES in page


def test_each_pack_has_a_row_of_its_own(seller: FlaskClient) -> None:
    small = offer(seller, "GA")
    large = factories.make_variant(small.listing, code="GA-2", unit_zh="10斤箱", price_fen=7000, stock_on_hand=4, position=2)
    factories.make_variant(small.listing, code="GA-3", unit_zh="20斤箱", is_offered=False, position=3)

    page = seller.get(PRICES).text
    assert "10斤箱" in page and "20斤箱" not in page

    second = {"GA-2-price": "68", "GA-2-stock": "6", "GA-2-seen_stock": "4", "GA-2-seen_price": "7000"}
    third = {"GA-3-price": "1", "GA-3-stock": "1", "GA-3-seen_stock": "1", "GA-3-seen_price": "3980"}
    answer = send(seller, rows(GA=("39.80", "10", "10")) | second | third)

    assert re.findall(r"saved=([\w-]+)", answer.headers["Location"]) == [large.code]
    db.session.rollback()
    prices = db.session.execute(select(Variant.code, Variant.price_fen, Variant.on_hand).order_by(Variant.code)).all()
    assert [tuple(row) for row in prices] == [("GA-1", 3980, 10), ("GA-2", 6800, 6), ("GA-3", 3980, 100)]


def states() -> dict[str, str]:
    db.session.rollback()
    return {row.code: row.state for row in db.session.execute(select(Listing.code, Listing.state))}


def shown(**codes: str) -> dict[str, str]:
    """What the page showed of whether each is for sale."""
    return {f"{code}-was_offered": was for code, was in codes.items()}


def test_many_are_paused_and_offered_again_at_once(seller: FlaskClient) -> None:
    for code in ("GA", "GB", "GC"):
        offer(seller, code)
    as_they_are = rows(GA=("39.80", "10", "10"), GB=("39.80", "10", "10"), GC=("41.00", "10", "10"))

    send(seller, as_they_are | shown(GA="yes", GB="yes", GC="yes") | {"GC-is_offered": "y"})
    assert states() == {"GA": "paused", "GB": "paused", "GC": "published"} and now("GC") == (4100, 10)
    assert seller.get(PRICES).text.count("暂停</span>") >= 2

    ticked = {"GA-is_offered": "y", "GB-is_offered": "y", "GC-is_offered": "y"}
    answer = send(seller, as_they_are | shown(GA="no", GB="no", GC="yes") | ticked)
    assert states() == {"GA": "published", "GB": "published", "GC": "published"}
    assert sorted(re.findall(r"saved=([\w-]+)", answer.headers["Location"])) == ["GA", "GB"]


def test_a_tick_that_the_page_did_not_show_pauses_nothing(seller: FlaskClient) -> None:
    offer(seller, "GA")
    for was in ({}, shown(GA="perhaps"), shown(GA="no")):
        send(seller, rows(GA=("39.80", "10", "10")) | was)
    assert states() == {"GA": "published"}


def test_what_was_suspended_meanwhile_is_not_offered_again_by_a_tick(seller: FlaskClient) -> None:
    row = offer(seller, "GA").listing
    in_transaction(offering.pause, code="GA", person_id=row.seller_id)
    in_transaction(reviewing.suspend, code="GA", actor="test", reason="test")

    send(seller, rows(GA=("39.80", "10", "10")) | shown(GA="no") | {"GA-is_offered": "y"})

    assert states() == {"GA": "suspended"}


@pytest.mark.parametrize("was", ["paused", "published"])
def test_what_was_suspended_is_afterwards_as_it_was_before(seller: FlaskClient, was: str) -> None:
    """Also a second time, in another state."""
    row = offer(seller, "GA").listing
    other = {"paused": "published", "published": "paused"}[was]
    for state in (other, was):
        step = offering.pause if state == "paused" else offering.resume
        if states() != {"GA": state}:
            in_transaction(step, code="GA", person_id=row.seller_id)
        in_transaction(reviewing.suspend, code="GA", actor="test", reason="test")
        in_transaction(reviewing.clear, code="GA", actor="test", reason="test")
        assert states() == {"GA": state}


def test_the_page_takes_as_many_statements_for_many_goods_as_for_one(
    seller: FlaskClient, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    numbers = []
    for code in ("GA", "GB", "GC"):
        offer(seller, code)
        for path in (PRICES, "/seller"):
            seller.get(path)
            with count_statements() as sent:
                seller.get(path)
            numbers.append((path, len(sent)))
    assert len(set(numbers)) == 2
