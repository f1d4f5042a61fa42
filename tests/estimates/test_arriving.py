"""What pages estimate is what checkout says."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.orm import Session

from listings import offers
from marketplace.core import clock
from marketplace.core.formats import short_date
from marketplace.orders import shipping
from marketplace.orders.estimates import arriving
from marketplace.orders.quoting import quote
from tests.factories import STATION, make_category, make_listing, make_shipping, make_station, make_variant

pytestmark = pytest.mark.usefixtures("shop")
DAY = date(2026, 10, 18)


@pytest.fixture
def shop(session: Session) -> None:
    make_station()
    make_category()
    make_shipping()
    make_shipping(zone="rest", province="610000", name_zh="陕西省", name_en="Shaanxi", position=2)
    make_variant(make_listing(code="G7"), code="G7-1", net_weight_grams=2500, stock_on_hand=9000)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quantity=st.integers(1, 100), wait=st.integers(0, 9))
def test_a_pack_s_estimate_is_what_checkout_would_say(
    session: Session, monkeypatch: pytest.MonkeyPatch, quantity: int, wait: int
) -> None:
    monkeypatch.setattr("marketplace.orders.backlog.delays", lambda _session, stations: dict.fromkeys(stations, wait))
    offer = offers.find(session, ["G7-1"])["G7-1"]
    about = {"station": STATION, "grams": 2500 * quantity, "goods_fen": 3980 * quantity}
    found = arriving.of_pack(session, **about, free_from_fen=offer.free_shipping_from_fen, province="140000")  # type: ignore[arg-type]

    tariff = shipping.tariff(session, "140000", clock.today())
    quoted = quote([("G7-1", quantity, 3980)], {"G7-1": offer}, tariff=tariff, delays={STATION: wait}).parcels[0]
    fetched = quote([("G7-1", quantity, 3980)], {"G7-1": offer}, pickup={STATION}, delays={STATION: wait}).parcels[0]
    assert found.pickup_from == fetched.promised_by(clock.today())
    if quantity > 80:  # 200 kg
        assert (found.price_fen, found.arrives_by) == (None, None)
    else:
        assert found.price_fen == quoted.shipping_fen == (0 if quantity > 2 else 600)
        assert found.arrives_by == quoted.promised_by(clock.today())


def test_a_cart_s_parcels_are_estimated_as_checkout_does(session: Session, client: FlaskClient) -> None:
    client.post("/cart/items", data={"variant": "G7-1", "quantity": 1}, headers={"Sec-Fetch-Site": "same-origin"})
    assert "连运费共" not in client.get("/cart").text

    page = client.get("/cart?to=610000").text

    assert "寄到陕西省，连运费共 ¥45.80" in page and "运费 ¥6.00" in page
    assert client.get_cookie("to") is not None
    assert "寄到陕西省，连运费共 ¥45.80" in client.get("/cart").text
    assert '<option selected value="610000">陕西省' in client.get("/checkout").text


def test_a_cart_too_heavy_for_one_parcel_says_so(client: FlaskClient) -> None:
    client.post("/cart/items", data={"variant": "G7-1", "quantity": 90}, headers={"Sec-Fetch-Site": "same-origin"})

    page = client.get("/cart?to=140000").text

    assert "一个包裹装不下，请分两次下单" in page and "连运费共" not in page


def test_a_station_with_more_to_pack_than_it_can_promises_later(
    session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = short_date(shipping.tariff(session, "140000", clock.today()).arrives_by(2500), "zh")
    assert f"{by}前到" in client.get("/listings/G7").text

    monkeypatch.setattr("marketplace.orders.backlog.delays", lambda _session, stations: dict.fromkeys(stations, 3))

    page = client.get("/listings/G7").text
    assert f"{by}前到" not in page


def test_the_province_is_said_in_the_address_and_remembered(client: FlaskClient) -> None:
    assert "寄太原，" in client.get("/listings/G7").text
    page = client.get("/listings/G7?to=610000").text
    assert "寄陕西省，" in page and '<option value="610000" selected>' in page

    cookie = client.get_cookie("to")
    assert cookie is not None and (cookie.value, cookie.http_only, cookie.same_site) == ("610000", True, "Lax")
    assert "寄陕西省，" in client.get("/listings/G7").text
    assert "Set-Cookie" not in client.get("/listings/G7?to=610000").headers


@pytest.mark.parametrize("place", ["710000", "999999", "东京", "x" * 300, "<b>", "14000", "１４００００"])
@pytest.mark.parametrize("path", ["/listings/G7", "/compare", "/cart"])
def test_a_place_that_nobody_sends_to_is_said_and_not_remembered(client: FlaskClient, path: str, place: str) -> None:
    answer = client.get(path, query_string={"to": place, "items": "G7-1"})

    assert answer.status_code == 200 and client.get_cookie("to") is None
    if path != "/cart":  # which is empty
        assert "暂时寄不到，请从名单里选一个省份" in answer.text and "<b>" not in answer.text


@pytest.mark.parametrize("place", ["999999", "rubbish", '"140000"'])
def test_a_cookie_that_makes_no_sense_is_an_example_to_taiyuan(client: FlaskClient, place: str) -> None:
    client.set_cookie("to", place)

    page = client.get("/listings/G7").text

    assert "寄太原，" in page and "暂时寄不到" not in page
