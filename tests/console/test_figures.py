"""Each number is of the rows that it leads to, to the fen and to the moment."""

import re
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Organisation, PublicRow
from marketplace.core.db import db
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders.groups.models import GroupBuy, GroupMember, GroupOffer
from marketplace.orders.states import OrderState as O, ParcelState as S
from marketplace.payments.reconciliation.models import ReconciliationRun
from marketplace.site.console import figures, periods, rows, trade
from marketplace.site.console.figures import Gifts, Orders, Reconciled, Sent, percent
from tests.console.conftest import HOURS, JIXIAN, NOON, QINXIAN, a_parcel, an_order, sold
from tests.factories import make_person, signed_in
from tests.orders.conftest import Shop, shop

__all__ = ["shop"]

TODAY = NOON - 12 * HOURS  # midnight in Shanxi
MICROSECOND = timedelta(microseconds=1)


def of(code: str = "today") -> periods.Period:
    return periods.chosen(code)


def test_periods_end_now_or_at_midnight(noon: time_machine.Traveller) -> None:
    day = 24 * HOURS
    assert (of().since, of().until, of().earlier) == (TODAY, NOON, (TODAY - day, NOON - day))
    assert (of("yesterday").since, of("yesterday").until) == (TODAY - day, TODAY)
    assert (of("week").since, of("week").until, of("week").earlier) == (
        TODAY - 6 * day,
        NOON,
        (TODAY - 13 * day, NOON - 7 * day),
    )
    assert (of("month").since, of("month").until) == (TODAY - 29 * day, NOON)
    assert of("never") == of("") == of()


def test_orders_are_what_is_paid_or_stands_on_account(province: Session) -> None:
    an_order(province, TODAY, 10000)
    an_order(province, NOON - MICROSECOND, 5001, state=O.CANCELLED)  # refunded later
    an_order(province, TODAY + HOURS, 2000, state=O.PLACED_ON_ACCOUNT, paid_at=None)
    an_order(province, TODAY - 20 * HOURS)
    an_order(province, NOON - 24 * HOURS)  # yesterday, not before this time
    an_order(province, TODAY - MICROSECOND)
    for left_out in ({"state": O.PENDING_PAYMENT, "paid_at": None}, {"state": O.EXPIRED, "paid_at": None}, {"book": "live"}):
        an_order(province, TODAY + HOURS, **left_out)
    an_order(province, TODAY + HOURS, 0, is_exchange=True)
    assert figures.orders(province, of(), "test") == Orders(3, 17001, 1)
    assert figures.orders(province, of(), "test").average_fen == 5667
    assert figures.orders(province, of("yesterday"), "test") == Orders(3, 3 * 3980, 0)
    assert figures.orders(province, of("week"), "test").number == 6


def test_turnover_is_what_the_books_say(shop: Shop) -> None:
    for packs in (1, 3):
        shop.paid_order(shop.browser(), apples=packs)
    sums = select(func.sum(Line.amount)).join(Entry, Entry.id == Line.entry_id)
    sums = sums.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(LedgerAccount.kind == "gateway_clearing")
    found = figures.orders(db.session(), of(), "test")
    assert found.number == 2 and found.fen == db.session.scalar(sums)


def test_a_day_has_24_hours_to_the_microsecond(province: Session) -> None:
    """The order's fraction of a second counts; SQLite keeps moments as text."""
    placed = TODAY - 20 * HOURS + timedelta(seconds=4, microseconds=999_600)
    sold(province, placed, 24 * HOURS)
    sold(province, placed, 24 * HOURS + MICROSECOND)
    sold(province, placed, None)
    assert figures.sent(province, of(), "test") == Sent(3, 1)


def test_what_is_due_is_what_was_ordered_a_day_before(province: Session) -> None:
    day = 24 * HOURS
    sold(province, TODAY - day, HOURS)
    sold(province, NOON - day - MICROSECOND, HOURS)
    for too_early_or_late in (TODAY - day - MICROSECOND, NOON - day, NOON - HOURS):
        sold(province, too_early_or_late, HOURS)
    for state in (S.REFUSED, S.CANCELLED, S.AWAITING_GROUP):
        a_parcel(province, an_order(province, TODAY - day), state=state)
    in_a_group(province, TODAY - day, reached_at=TODAY)
    assert figures.sent(province, of(), "test") == Sent(2, 2)


