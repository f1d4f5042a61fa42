"""What the desk says of its queues: how many wait, how many of them must leave today, and how many should have left."""

import re
from datetime import timedelta

from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import desk, fulfilment
from marketplace.orders.desk import Count
from marketplace.orders.models import Parcel
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, parcels
from tests.orders.refunding import clerk_of
from tests.statements import gathered

NONE = dict.fromkeys(("acceptance", "collection", "packing", "dispatch", "pickup", "underway"), Count())


def counted() -> dict[str, Count]:
    db.session.rollback()
    return {code: each for code, each in desk.counts(db.session(), JIXIAN, clock.today()).items() if each != Count()}


def let_days_pass(number: str, days: int, *columns: str) -> None:
    """As if the order had been placed so many days ago."""
    (parcel,) = parcels(number)
    earlier = {name: getattr(parcel, name) - timedelta(days=days) for name in columns or ("promised_by", "leave_by")}
    db.session.execute(update(Parcel).where(Parcel.id == parcel.id).values(earlier))
    db.session.commit()


def fetched_here(shop: Shop) -> str:
    """A paid order that is fetched at the station."""
    browser = shop.browser()
    shop.fill(browser, apples=1)
    number = shop.order(browser, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    return number


def test_a_parcel_leaves_as_many_days_before_it_arrives_as_the_courier_takes(shop: Shop) -> None:
    sent, fetched = shop.paid_order(shop.browser(), apples=1), fetched_here(shop)

    (there,), (here,) = parcels(sent), parcels(fetched)

    assert there.leave_by == here.leave_by == here.promised_by == clock.today() + timedelta(days=1)
    assert there.promised_by > there.leave_by


def test_queues_say_what_is_due_today_and_what_is_late(shop: Shop) -> None:
    clerk, numbers = clerk_of(shop), [shop.paid_order(shop.browser(), apples=1) for _each in range(3)]
    assert counted() == {"acceptance": Count(waiting=3)}
    assert "今天要发走" not in clerk.get("/station").text

    for number, days in zip(numbers, (0, 1, 2), strict=True):
        let_days_pass(number, days)

    assert counted() == {"acceptance": Count(waiting=3, late=1, today=1)}
    assert desk.counts(db.session(), QINXIAN, clock.today()) == NONE
    today, queue = clerk.get("/station").text, clerk.get("/station/queues/acceptance").text
    assert "1 件早该发走了，1 件今天要发走" in today and "queues__count--late" in today
    assert [label.split("-")[1] for label in re.findall(r"SX-\w{8}-1", queue)[::2]] == [
        number.removeprefix("SX-") for number in reversed(numbers)
    ]


def test_on_the_way_it_is_the_buyers_day_that_counts(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    (parcel,) = parcels(number)
    told = {"parcel": parcel.public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.accept, **told)
    in_transaction(fulfilment.collect, **told)
    in_transaction(fulfilment.pack, **told, shelf="B-03")
    let_days_pass(number, 5, "leave_by")
    assert counted() == {"dispatch": Count(waiting=1, late=1)}

    in_transaction(fulfilment.ship, **told, carrier="邮政", tracking_number="YT123456")

    assert counted() == {"underway": Count(waiting=1)}
    (parcel,) = parcels(number)
    let_days_pass(number, (parcel.promised_by - clock.today()).days, "promised_by")
    assert counted() == {"underway": Count(waiting=1, today=1)}
    assert "1 件今天到" in clerk_of(shop).get("/station").text


def test_what_waits_for_its_buyer_is_never_late(shop: Shop) -> None:
    number = fetched_here(shop)
    (parcel,) = parcels(number)
    told = {"parcel": parcel.public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.accept, **told)
    in_transaction(fulfilment.collect, **told)
    in_transaction(fulfilment.pack, **told, shelf="B-03")
    in_transaction(fulfilment.make_ready, **told)
    let_days_pass(number, 9)

    assert counted() == {"pickup": Count(waiting=1)}
    assert "早该" not in clerk_of(shop).get("/station").text


def test_the_start_page_costs_the_same_however_much_waits(shop: Shop) -> None:
    clerk = clerk_of(shop)
    sent = []
    for _more in range(2):
        shop.paid_order(shop.browser(), apples=1)
        with gathered() as statements:
            clerk.get("/station")
        sent.append(len(statements))
    assert sent[0] == sent[1]
