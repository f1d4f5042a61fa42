"""The manager says when the station is open and how much it can pack; its page shows it, and promises follow it."""

from datetime import timedelta

import pytest

from marketplace.core.db import db
from marketplace.orders import backlog
from marketplace.stations.models import Station
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, parcels, post
from tests.orders.refunding import clerk_of

THERE = "/station/details"
SAID = {"opening_hours_zh": "每天 8:30-18:00", "opening_hours_en": "every day 8:30-18:00", "daily_capacity": "2"}


def test_what_is_said_is_shown_and_promises_follow_it(shop: Shop) -> None:
    manager = shop.browser()
    signed_in(manager, "station_manager", station=JIXIAN)
    first = shop.paid_order(shop.browser(), apples=1)
    usual = parcels(first)[0].promised_by

    assert post(manager, THERE, SAID).status_code == 303

    assert 'value="每天 8:30-18:00"' in manager.get(THERE).text
    page = shop.browser().get(f"/stations/{JIXIAN}").text
    assert "每天 8:30-18:00" in page and "一天最多打 2 个包裹" in page
    second = shop.paid_order(shop.browser(), apples=1, millet=1)
    assert [parcel.promised_by for parcel in parcels(second)] == [usual, usual]
    third = shop.paid_order(shop.browser(), apples=1, millet=1)
    assert [parcel.promised_by for parcel in parcels(third)] == [usual + timedelta(days=1), usual]
    assert backlog.delays(db.session(), {JIXIAN, QINXIAN}) == {JIXIAN: 1}
    assert backlog.delays(db.session(), ()) == {}


@pytest.mark.full
def test_what_is_wrong_is_said_and_changes_nothing(shop: Shop) -> None:
    manager = shop.browser()
    signed_in(manager, "station_manager", station=JIXIAN)
    for wrong, said in (
        ({"daily_capacity": "0"}, "1 到 10000"),
        ({"daily_capacity": "many"}, "填整数"),
        ({"opening_hours_zh": " "}, "写上什么时候开门"),
        ({"opening_hours_zh": "每" * 61}, "61"),
    ):
        answer = post(manager, THERE, SAID | wrong)
        assert answer.status_code == 422 and said in answer.text
    db.session.rollback()
    assert db.session.get_one(Station, JIXIAN).daily_capacity == 90
    clerk = clerk_of(shop)
    assert clerk.get(THERE).status_code == post(clerk, THERE, SAID).status_code == 403
    assert shop.browser().get(THERE).status_code == 302
