"""Rate tables: looked at, kept from a day ahead, and what was promised before stays."""

import io
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from time import sleep

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import shipping
from marketplace.orders.models import ShippingRate
from marketplace.orders.tariffs import keeping, reading
from tests import factories
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


def test_a_table_that_begins_later_stays_and_the_new_one_ends_before_it(shop: Shop) -> None:
    operator = shop.browser()
    signed_in(operator, "operator")
    for days, yuan in ((10, "9.00"), (2, "7.00"), (5, "8.00"), (5, "8.50")):
        day = (clock.today() + timedelta(days=days)).isoformat()
        data = {"valid_from": day, "table": f"shanxi,30,{yuan},3", "action": "send"}
        assert post(operator, THERE, data).status_code == 303

    assert [price(4000, days) for days in (1, 2, 4, 5, 9, 10, 99)] == [600, 700, 700, 850, 850, 900, 900]
    until = [row.valid_until for row in keeping.tables(db.session()) if row.zone == "shanxi"]
    assert until[-3:] == [clock.today() + timedelta(days=4), clock.today() + timedelta(days=9), None]


def test_what_could_not_be_sent_any_more_is_said_before_it_is_kept(shop: Shop) -> None:
    operator = shop.browser()
    signed_in(operator, "operator")
    data = {"valid_from": (clock.today() + timedelta(days=2)).isoformat(), "table": "shanxi，5，7.50，3\nshanxi，30，12，3"}

    check = post(operator, THERE, data)

    assert check.status_code == 200 and "¥7.50" in check.text
    assert "省内：这张表只到 30 kg。现在能发到 200 kg" in check.text
    assert "这张表只到" not in post(operator, THERE, data | {"table": "shanxi,200,90,3"}).text
    assert post(operator, THERE, data | {"action": "send"}).status_code == 303
    again = {"valid_from": (clock.today() + timedelta(days=9)).isoformat(), "table": "shanxi,20,7,3"}
    assert "这张表只到 20 kg。现在能发到 30 kg" in post(operator, THERE, data | again).text


def test_where_tables_overlap_the_later_one_holds_with_its_own_steps_alone(shop: Shop) -> None:
    """As no page leaves them; as somebody may who loads rates by hand."""
    rate = {"zone": "shanxi", "up_to_grams": 40_000, "price_fen": 2100, "days": 4, "valid_from": clock.today()}
    factories.make(ShippingRate, rate, {})

    assert price(4000, 1) == price(40_000, 1) == 2100
    with pytest.raises(shipping.TooHeavy):
        price(40_001, 1)


def test_tables_that_are_kept_at_the_same_moment_do_not_overlap(real_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes its time between the look at the others and its own rows."""
    factories.make_shipping()
    look = keeping.last_days

    def look_slowly(session: Session, day: date) -> Mapping[str, date]:
        found = look(session, day)
        sleep(0.2)
        return found

    monkeypatch.setattr(keeping, "last_days", look_slowly)
    zones, start, days = keeping.zones(db.session()), Barrier(4), (2, 3, 4, 3)
    db.session.remove()

    def keep(number: int) -> None:
        with real_app.app_context():
            steps = reading.steps(f"shanxi,{number + 1},{number + 7},3\nshanxi,30,20,3", zones)
            start.wait()
            in_transaction(keeping.keep, steps=steps, valid_from=clock.today() + timedelta(days=days[number]), actor="test")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, range(4)))

    kept = [row for row in keeping.tables(db.session()) if row.valid_from > clock.today()]
    assert Counter((row.valid_from - clock.today()).days for row in kept) == {2: 2, 3: 2, 4: 2}
    until = {(row.valid_from - clock.today()).days: row.valid_until for row in kept}
    assert until == {2: clock.today() + timedelta(days=2), 3: clock.today() + timedelta(days=3), 4: None}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_table_comes_as_a_file_too_and_is_looked_at_first(shop: Shop, encoding: str) -> None:
    operator = shop.browser()
    signed_in(operator, "operator")
    day = (clock.today() + timedelta(days=2)).isoformat()
    sent = {"file": (io.BytesIO(f"区,公斤,元,天\n{TABLE.partition(chr(10))[2]}".encode(encoding)), "运费.csv")}

    looked = post(operator, THERE, {"valid_from": day, "table": "", "action": "check"} | sent)
    assert looked.status_code == 200 and "shanxi,5,7.50,3" in looked.text and "用这张表" in looked.text
    assert price(4000, 3) == 600
    for rubbish in (b"\xff\xfe\x00", b"PK\x03\x04\xff\xff", b"\x00" * 90_000):
        sent = {"file": (io.BytesIO(rubbish), "运费.xlsx")}
        assert post(operator, THERE, {"valid_from": day, "table": "", "action": "send"} | sent).status_code == 422
    assert price(4000, 3) == 600


@pytest.mark.full
def test_what_is_wrong_is_said_by_its_row_and_nothing_is_kept(shop: Shop) -> None:
    operator = shop.browser()
    signed_in(operator, "operator")
    tomorrow, today = (clock.today() + timedelta(days=days) for days in (1, 0))
    for table, day, said in (
        ("moon,5,6,2", tomorrow, "没有这个区"),
        ("shanxi,5,6,2\nshanxi,9,5,2", tomorrow, "不能更便宜"),
        ("shanxi,5,6,2\nshanxi,5,7,2", tomorrow, "写了两次"),
        ("shanxi,-5,6,2\nshanxi,9,7,2", tomorrow, "填公斤数"),
        ("shanxi,5,six,2", tomorrow, "元"),
        ("shanxi,5,6,0", tomorrow, "路上几天"),
        ("shanxi,5,7,50,3", tomorrow, "多于四格"),
        ("shanxi;5;7,50;3", tomorrow, "元"),
        ("", tomorrow, "贴进来"),
        (TABLE, today, "最早从明天起"),
        (TABLE, "soon", "2026-10-09"),
    ):
        answer = post(operator, THERE, {"valid_from": str(day), "table": table, "action": "send"})
        assert answer.status_code == 422 and said in answer.text, table
    assert price(4000, 5) == 600
    clerk = clerk_of(shop)
    assert clerk.get(THERE).status_code == post(clerk, THERE, {"table": TABLE}).status_code == 403
