import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from listings.models import Listing, Variant
from marketplace.core import clock
from marketplace.core.page_versions import CacheTag
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import ParcelState
from marketplace.site import station_map
from marketplace.site.stations import parcel_moved
from tests.statements import gathered

JIXIAN, PINGLU = "141028", "140829"


@pytest.fixture
def visitor(demo_app: Flask, demonstration: Session) -> FlaskClient:
    return demo_app.test_client()


def send_parcel(session: Session, station: str, *, days_ago: int = 0, number: int = 1) -> None:
    """A parcel that a station accepted and sent then."""
    then = max(clock.now() - timedelta(days=days_ago), clock.start_of(clock.today()) - timedelta(days=days_ago))
    order = Order(recipient="王晓雯", phone="13800002045", phone_fingerprint="x", province_code="140000")
    order.city, order.street, order.book, order.pay_by = "太原市", "府西街 1 号", "test", then
    order.goods_fen, order.shipping_fen, order.total_fen = 3980, 600, 4580
    parcel = Parcel(
        number=number, station_code=station, state=ParcelState.SHIPPED, delivery="courier", net_weight_grams=2500
    )
    parcel.goods_fen, parcel.service_fee_fen, parcel.shipping_fen = 3980, 318, 600
    parcel.promised_by, parcel.accepted_at, parcel.dispatched_at = clock.today(), then, then
    order.parcels.append(parcel)
    session.add(order)
    session.flush()


def test_the_map_links_all_58_stations_and_the_list_does_so_again(visitor: FlaskClient) -> None:
    page = visitor.get("/stations")

    assert page.status_code == 200
    assert len(set(re.findall(r'class="map__mark[^"]*" href="(/stations/\d{6})"', page.text))) == 58
    assert len(set(re.findall(r'<li><a href="(/stations/\d{6})"', page.text))) == 58
    assert "示意图" in page.text


def test_a_station_that_sent_something_today_is_lit(visitor: FlaskClient, demonstration: Session) -> None:
    send_parcel(demonstration, JIXIAN)
    send_parcel(demonstration, PINGLU, days_ago=3)

    page = visitor.get("/stations").text

    assert re.findall(r'map__mark--lit" href="/stations/(\d{6})"', page) == [JIXIAN]
    assert "今天有 1 个站在发货" in page


def test_the_ground_darkens_with_what_was_sent_in_thirty_days(visitor: FlaskClient, demonstration: Session) -> None:
    for number in range(5):
        send_parcel(demonstration, JIXIAN, days_ago=2, number=number)
    send_parcel(demonstration, "141031", days_ago=2)
    send_parcel(demonstration, PINGLU, days_ago=40)

    grounds = re.findall(r"map__ground--(\d)", visitor.get("/stations").text.partition("map__legend")[0])

    assert sorted(grounds, reverse=True)[:3] == ["4", "1", "0"]


@pytest.mark.parametrize(
    ("sent", "most", "dark"), [(0, 0, 0), (0, 9, 0), (1, 100, 1), (25, 100, 1), (26, 100, 2), (9, 9, 4)]
)
def test_a_ground_is_as_dark_as_its_share_of_the_busiest(sent: int, most: int, dark: int) -> None:
    assert station_map.step(sent, most) == dark


def test_a_prefecture_is_shown_large_with_its_own_stations_only(visitor: FlaskClient) -> None:
    page = visitor.get("/stations?prefecture=140800").text

    marked = re.findall(r'class="map__mark[^"]*" href="/stations/(\d{6})"', page)
    assert marked == ["140822", "140823", "140827", "140828", "140829"]
    assert 'viewBox="0 0 720' not in page


def test_each_of_the_58_pages_answers(visitor: FlaskClient, demonstration: Session) -> None:
    codes = demonstration.scalars(select(Listing.station_code).distinct()).all()

    assert [code for code in codes if visitor.get(f"/stations/{code}").status_code != 200] == []


def test_a_station_shows_its_goods_its_sellers_and_how_to_find_it(visitor: FlaskClient) -> None:
    page = visitor.get(f"/stations/{JIXIAN}").text

    assert "吉县苹果 85mm大果" in page and "¥7.98/斤" in page
    assert "苹果合作社" in page and "葛永红" in page and "0357-555-0141" in page
    assert "¥99.00" in page and "每天 07:30–19:00" in page
    assert 'href="/search?county=141028"' in page


def test_a_station_leads_to_what_is_collected_for_in_its_county(visitor: FlaskClient, demonstration: Session) -> None:
    here, elsewhere = visitor.get("/stations/140123").text, visitor.get(f"/stations/{JIXIAN}").text

    assert "这里正在募的" in here and re.findall(r'class="menu__row" href="(/campaigns/\w+)"', here) == ["/campaigns/C001"]
    assert "这里正在募的" not in elsewhere


def test_in_english_a_station_says_the_same(visitor: FlaskClient) -> None:
    visitor.set_cookie("lang", "en")

    page = visitor.get(f"/stations/{JIXIAN}").text

    assert "Jixian Station" in page and "Jixian Apples, 85 mm" in page and "¥7.98 per 500 g" in page
    assert "Ge Yonghong" in page and "Every day, 07:30–19:00" in page


def test_todays_line_counts_what_left_today(visitor: FlaskClient, demonstration: Session) -> None:
    send_parcel(demonstration, JIXIAN)
    send_parcel(demonstration, JIXIAN, days_ago=1)

    assert "今天发了 1 件" in visitor.get(f"/stations/{JIXIAN}").text


def test_what_is_sold_out_says_when_there_is_more(visitor: FlaskClient, demonstration: Session) -> None:
    apples = select(Listing.id).where(Listing.code == "P0271")
    demonstration.execute(update(Variant).where(Variant.listing_id.in_(apples)).values(on_hand=0))

    assert "卖完了，" in visitor.get(f"/stations/{JIXIAN}").text


def test_a_hidden_listing_is_not_shown(visitor: FlaskClient, demonstration: Session) -> None:
    assert "吉县苹果 85mm大果" in visitor.get(f"/stations/{JIXIAN}").text

    demonstration.execute(update(Listing).where(Listing.code == "P0272").values(state="paused"))

    assert "吉县苹果 85mm大果" not in visitor.get(f"/stations/{JIXIAN}").text


@pytest.mark.parametrize(
    "path", ["/stations/999999", "/stations/%00", "/stations?prefecture=999999", "/stations?prefecture='"]
)
def test_an_unknown_place_is_not_found(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_pages_cost_the_same_number_of_statements_everywhere(visitor: FlaskClient, demonstration: Session) -> None:
    def cost(path: str) -> int:
        with gathered() as sent:
            visitor.get(path)
        return len(sent)

    send_parcel(demonstration, JIXIAN)

    assert {cost("/stations"), cost("/stations?prefecture=141000")} == {1}
    assert {cost(f"/stations/{JIXIAN}"), cost(f"/stations/{PINGLU}")} == {8}


def test_a_parcel_that_moves_makes_the_pages_that_show_it_anew(session: Session) -> None:
    parcel_moved(parcel="p", state="shipped", station=JIXIAN, reason="")

    assert set(session.scalars(select(CacheTag.tag))) >= {"home", "stations", f"station:{JIXIAN}"}
