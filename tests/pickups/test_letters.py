"""What a buyer hears of a parcel that waits at the station: each fact once, by the way they want, the code only there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.notifications import preferences
from marketplace.notifications.models import Delivery, Message
from marketplace.orders import fulfilment
from marketplace.orders.models import Order, Parcel
from marketplace.orders.offline.pickup_keys import in_groups
from tests import factories
from tests.notifications.test_messages import Post, post as given_post
from tests.orders.conftest import JIXIAN, RECIPIENT, Shop, build_shop, parcels

__all__ = ["given_post"]

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
PHONE = RECIPIENT["phone"]
PACKED: tuple[tuple[Any, dict[str, str]], ...] = (
    (fulfilment.accept, {}),
    (fulfilment.collect, {}),
    (fulfilment.pack, {"shelf": "A"}),
)


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    yield (built := build_shop(app))
    built.cashier.storage.dispose()


@pytest.fixture
def noon() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def step(parcel: str, command: Any, **more: Any) -> None:
    in_transaction(command, parcel=parcel, station=JIXIAN, actor="clerk", **more)


def shelve(shop: Shop, buyer: Any = None) -> str:
    """A parcel on the pickup shelf."""
    browser = shop.browser()
    if buyer is not None:
        factories.sign_in_as(browser, buyer)
    shop.fill(browser, apples=1)
    number = shop.order(browser, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    parcel = parcels(number)[0].public_id
    for command, more in PACKED:
        step(parcel, command, **more)
    step(parcel, fulfilment.make_ready)
    return parcel


def told() -> list[tuple[str, str]]:
    """(fact without what it is about, address) of all letters about this, in order."""
    while outbox.deliver():
        pass
    db.session.rollback()
    rows = db.session.scalars(select(Message).where(Message.fact.startswith("pickup_")).order_by(Message.id))
    return [(row.fact.partition(":")[0].removeprefix("pickup_"), row.address) for row in rows]


def texts() -> list[str]:
    rows = db.session.scalars(select(Message).where(Message.fact.startswith("pickup_")).order_by(Message.id))
    return [row.text for row in rows]


def code_of(parcel: str) -> str:
    (row,) = db.session.scalars(select(Parcel).where(Parcel.public_id == parcel))
    return in_groups(row.pickup_code)


def test_a_guest_hears_where_when_with_which_code_and_is_reminded_twice(shop: Shop, noon: Any) -> None:
    parcel = shelve(shop)
    assert told() == [("ready", PHONE)] == told()
    (text,) = texts()
    number = parcels_number(parcel)
    assert text == (
        f"订单 {number}：包裹到吉县站了，可以来取。地址：吉县新华街 1 号；开门时间：每天。"
        f"取货码 {code_of(parcel)}。给你留到 2026年12月3日。"
    )

    for after, known in (
        (timedelta(days=2, hours=23), ["ready"]),
        (timedelta(days=3), ["ready", "again"]),
        (timedelta(days=5, hours=23), ["ready", "again"]),
        (timedelta(days=6), ["ready", "again", "last"]),
        (timedelta(days=20), ["ready", "again", "last"]),
    ):
        noon.move_to(NOON + after)
        assert [what for what, _address in told()] == known
    assert "12月3日 前到吉县站取包裹" in texts()[-1] and "0351-555-0100" in texts()[-1]


def parcels_number(parcel: str) -> str:
    joined = select(Order.number).join(Parcel).where(Parcel.public_id == parcel)
    return db.session.scalars(joined).one()


def test_who_has_fetched_it_hears_no_more(shop: Shop, noon: Any) -> None:
    parcel = shelve(shop)
    told()
    step(parcel, fulfilment.hand_over, code=code_of(parcel).replace(" ", ""))
    noon.shift(timedelta(days=9))
    assert told() == [("ready", PHONE)]


def test_kept_longer_it_is_waited_for_anew(shop: Shop, noon: Any) -> None:
    parcel = shelve(shop)
    told()
    noon.shift(timedelta(days=4))
    step(parcel, fulfilment.leave_uncollected)
    assert [what for what, _address in told()][-1] == "uncollected"
    step(parcel, fulfilment.shelve_again)
    told()
    noon.shift(timedelta(days=2, hours=12))  # the last day, had nobody asked for more
    assert [what for what, _address in told()].count("last") == 0
    noon.shift(timedelta(days=4))
    whats = [what for what, _address in told()]
    assert (whats.count("ready"), whats.count("again"), whats.count("last"), whats.count("uncollected")) == (2, 1, 1, 1)


def test_a_letter_that_comes_too_late_to_be_true_is_not_written(shop: Shop) -> None:
    """The worker was away until the clerk had given up waiting."""
    parcel = shelve(shop)
    step(parcel, fulfilment.leave_uncollected)
    assert [what for what, _address in told()] == ["uncollected"]


def test_the_buyers_wishes_are_kept(shop: Shop, given_post: Post) -> None:
    buyer = factories.make_person(address="guo@example.org")
    in_transaction(preferences.keep, person_id=buyer.id, wanted=[("orders", "mail")])
    shelve(shop, buyer)
    assert told() == [("ready", "guo@example.org")]
    in_transaction(preferences.keep, person_id=buyer.id, wanted=[])
    shelve(shop, buyer)
    assert told()[1:] == [("ready", PHONE)]
    while outbox.deliver_slow():
        pass
    mine = [address for address, text in given_post.delivered if "取货码" in text]
    assert mine == ["guo@example.org"]  # the other stands on their page alone


def test_strangers_never_see_the_code(shop: Shop) -> None:
    parcel = shelve(shop)
    told()
    spaced, plain = code_of(parcel), code_of(parcel).replace(" ", "")
    page = shop.browser().get(f"/parcels/{parcel}").text
    assert "吉县站" in page and spaced not in page and plain not in page
    rows = db.session.scalars(select(outbox.OutboxRow.payload))
    assert not any(plain in str(payload) or spaced in str(payload) for payload in rows)
    assert db.session.scalars(select(Delivery)).all() == []


def test_the_orders_page_says_until_when(shop: Shop, noon: Any) -> None:
    browser = shop.browser()
    shop.fill(browser, apples=1)
    number = shop.order(browser, pickup=[JIXIAN])
    shop.pay(number)
    shop.work()
    parcel = parcels(number)[0].public_id
    for command, more in PACKED:
        step(parcel, command, **more)
    step(parcel, fulfilment.make_ready)
    assert "给你留到 2026年12月3日" in browser.get(f"/orders/{number}").text
    step(parcel, fulfilment.leave_uncollected)
    page = browser.get(f"/orders/{number}").text
    assert "给你留到" not in page and code_of(parcel) in page


@pytest.mark.full
def test_nobody_is_told_of_a_parcel_that_goes_by_courier(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=1)
    parcel = parcels(number)[0].public_id
    for command, given in PACKED:
        step(parcel, command, **given)
    step(parcel, fulfilment.ship, carrier="邮政", tracking_number="EY1")
    assert told() == []
