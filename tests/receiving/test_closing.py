"""The day is closed once, with the ledger's own figures; what comes after belongs to the next day."""

from contextlib import suppress
from datetime import datetime, time, timedelta

import pytest
import time_machine
from sqlalchemy import text

from marketplace.core import clock, triggers
from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment, settlement
from marketplace.orders.closing import ending, figures
from marketplace.orders.closing.figures import Figures
from marketplace.orders.receiving.models import Rest
from tests.factories import signed_in
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, differences, post
from tests.orders.refunding import ask, bounce, box, clerk_of
from tests.receiving.conftest import accepted, bring

THERE = "/station/closing"
NOTHING = Figures(*[0] * 12)


def sent_and_settled(number: str) -> None:
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.pack, shelf="A", **told)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **told)
    in_transaction(settlement.confirm, number=number, parcel=told["parcel"], actor="buyer")


def now(station: str = JIXIAN) -> Figures:
    db.session.rollback()
    return figures.of(db.session(), ending.open_period(db.session(), station, "test"))


def test_figures_are_those_of_events_and_ledger(shop: Shop) -> None:
    first = accepted(shop, apples=2)
    accepted(shop, apples=2)
    bring(shop, came=3, rest=Rest.REFUND)
    sent_and_settled(first)

    assert now() == Figures(
        accepted=2,
        packed=1,
        sent=1,
        fetched=0,
        refused=0,
        refunded_fen=4280,
        fees_fen=636,
        shipping_fen=600,
        borne_fen=618,
        cash_fen=0,
        held_fen=618,
        payable_fen=1236,
    )
    assert now(QINXIAN) == NOTHING


@pytest.mark.full
def test_a_failed_refund_that_settles_late_keeps_fees_and_shipping_apart(shop: Shop) -> None:
    number = accepted(shop, apples=2)
    bring(shop)
    refund = ask(box(number), 1)
    sent_and_settled(number)
    assert (now().fees_fen, now().shipping_fen, now().borne_fen) == (318, 300, 618)

    bounce(shop, refund)

    assert (now().fees_fen, now().shipping_fen, now().borne_fen) == (636, 600, 0)
    assert now().payable_fen == 1236


def test_a_day_is_closed_once_and_the_next_begins_there(shop: Shop) -> None:
    manager = shop.browser()
    signed_in(manager, "station_manager", station=JIXIAN)
    accepted(shop, apples=2)
    page = manager.get(THERE)
    assert page.status_code == 200 and "接单</th><td>1" in page.text

    post(manager, THERE, {})
    after = manager.get(THERE).text
    assert "今天结好了" in after and "今天已经结了" in after and "接单</th><td>0" in after
    accepted(shop, apples=1)
    post(manager, THERE, {})
    assert "今天已经结过了" in manager.get(THERE).text
    (day,) = ending.closed(db.session(), JIXIAN, "test")
    assert day.accepted == 1 and "这些数和账本一致" in manager.get(f"{THERE}/{day.day}").text
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        in_transaction(ending.close, station=JIXIAN, book="test", actor="manager")
        latest, earlier = ending.closed(db.session(), JIXIAN, "test")
        assert latest.since == earlier.until and latest.accepted == 1
    assert differences(shop) == []


def test_who_closes_after_midnight_closes_the_day_that_they_have_worked(shop: Shop) -> None:
    start = clock.today() + timedelta(days=1)

    def close(day: int, hour: str) -> list[tuple[int, int]]:
        """Of each closed day, which it was and how many parcels were accepted; one more is, just before."""
        moment = datetime.combine(start + timedelta(days=day), time.fromisoformat(hour), clock.SHANGHAI)
        with time_machine.travel(moment, tick=False):
            accepted(shop, apples=1)
        with time_machine.travel(moment + timedelta(seconds=1), tick=False):
            with suppress(ending.AlreadyClosed):
                in_transaction(ending.close, station=JIXIAN, book="test", actor="manager")
            return [((row.day - start).days, row.accepted) for row in ending.closed(db.session(), JIXIAN, "test")]

    first = [(0, 1)]
    assert close(0, "23:59:58") == first
    assert close(1, "00:00:00") == first  # that day is closed: what is done now belongs to the next
    second = [(1, 2), *first]
    assert close(2, "00:30:00") == second
    assert close(2, "03:59:58") == second
    third = [(2, 2), *second]
    assert close(2, "18:00:00") == third
    assert close(2, "23:00:00") == third
    assert close(3, "04:00:00") == [(3, 2), *third]
    assert differences(shop) == []


@pytest.mark.full
def test_what_was_booked_late_is_shown_and_named(shop: Shop) -> None:
    manager = shop.browser()
    signed_in(manager, "station_manager", station=JIXIAN)
    accepted(shop, apples=2)
    post(manager, THERE, {})
    (day,) = ending.closed(db.session(), JIXIAN, "test")
    address = f"{THERE}/{day.day}"
    db.session.rollback()
    with db.engine.begin() as connection:
        triggers.drop_all(connection)
        connection.execute(text("UPDATE event SET at = '2999-01-01' WHERE to_state = 'accepted'"))
        triggers.create_all(connection)

    assert "接单：结账时是 1，现在账本上是 0" in manager.get(address).text
    assert [each.partition(":")[0] for each in differences(shop)] == ["closed days count what happened"]


@pytest.mark.full
def test_only_the_manager_closes(shop: Shop) -> None:
    clerk, other = clerk_of(shop), shop.browser()
    signed_in(other, "station_manager", station=QINXIAN)
    accepted(shop, apples=2)
    assert clerk.get(THERE).status_code == post(clerk, THERE, {}).status_code == 403
    for day in ("2026-01-01", "yesterday", "2026-13-01"):
        assert other.get(f"{THERE}/{day}").status_code == 404
    post(other, THERE, {})
    assert ending.closed(db.session(), JIXIAN, "test") == []
    assert ending.closed(db.session(), QINXIAN, "test")[0].accepted == 0