def in_a_group(session: Session, placed_at: datetime, reached_at: datetime | None) -> None:
    terms: dict[str, Any] = {"price_fen": 3000, "threshold_packs": 2, "most_packs": 6, "most_per_member": 3}
    terms |= {"tolerance_percent": 0, "prolong_days": 0, "listing_code": "G1", "variant_code": f"G1-{placed_at:%d}"}
    session.add(offer := GroupOffer(days=2, ended_at=NOON, **terms))
    session.flush()
    session.add(group := GroupBuy(offer_id=offer.id, closes_at=NOON, reached_at=reached_at, **terms))
    session.flush()
    order = an_order(session, placed_at)
    session.add(GroupMember(group_id=group.id, order_id=order.id, packs=1, days_to_arrive=2))
    a_parcel(session, order)


def test_late_is_what_nobody_sent_in_48_hours(province: Session) -> None:
    two_days = 48 * HOURS
    sold(province, NOON - two_days - MICROSECOND, None)
    sold(province, NOON - two_days, None)
    sold(province, NOON - 3 * two_days, 47 * HOURS)
    a_parcel(province, an_order(province, NOON - 3 * two_days), state=S.PACKED)
    a_parcel(province, an_order(province, NOON - 3 * two_days, state=O.CANCELLED))
    in_a_group(province, NOON - 4 * two_days, reached_at=NOON - two_days)
    in_a_group(province, NOON - 5 * two_days, reached_at=NOON - 2 * two_days)
    listed, _in_time = rows.parcels(province, "late", of(), "test")
    assert listed.counted.number == len(listed.found.rows) == 3


@pytest.mark.parametrize(
    ("due", "in_time", "share", "short_by"),
    [
        (0, 0, "—", 0),
        (1286, 1197, "93.0%", 25),
        (20, 19, "95.0%", 0),
        (3, 3, "100.0%", 0),
        (2000, 1999, "99.9%", 0),
        (1, 0, "0.0%", 1),
    ],
)
def test_a_share_is_never_rounded_up_to_what_it_is_not(due: int, in_time: int, share: str, short_by: int) -> None:
    assert (Sent(due, in_time).share, Sent(due, in_time).short_by, percent(in_time, due)) == (share, short_by, share)


def test_figures_and_rows_are_of_the_same_orders(province: Session) -> None:
    """Sixty orders of two days at any time, some never sent: what a plain reading of them says."""
    chance, expected_due, expected_done = Random(18), 0, 0
    for _number in range(60):
        placed = NOON - chance.randrange(48 * 3600 * 10**6) * MICROSECOND
        after = chance.choice([None, chance.randrange(30 * 3600 * 10**6) * MICROSECOND])
        sold(province, placed, after, chance.choice([JIXIAN, QINXIAN]), chance.randrange(1, 99999))
        is_due = TODAY <= placed + 24 * HOURS < NOON
        expected_due += is_due
        expected_done += is_due and after is not None and after <= 24 * HOURS
    assert figures.sent(province, of(), "test") == Sent(expected_due, expected_done)
    by_station = [rows.parcels(province, "due", of(), "test", code) for code in (JIXIAN, QINXIAN)]
    assert sum(listed.counted.number for listed, _done in by_station) == expected_due
    assert sum(done for _listed, done in by_station) == expected_done
    listed = rows.orders(province, of(), "test")
    assert (
        listed.counted.fen == figures.orders(province, of(), "test").fen == sum(row.total_fen for row in listed.found.rows)
    )


