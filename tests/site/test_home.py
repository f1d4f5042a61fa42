import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import brotli
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from listings.models import Listing
from listings.states import ListingState
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.site.money import Shares, shares_lately
from marketplace.site.seasons import SEASONS

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def client(demo_app: Flask, demonstration: Session) -> Iterator[FlaskClient]:
    demo_app.extensions["page_cache"].pages.clear()
    yield demo_app.test_client()
    demo_app.extensions["page_cache"].pages.clear()


def test_the_cover_has_58_doors_twice_and_the_month_s_headline(client: FlaskClient) -> None:
    with time_machine.travel(datetime(2026, 10, 18, tzinfo=UTC), tick=False):
        page = client.get("/").text

    assert len(re.findall(r'class="door', page)) == 2 * 58
    assert "霜降前，<br>吉县的苹果下树了" in page


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_s_headline_has_its_goods(client: FlaskClient, demonstration: Session, month: int) -> None:
    with time_machine.travel(datetime(2026, month, 15, tzinfo=UTC), tick=False):
        page = client.get("/").text

    season = SEASONS[month]
    assert re.search(r'class="display" id="headline">[^<]+<br>', page)
    assert f'/listings/{first_of(demonstration, season.county, season.category)}"' in page


def first_of(session: Session, county: str, category: str) -> str:
    code = session.query(Listing.code).filter_by(station_code=county, category_code=category).order_by(Listing.id).first()
    assert code is not None
    return str(code[0])


def test_an_empty_shop_still_opens(client: FlaskClient, demonstration: Session) -> None:
    demonstration.execute(update(Listing).values(state=ListingState.PAUSED))

    page = client.get("/").text

    assert "货架正在上货" in page


def test_the_money_comes_from_the_books_once_there_is_some(demo_app: Flask, demonstration: Session) -> None:
    assert shares_lately(demonstration) is None
    lines = {
        ("buyer_clearing", ""): Money(4580),
        ("seller_held", "s"): Money(-3662),
        ("station_held", "141028"): Money(-918),
    }

    books.post(demonstration, key="allocate:SX-TEST", book="test", reference="SX-TEST", lines=lines)

    assert shares_lately(demonstration) == Shares(sellers=3662, stations=918, shipping=0)


def test_the_first_page_is_light(client: FlaskClient) -> None:
    for address in ("/", "/?lang=en"):
        page = client.get(address, follow_redirects=True).data
        assert len(brotli.compress(page, quality=5)) < 24_000


def test_home_costs_a_fixed_number_of_statements(client: FlaskClient, count_statements: Statements) -> None:
    with count_statements() as sent:
        client.get("/")

    assert len(sent) <= 17


def test_all_three_worlds_stand_side_by_side_and_giving_in_the_phone_s_bar(client: FlaskClient) -> None:
    page = client.get("/").text

    hands, tabs = page.partition('class="hands')[2].partition("</section>")[0], page.partition('class="tabs"')[2]
    ways = re.findall(r'class="button button--[a-z]+ button--wide" href="(/[a-z]+)', hands)
    assert ways == ["/campaigns", "/presales", "/pledges"] and "凑不够，全额退" in hands
    leads = re.findall(r'href="(/[a-z]*)"', tabs.partition("</nav>")[0])
    assert leads == ["/", "/search", "/campaigns", "/cart", "/account"]
