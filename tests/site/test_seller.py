"""The seller centre: what to bring, by station and by day, and what runs low; never another seller's."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import update

from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.models import Parcel
from marketplace.orders.states import ParcelState
from tests import factories
from tests.institutions.conftest import send
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, parcels, post, shop

__all__ = ["shop"]


@pytest.fixture
def farmer(shop: Shop) -> FlaskClient:
    """A seller at two stations: whose apples and millet these are."""
    client = shop.browser()
    person = factories.signed_in(client, "seller")
    give(person)
    return client


def give(person: Person) -> None:
    db.session.execute(update(Listing).values(seller_id=person.id))
    db.session.commit()


@pytest.mark.full
def test_orders_to_prepare_by_station_and_day(shop: Shop, farmer: FlaskClient) -> None:
    buyer = shop.browser()
    assert "现在没有要送的货" in farmer.get("/seller/orders").text
    first = shop.paid_order(buyer, apples=2, millet=1)
    second = shop.paid_order(buyer, apples=3)

    page = farmer.get("/seller/orders").text

    assert page.count("吉县站") >= 1 and page.count("沁县站") >= 1
    rows = [row for row in page.split("<tr>") if "吉县红富士苹果" in row]
    assert len(rows) == 1 and "<strong>5</strong>" in rows[0]
    leaves = parcels(second)[0].leave_by  # not when it arrives: until then it is on the road
    assert f"{leaves.month}月{leaves.day}日前送到站里" in page and "答应买家" not in page
    for days, said in ((0, "今天"), (1, "晚了")):
        with time_machine.travel(datetime(leaves.year, leaves.month, leaves.day, 15, tzinfo=UTC) + timedelta(days=days)):
            shown = farmer.get("/seller/orders").text.split('<div class="panel table--scroll">')[1].split("<table")[0]
        assert [word for word in ("今天", "晚了") if word in shown] == [said] and said not in page
    assert f"{first}-1" in page and f"{second}-1" in page and "郭晓芸" not in page and "平阳路" not in page
    home = farmer.get("/seller").text
    assert "样货等你送" in home and "× <strong>5</strong>" in home

    clerk = shop.browser()
    factories.signed_in(clerk, "station_clerk", station=JIXIAN)
    (parcel,) = parcels(second)
    for step, data in (("acceptance", {}), ("collection", {}), ("packing", {"shelf": "A"})):
        post(clerk, f"/station/parcels/{parcel.public_id}/{step}", data)
    rows = [row for row in farmer.get("/seller/orders").text.split("<tr>") if "吉县红富士苹果" in row]
    assert len(rows) == 1 and "<strong>2</strong>" in rows[0]

    db.session.execute(update(Parcel).where(Parcel.station_code == QINXIAN).values(state=ParcelState.REFUSED))
    db.session.commit()
    assert "沁县站" not in farmer.get("/seller/orders").text


def test_others_orders_and_others_roles(shop: Shop, farmer: FlaskClient) -> None:
    buyer, other = shop.browser(), shop.browser()
    factories.signed_in(other, "seller")
    shop.paid_order(buyer, apples=2)

    assert "吉县红富士苹果" in farmer.get("/seller/orders").text
    assert "吉县红富士苹果" not in other.get("/seller/orders").text
    assert buyer.get("/seller/orders").status_code == 302
    factories.signed_in(buyer, "station_clerk")
    assert buyer.get("/seller/orders").status_code == 403


def test_what_runs_low_is_said_on_the_first_page(shop: Shop, farmer: FlaskClient) -> None:
    assert "快卖完" in farmer.get("/seller").text and 'id="low"' not in farmer.get("/seller").text
    listing = db.session.query(Listing).first()
    assert listing
    factories.make_variant(listing, unit_zh="1斤袋", stock_on_hand=5)
    factories.make_variant(listing, unit_zh="2斤袋", stock_on_hand=6)
    factories.make_variant(listing, unit_zh="3斤袋", stock_on_hand=0, is_offered=False)

    low = farmer.get("/seller").text.split('id="low"')[1].split("</section>")[0]

    assert "1斤袋" in low and "还有 5 份" in low and "2斤袋" not in low and "3斤袋" not in low


def test_the_day_on_which_kept_money_is_theirs_is_said_once_something_has_arrived(shop: Shop, farmer: FlaskClient) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    assert "等买家收到货" in farmer.get("/seller").text
    send(parcel.public_id)
    with time_machine.travel("2026-12-01T04:00:00Z", tick=False):
        in_transaction(fulfilment.deliver, parcel=parcel.public_id, station=None, actor="test")
        assert "最早12月8日归你" in farmer.get("/seller").text
        other = shop.browser()
        factories.signed_in(other, "seller")
        assert "最早12月8日归你" not in other.get("/seller").text