def test_gifts_are_those_of_the_public_ledger(province: Session) -> None:
    campaign = a_campaign(province)
    for number, (kind, fen, at, book) in enumerate(
        [
            ("gift", 2250, TODAY, "test"),
            ("gift", 1, NOON - MICROSECOND, "test"),
            ("match", 1125, TODAY, "test"),
            ("refund", -2250, TODAY + HOURS, "test"),
            ("gift", 99, TODAY - MICROSECOND, "test"),
            ("gift", 99, TODAY, "live"),
        ]
    ):
        given = {"campaign_id": campaign.id, "who": "王**", "reference": f"r{number}"}
        province.add(PublicRow(kind=kind, fen=fen, at=at, book=book, **given))
    province.commit()
    assert figures.gifts(province, of(), "test") == Gifts(2, 2251, 1125)
    listed, matched_fen = rows.gifts(province, of(), "test")
    assert (listed.counted.number, listed.counted.fen, matched_fen) == (2, 2251, 1125)
    assert sum(row.fen for row in listed.found.rows) == 2251 + 1125


def a_campaign(session: Session) -> Campaign:
    owner = make_person("charity_officer")
    facts = {"code": "house", "name_zh": "某基金会", "credit_code": "x", "certificate_number": "x"}
    dates = {"certificate_from": TODAY.date(), "certificate_until": NOON.date() + timedelta(days=900)}
    session.add(Organisation(**facts, **dates))
    session.flush()
    when = {"starts_on": TODAY.date(), "ends_on": NOON.date() + timedelta(days=30)}
    campaign = Campaign(
        organisation_code="house", station_code=JIXIAN, owner_id=owner.id, goal_fen=1_000_000, title_zh="书桌", **when
    )
    session.add(campaign)
    session.commit()
    return campaign


def test_level_is_what_every_gateway_last_said(province: Session) -> None:
    assert figures.reconciled(province) == Reconciled(None, None, 0)
    for gateway, is_red, at in (("a", True, NOON - 3 * HOURS), ("a", False, NOON - 2 * HOURS), ("b", False, NOON - HOURS)):
        told = {"gateway": gateway, "actor": "t", "is_whole": True, "is_dry": False, "is_red": is_red, "ended_at": at}
        province.add(ReconciliationRun(counts={"matched": 20, "on_the_way": 1, "new": 5, "missing": 0}, **told))
    province.commit()
    assert figures.reconciled(province) == Reconciled(True, NOON - 2 * HOURS, 42)


def test_every_number_leads_to_rows_that_add_up(province: Session, client: FlaskClient) -> None:
    for hours in range(5):
        sold(province, TODAY + hours * HOURS, HOURS, fen=1000 + hours)
        sold(province, TODAY - 23 * HOURS + hours * HOURS, (20 + hours) * HOURS)
    signed_in(client, "operator")
    page = client.get("/operator").text
    tiles = dict(re.findall(r'<a class="tile" href="([^"]+)"><span>[^<]*</span><strong[^>]*>([^<]+)<', page))
    assert tiles["/operator/orders?period=today"] == "¥50.10"  # the last of two
    assert ">5<" in page and tiles["/operator/parcels?which=due&amp;period=today"] == "100.0%"
    assert "5 单，¥50.10" in client.get("/operator/orders?period=today").text
    found = client.get("/operator/parcels?which=due&period=today").text
    assert "5 件" in found and "24 小时内发出 5 件 (100.0%)" in found
    for path in tiles:
        assert client.get(path.replace("&amp;", "&")).status_code == 200, path
    assert client.get(f"/operator/parcels?which=sent&station={JIXIAN}").text.count("SX-") == client.get(
        "/operator/parcels?which=sent"
    ).text.count("SX-")


def test_which_parcels_can_be_asked_for(province: Session) -> None:
    a_parcel(province, an_order(province, NOON - HOURS), state=S.READY_FOR_PICKUP, dispatched_at=NOON - MICROSECOND)
    a_parcel(province, an_order(province, NOON - HOURS), state=S.PACKED)
    a_parcel(province, an_order(province, NOON - HOURS), state=S.ACCEPTED)
    found = {which: rows.parcels(province, which, of(), "test")[0].counted.number for which in trade.WHICH}
    assert found == {"ordered": 3, "due": 0, "sent": 1, "late": 0, "open": 3, "shelf": 2}
