"""A group from its opening to its end: complete, failed, prolonged, left; money and stock to the last fen and pack."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import stock
from listings.models import Listing
from listings.reviewing import suspend
from listings.stock import OutOfStock
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.transitions import transition
from marketplace.notifications.models import Message
from marketplace.orders import desk, fulfilment, paying, prolonging, undelivered
from marketplace.orders.groups import closing, joining, offering
from marketplace.orders.groups.joining import GroupIsFull, GroupIsOver, NotOffered, TooManyForOne
from marketplace.orders.groups.models import GroupBuy
from marketplace.orders.groups.offering import Keeper, Terms
from marketplace.orders.models import Order
from marketplace.orders.placing import OtherTotal
from marketplace.orders.states import OrderState, ParcelState
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState
from tests.groups.conftest import TERMS, Market, after_the_deadline, at, deliver_all, in_shanghai, place, wrong
from tests.orders.conftest import JIXIAN, balances, get, parcels, stock_of


def test_enough_paid_packs_complete_it_and_the_station_sees_it_then(market: Market) -> None:
    group, first = market.open(2)
    assert market.members(group) == [("held", 2)] and stock_of(market.shop.apples) == (100, 2)
    market.pay(first)
    assert market.members(group) == [("paid", 2)] and market.group(group).state == "open"
    assert stock_of(market.shop.apples) == (98, 0)
    assert get(first).total_fen == 6600 and balances(first) == {
        "gateway_clearing": 6600,
        "seller_held": -5520,
        "station_held": -1080,
    }
    assert parcels(first)[0].state == "awaiting_group"
    assert desk.counts(db.session(), JIXIAN, clock.today())["acceptance"].waiting == 0

    second = market.join(group, 1)
    market.pay(second)
    assert market.members(group) == [("ordered", 2), ("ordered", 1)] and market.group(group).state == "reached"
    assert [parcel.state for number in (first, second) for parcel in parcels(number)] == ["awaiting_acceptance"] * 2
    assert desk.counts(db.session(), JIXIAN, clock.today())["acceptance"].waiting == 2
    assert wrong(market) == []


def test_the_promise_runs_from_when_it_is_complete(market: Market) -> None:
    start = datetime(2026, 12, 1, 4, tzinfo=UTC)
    with at(start):
        group, first = market.open(2)
        market.pay(first)
        assert in_shanghai(market.group(group).closes_at) == "2026-12-04 00:00"
    with at(start + timedelta(days=1)):
        second = market.join(group, 1)
        market.pay(second)
        assert [parcels(each)[0].promised_by.isoformat() for each in (first, second)] == ["2026-12-05", "2026-12-05"]


def test_who_joins_a_complete_one_is_ordered_at_once_until_it_is_full(market: Market) -> None:
    group, first = market.open(3)
    market.pay(first)
    late = market.join(group, 2)
    market.pay(late)
    assert market.members(group) == [("ordered", 3), ("ordered", 2)] and parcels(late)[0].state == "awaiting_acceptance"
    with pytest.raises(GroupIsFull) as full:
        in_transaction(joining.join, group=group, place=place(2, "13835172003"))
    assert full.value.left == 1
    last = market.join(group, 1, "13835172003")
    market.pay(last)
    assert market.group(group).state == "ordered"
    with pytest.raises(GroupIsOver):
        in_transaction(joining.join, group=group, place=place(1, "13835172004"))


def test_a_complete_one_is_ordered_at_its_deadline(market: Market) -> None:
    group, first = market.open(3)
    market.pay(first)
    after_the_deadline(market, group)
    assert market.group(group).state == "ordered" and parcels(first)[0].state == "awaiting_acceptance"


def test_not_enough_at_the_deadline_gives_everything_back(market: Market) -> None:
    group, first = market.open(1)
    second = market.join(group, 1)
    market.pay(first)
    after_the_deadline(market, group)
    assert market.group(group).state == "failed"
    assert market.members(group) == [("refunded", 1), ("lapsed", 1)]
    assert [get(number).state for number in (first, second)] == ["cancelled", "expired"]
    assert balances(first) == balances(second) == {} and stock_of(market.shop.apples) == (100, 0)
    assert parcels(first)[0].state == "cancelled"
    told = db.session.scalars(select(Message.text).where(Message.fact.startswith("refund_requested"))).all()
    assert len(told) == 1 and first in told[0] and "拼团没拼成" in told[0]
    assert wrong(market) == []


def test_the_deadline_twice_and_a_day_late_is_as_once(market: Market) -> None:
    group, first = market.open(1)
    market.pay(first)
    with at(market.group(group).closes_at + timedelta(days=1)):
        assert in_transaction(closing.close_one_due) is True
        assert in_transaction(closing.close_one_due) is False
        closing.close(group=group)
        deliver_all()
        deliver_all()
    assert market.members(group) == [("refunded", 1)] and get(first).state == "cancelled"
    assert len(db.session.scalars(select(Message.fact).where(Message.fact.contains("refund_requested"))).all()) == 1


def test_early_is_nothing(market: Market) -> None:
    group, first = market.open(1)
    market.pay(first)
    closing.close(group=group)
    assert in_transaction(closing.close_one_due) is False and market.group(group).state == "open"


@pytest.mark.parametrize(("tolerance", "paid", "ends"), [(34, 2, "ordered"), (33, 2, "failed"), (50, 1, "failed")])
def test_what_may_be_missing_at_the_deadline(market: Market, tolerance: int, paid: int, ends: str) -> None:
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    market.offering(tolerance_percent=tolerance)
    group, first = market.open(paid)
    market.pay(first)
    assert market.group(group).state == "open"
    after_the_deadline(market, group)
    assert market.group(group).state == ends
    assert parcels(first)[0].state == ("awaiting_acceptance" if ends == "ordered" else "cancelled")


def test_near_enough_it_prolongs_itself_once(market: Market) -> None:
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    market.offering(prolong_days=2)
    group, first = market.open(2)
    market.pay(first)
    closes = market.group(group).closes_at
    after_the_deadline(market, group)
    assert market.group(group).state == "prolonged" and market.group(group).closes_at == closes + timedelta(days=2)
    told = db.session.scalars(select(Message.text).where(Message.fact.contains("group_prolonged"))).all()
    assert len(told) == 1
    after_the_deadline(market, group)
    assert market.group(group).state == "failed" and get(first).state == "cancelled"


def test_less_than_sixty_percent_prolongs_nothing(market: Market) -> None:
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    market.offering(prolong_days=2)
    group, first = market.open(1)
    market.pay(first)
    after_the_deadline(market, group)
    assert market.group(group).state == "failed"


def test_prolonged_late_it_still_gets_its_days(market: Market) -> None:
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    market.offering(prolong_days=1)
    group, first = market.open(2)
    market.pay(first)
    closes = market.group(group).closes_at
    with at(closes + timedelta(days=3, hours=2)):
        closing.close(group=group)
    assert market.group(group).closes_at == closes + timedelta(days=4)


def test_leaving_before_it_is_complete_gives_back_and_frees_the_place(market: Market) -> None:
    group, first = market.open(2)
    market.pay(first)
    assert in_transaction(undelivered.cancel_paid, number=first, actor="guest") == 6600
    assert market.members(group) == [("refunded", 2)] and stock_of(market.shop.apples) == (100, 0)
    second = market.join(group, 1)
    market.pay(second)
    assert market.group(group).state == "open" and market.members(group) == [("refunded", 2), ("paid", 1)]
    market.settle()
    assert balances(first) == {} and wrong(market) == []


def test_leaving_after_it_is_complete_changes_nothing_for_the_others(market: Market) -> None:
    group, first = market.open(2)
    second = market.join(group, 1)
    market.pay(first, second)
    in_transaction(undelivered.cancel_paid, number=first, actor="guest")
    assert market.group(group).state == "reached" and market.members(group) == [("ordered", 2), ("ordered", 1)]
    assert (get(first).state, get(second).state) == ("cancelled", "paid")
    market.settle()
    assert wrong(market) == []


def test_money_that_comes_after_the_group_failed_goes_back(market: Market) -> None:
    group, first = market.open(1)
    with at(market.group(group).closes_at + timedelta(seconds=1)):
        closing.close(group=group)
        assert market.group(group).state == "failed"
        market.pay(first)
        deliver_all()
        market.settle()
    assert get(first).state in {OrderState.EXPIRED, OrderState.CANCELLED} and balances(first) == {}
    assert market.members(group) == [("lapsed", 1)] and stock_of(market.shop.apples) == (100, 0)
    assert wrong(market) == []


def test_late_money_counts_while_the_group_is_open_and_has_room(market: Market) -> None:
    group, first = market.open(2)
    second = market.join(group, 3, "13835172002")
    for number in (first, second):
        give_up(number)
    assert market.members(group) == [("lapsed", 2), ("lapsed", 3)] and stock_of(market.shop.apples) == (100, 0)
    third = market.join(group, 3, "13835172003")
    market.pay(second)
    assert market.members(group) == [("lapsed", 2), ("ordered", 3), ("held", 3)]
    market.pay(first)  # no room any more: 3 + 3 of 6
    market.settle()
    assert get(first).state == "expired" and balances(first) == {}
    market.pay(third)
    assert market.group(group).state == "ordered" and stock_of(market.shop.apples) == (94, 0)
    assert wrong(market) == []


def test_late_money_brings_nobody_more_than_one_may_have(market: Market) -> None:
    group, first = market.open(3)
    give_up(first)
    market.pay(market.join(group, 3, "13835172001"))
    market.pay(first)
    market.settle()
    assert get(first).state == "expired" and balances(first) == {}
    assert market.members(group) == [("lapsed", 3), ("ordered", 3)] and stock_of(market.shop.apples) == (97, 0)
    assert wrong(market) == []


def give_up(number: str) -> None:
    """As if the gateway had said that nobody can pay it any more, and were wrong."""
    in_transaction(call_off_attempt, number=number)
    in_transaction(paying.give_up, number=number, to=OrderState.EXPIRED, actor="system", why="not paid in time")


def call_off_attempt(session: Session, *, number: str) -> None:
    attempt = session.scalars(select(Attempt).where(Attempt.reference == number)).one()
    transition(session, attempt, AttemptState.CANCELLED, expected=attempt.state, actor="test", why="test")


def test_no_station_sees_it_or_can_step_it_before(market: Market) -> None:
    _group, first = market.open(1)
    market.pay(first)
    parcel = parcels(first)[0].public_id
    with pytest.raises(NotFound):
        in_transaction(fulfilment.accept, parcel=parcel, station=JIXIAN, actor="test")
    with pytest.raises(fulfilment.WaitsForGroup):
        in_transaction(fulfilment.accept, parcel=parcel, station=None, actor="test")
    with pytest.raises(fulfilment.WaitsForGroup):
        in_transaction(fulfilment.refuse, parcel=parcel, station=None, actor="test", reason="x")
    assert desk.find_by_label(db.session(), JIXIAN, first) is None
    assert desk.work(db.session(), JIXIAN, list(ParcelState)[1:]) == []
    assert parcels(first)[0].state == "awaiting_group"


def test_a_place_is_not_kept_longer_than_the_group_or_prolonged(market: Market) -> None:
    group, first = market.open(1)
    assert not prolonging.can_be_prolonged(get(first))
    closes = market.group(group).closes_at
    with at(closes - timedelta(minutes=8)):
        late = market.join(group, 1)
        assert get(late).pay_by == closes
    with at(closes - timedelta(minutes=5)), pytest.raises(GroupIsOver):
        in_transaction(joining.join, group=group, place=place(1, "13835172003"))


def test_refusals_change_nothing(market: Market) -> None:
    group, _first = market.open(2)
    before = (market.members(group), stock_of(market.shop.apples), db.session.query(Order).count())
    with pytest.raises(TooManyForOne) as many:
        in_transaction(joining.join, group=group, place=place(2, "13835172001"))
    assert many.value.most == 3
    with pytest.raises(OtherTotal):
        in_transaction(joining.join, group=group, place=place(1, "13835172002", 1))
    with pytest.raises(NotFound):
        in_transaction(joining.join, group="0" * 16, place=place(1, "13835172002"))
    with pytest.raises(NotFound):
        in_transaction(joining.open_group, offer="0" * 16, place=place(1, "13835172002"))
    in_transaction(stock.count, market.shop.apples, difference=-98, reference="test")
    with pytest.raises(OutOfStock):
        in_transaction(joining.join, group=group, place=place(1, "13835172002"))
    in_transaction(stock.count, market.shop.apples, difference=98, reference="test")
    assert (market.members(group), stock_of(market.shop.apples), db.session.query(Order).count()) == before


def test_an_ended_offer_opens_nothing_and_touches_no_open_group(market: Market) -> None:
    group, first = market.open(2)
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller))
    with pytest.raises(NotOffered):
        in_transaction(joining.open_group, offer=market.offer, place=place(1, "13835172002"))
    market.offering(price_fen=2000, threshold_packs=6)
    second = market.join(group, 1)
    market.pay(first, second)
    assert market.group(group).state == "reached" and get(second).goods_fen == 3000


def test_goods_that_are_suspended_fail_the_open_groups_alone(market: Market) -> None:
    open_one, first = market.open(1)
    complete, second = market.open(3, "13835172009")
    market.pay(first, second)
    code = db.session.scalars(select(Listing.code).where(Listing.code == market.group(open_one).listing_code)).one()
    in_transaction(suspend, code=code, actor="test", reason="pesticide")
    while in_transaction(closing.close_one_due):
        pass
    deliver_all()
    assert market.group(open_one).state == "failed" and get(first).state == "cancelled"
    assert market.group(complete).state == "reached" and get(second).state == "paid"


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"price_fen": 3980}, offering.DearerThanAlone),
        ({"most_packs": 2}, offering.LessThanThreshold),
        ({"most_per_member": 7}, offering.MoreThanLimit),
        ({}, offering.AlreadyOffered),
    ],
)
def test_what_cannot_be_offered(market: Market, terms: dict[str, int], refusal: type[Exception]) -> None:
    given = Terms(**TERMS | terms)
    with pytest.raises(refusal):
        in_transaction(offering.offer, variant=market.shop.apples, terms=given, keeper=Keeper(market.seller))


def test_another_sellers_pack_is_not_there(market: Market) -> None:
    for variant in (market.shop.millet, "nothing"):
        with pytest.raises(NotFound):
            in_transaction(offering.offer, variant=variant, terms=Terms(**TERMS), keeper=Keeper(market.seller))
    with pytest.raises(NotFound):
        in_transaction(offering.end, offer=market.offer, keeper=Keeper(market.seller + 1))
    assert db.session.scalars(select(GroupBuy)).all() == []
