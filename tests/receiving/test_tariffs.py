"""Rate tables: looked at, kept from a day ahead, and what was promised before stays."""

from datetime import timedelta

import pytest

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.orders import shipping
from tests.factories import signed_in
from tests.orders.conftest import Shop, post
from tests.orders.refunding import clerk_of

THERE = "/operator/shipping-rates"
TABLE = "zone,kg,yuan,days\nshanxi,5,7.50,3\nshanxi,30,12,3"


def price(grams: int, days: int) -> int:
    db.session.rollback()
    return shipping.tariff(db.session(), "140000", clock.today() + timedelta(days=days)).rate_for(grams).price_fen


def test_a_table_takes_the_place_of_the_older_one_from_its_day_on(shop: Shop) -> None:
    operator = shop.browser()
    signed_in(operator, "operator")
    data = {"valid_from": (clock.today() + timedelta(days=2)).isoformat(), "table": TABLE}
    check = post(operator, THERE, data)
    assert check.status_code == 200 and "¥7.50" in check.text and "用这张表" in check.text
    assert price(4000, 2) == 600
    for _press in range(2):
        assert post(operator, THERE, data | {"action": "send"}).status_code == 303

    assert (price(4000, 1), price(4000, 3), price(25_000, 3)) == (600, 750, 1200)
    assert price(100_000, 1) == 9000
    assert "¥7.50" in operator.get(THERE).text


@pytest.mark.full
def test_what_is_wrong_is_said_by_its_row_and_nothing_is_kept(shop: Shop) -> None:
    operator = shop.browser()
    signed_in(operator, "operator")
    tomorrow, today = (clock.today() + timedelta(days=days) for days in (1, 0))
    for table, day, said in (
        ("moon,5,6,2", tomorrow, "没有这个区"),
        ("shanxi,5,6,2\nshanxi,9,5,2", tomorrow, "不能更便宜"),
        ("shanxi,5,6,2\nshanxi,5,7,2", tomorrow, "写了两次"),
        ("shanxi,5,six,2", tomorrow, "元"),
        ("shanxi,5,6,0", tomorrow, "路上几天"),
        ("", tomorrow, "贴进来"),
        (TABLE, today, "最早从明天起"),
        (TABLE, "soon", "2026-10-09"),
    ):
        answer = post(operator, THERE, {"valid_from": str(day), "table": table, "action": "send"})
        assert answer.status_code == 422 and said in answer.text, table
    assert price(4000, 5) == 600
    clerk = clerk_of(shop)
    assert clerk.get(THERE).status_code == post(clerk, THERE, {"table": TABLE}).status_code == 403
