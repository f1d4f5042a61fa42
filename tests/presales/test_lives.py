"""A presale from its draft to its end: reached, short, sent, not sent; money to the last fen, places to the last one."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from crowdfund.presales import backing, delivering, drafting, returning, reviewing, surveying
from crowdfund.presales.backing import Backer, OtherPrice
from crowdfund.presales.drafting import Tier
from crowdfund.presales.places import FieldIsSold, GoodsAreStopped, NotOpen, TierIsFull
from listings.models import Listing
from listings.states import ListingState
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.formats import full_date
from marketplace.core.transitions import EventRow
from marketplace.notifications.models import Message
from marketplace.orders import desk, fulfilment, queries, settlement, undelivered
from marketplace.orders.states import OrderState, ParcelState
from marketplace.payments import refunds
from marketplace.payments.models import Attempt, Refund
from tests.orders.conftest import JIXIAN, balances, get, parcels, stock_of
from tests.presales.conftest import ONE, TWO, Orchard, after, at, terms, work, wrong


def test_reached_harvested_sent_and_settled(orchard: Orchard) -> None:
    orchard.open()
    first, second = orchard.paid(), orchard.paid(orchard.two, "b@example.test")
    assert orchard.states(first, second) == ["confirmed"] * 2 and orchard.escrow() == ONE + TWO
    assert orchard.row().taken_grams == 7500 and orchard.tier(orchard.two).taken == 1
    assert wrong(orchard) == []

    orchard.end()
    assert orchard.row().state == "successful"
    assert orchard.escrow() == ONE + TWO - 900 - 1980  # 30 % of each
    assert balances(orchard.presale) == {"presale_escrow": 2880, "seller_held": -2880}
    orchard.answer(first)
    orchard.answer(second, note="周末送")
    assert orchard.states(first, second) == ["confirmed"] * 2 and wrong(orchard) == []

    orchard.harvest()
    assert orchard.row().state == "delivering" and orchard.states(first, second) == ["ordered"] * 2
    number = str(orchard.backing(second).order_number)
    order = get(number)
    assert (order.state, order.goods_fen, order.shipping_fen, order.total_fen) == ("paid", 6000, 600, TWO)
    assert (order.note, parcels(number)[0].state) == ("周末送", "awaiting_acceptance")
    assert stock_of(orchard.shop.apples) == (100, 0)
    assert desk.counts(db.session(), JIXIAN, clock.today())["acceptance"].waiting == 2 and wrong(orchard) == []

    for each in (str(orchard.backing(first).order_number), number):
        send(each)
    assert balances(number) == {"presale_escrow": 4620, "seller_held": -3540, "station_held": -1080}
    assert orchard.escrow() == 0 and wrong(orchard) == []
    assert queries.money_of(db.session(), get(number)) == queries.MoneyShares(5520, 480, 600)  # with the start's 1980
    work()
    assert orchard.row().state == "closed"
    in_transaction(settlement.confirm, number=number, parcel=parcels(number)[0].public_id, actor="guest")
    assert get(number).state is OrderState.COMPLETED and wrong(orchard) == []
    row = orchard.row()
    last = full_date(row.harvest_on + timedelta(days=row.grace_days), "zh")
    reached, harvested, sent = told_to_seller()
    assert "凑够了" in reached and last in reached and "到站里了" in harvested and "没有要寄的了" in sent


def told_to_seller() -> list[str]:
    db.session.rollback()
    told = select(Message.text).where(Message.fact.like("presale_%")).order_by(Message.id)
    return list(db.session.scalars(told.where(Message.fact.not_like("presale_reviewed%"))))


def send(number: str) -> None:
    parcel = parcels(number)[0].public_id
    told: Any = {"parcel": parcel, "station": JIXIAN, "actor": "test"}
    in_transaction(fulfilment.accept, **told)
    in_transaction(fulfilment.collect, **told)
    in_transaction(fulfilment.pack, **told, shelf="A1")
    in_transaction(fulfilment.ship, **told, carrier="中通", tracking_number="ZT123456")


def told_of_refunds() -> None:
    outbox.deliver_some(outbox.of_topics(outbox.OutboxRow.topic.like("%refund%")), 50)


def why_back(place: str) -> str:
    """The letter to whoever gets their money back, without its link."""
    text = db.session.scalars(select(Message.text).where(Message.fact == f"backing_returned:{place}")).one()
    return text.partition("http")[0]


def steps_of(parcel: str) -> list[str]:
    wanted = select(EventRow.to_state).where(EventRow.subject == f"parcel:{parcel}").order_by(EventRow.id)
    return list(db.session.scalars(wanted))


def test_short_of_its_goal_everybody_gets_everything_back(orchard: Orchard) -> None:
    orchard.open()
    first, second = orchard.paid(), orchard.paid(contact="b@example.test")
    orchard.end()
    assert orchard.row().state == "failed" and orchard.states(first, second) == ["refunded"] * 2
    assert orchard.escrow() == 0 and "没凑够" in told_to_seller()[0]
    assert [refund.state for refund in db.session.scalars(select(Refund))] == ["succeeded"] * 2
    texts = [each.text for each in db.session.scalars(select(Message).order_by(Message.id)) if "30.00" in each.text]
    assert len(texts) == 4 and wrong(orchard) == []
    assert [why_back(place) for place in (first, second)] == ["“吉县红富士预售”没凑够，你的 ¥30.00 原路退回。"] * 2
    work()
    assert len(db.session.scalars(select(Refund)).all()) == 2


def test_a_place_that_nobody_pays_is_free_again_and_late_money_goes_back(orchard: Orchard) -> None:
    orchard.open(most=1)
    held = orchard.begin()
    with pytest.raises(TierIsFull):
        orchard.begin()
    assert orchard.tier(orchard.one).taken == 1
    with at(orchard.backing(held).pay_by + timedelta(seconds=1)):
        backing.lapse(backing=held)
        assert orchard.states(held) == ["lapsed"] and orchard.tier(orchard.one).taken == 0
        backing.lapse(backing=held)
        assert orchard.tier(orchard.one).taken == 0 and orchard.row().taken_grams == 0
        assert orchard.states(orchard.paid()) == ["confirmed"]
    assert wrong(orchard) == []


def test_money_under_way_at_the_deadline_is_waited_for(orchard: Orchard) -> None:
    orchard.open()
    orchard.paid(orchard.two)
    with at(after(orchard.row().closes_on) - timedelta(hours=1, minutes=20)):
        slow = orchard.begin()
        orchard.pay(slow, "slow")
    with at(after(orchard.row().closes_on)):
        work()
        assert orchard.row().state == "waiting_funds" and orchard.states(slow) == ["held"]
        with pytest.raises(NotOpen):
            orchard.begin()
    with at(after(orchard.row().closes_on) + timedelta(hours=2)):
        orchard.shop.cashier.finish_slow_payments()
        orchard.shop.work()
        assert orchard.states(slow) == ["confirmed"]
        work()
    assert orchard.row().state == "successful" and wrong(orchard) == []


def test_money_that_comes_after_the_decision_goes_back(orchard: Orchard) -> None:
    orchard.open()
    slow = orchard.begin()
    orchard.pay(slow, "slow")
    with at(after(orchard.row().closes_on) + timedelta(days=3)):
        work()
        assert orchard.row().state == "failed" and orchard.states(slow) == ["held"]
        orchard.shop.cashier.finish_slow_payments()
        orchard.shop.work()
        assert orchard.escrow() == 0
        assert [(each.fen, each.reason) for each in db.session.scalars(select(Refund))] == [(ONE, "surplus")]
        with at(clock.now() + timedelta(hours=3)):
            orchard.shop.cashier.finish_refunds()
            orchard.shop.work()
            work()
            told_of_refunds()
    assert orchard.states(slow) == ["lapsed"] and wrong(orchard) == []
    (text,) = db.session.scalars(select(Message.text).where(Message.fact.like("backing_refunded:%"))).all()
    assert "你给“吉县红富士预售”付的 ¥30.00 已原路退回" in text


def test_more_than_the_field_bears_is_not_sold(orchard: Orchard) -> None:
    orchard.open(yield_kg=8, most=100)  # 8 kg: three boxes
    orchard.paid(orchard.two)
    with pytest.raises(FieldIsSold):
        orchard.begin(orchard.two)
    assert orchard.tier(orchard.two).taken == 1
    orchard.begin()
    with pytest.raises(FieldIsSold):
        orchard.begin()
    assert (orchard.row().taken_grams, orchard.row().cap_grams) == (7500, 8000) and wrong(orchard) == []


def test_of_goods_that_the_province_has_stopped_no_place_is_taken(orchard: Orchard, client: FlaskClient) -> None:
    orchard.open()
    paid, goods = orchard.paid(), update(Listing).where(Listing.code == orchard.shop.apples.rpartition("-")[0])
    place = f"/presales/{orchard.presale}"
    assert f"{place}/backings/new?tier={orchard.one}" in client.get(place).text
    db.session.execute(goods.values(state=ListingState.SUSPENDED))
    db.session.commit()
    with pytest.raises(GoodsAreStopped):
        orchard.begin()
    assert (orchard.tier(orchard.one).taken, orchard.row().taken_grams) == (1, 2500)
    assert client.get(f"{place}/backings/new?tier={orchard.one}").status_code == 303
    in_transaction(returning.leave, backing_id=paid, actor="guest")  # who is in it may leave
    db.session.execute(goods.values(state=ListingState.PUBLISHED))
    db.session.commit()
    orchard.begin()
    assert orchard.tier(orchard.one).taken == 1 and wrong(orchard) == []


def test_another_price_than_was_shown_takes_no_place(orchard: Orchard) -> None:
    orchard.open()
    given: Any = {"presale": orchard.presale, "tier": orchard.one, "backer": Backer("13835172001")}
    with pytest.raises(OtherPrice):
        in_transaction(backing.begin, **given, shown_fen=2999)
    with pytest.raises(NotFound):
        in_transaction(backing.begin, **given | {"tier": "nobody"}, shown_fen=ONE)
    assert orchard.tier(orchard.one).taken == 0 and not db.session.scalars(select(Attempt)).all()


def test_who_paid_may_leave_until_the_last_day(orchard: Orchard) -> None:
    orchard.open(most=1)
    first = orchard.paid()
    in_transaction(returning.leave, backing_id=first, actor="guest")
    assert orchard.states(first) == ["refunded"] and orchard.tier(orchard.one).taken == 0 and orchard.escrow() == 0
    with pytest.raises(StaleState):
        in_transaction(returning.leave, backing_id=first, actor="guest")
    second = orchard.paid(orchard.two)
    orchard.live_through(after(orchard.row().closes_on))
    with pytest.raises(returning.NoLongerOpen):
        in_transaction(returning.leave, backing_id=second, actor="guest")
    assert wrong(orchard) == []


def test_what_is_not_sent_after_the_grace_goes_back_whole(orchard: Orchard) -> None:
    orchard.open()
    sent, begun, silent = orchard.paid(), orchard.paid(orchard.two), orchard.paid(contact="c@example.test")
    orchard.end()
    orchard.answer(sent)
    orchard.answer(begun)
    orchard.harvest()
    gone, stuck = (str(orchard.backing(each).order_number) for each in (sent, begun))
    send(gone)
    in_transaction(fulfilment.accept, parcel=parcels(stuck)[0].public_id, station=JIXIAN, actor="test")
    row = orchard.row()
    orchard.live_through(after(row.harvest_on + timedelta(days=row.grace_days)))
    assert orchard.row().state == "defaulted" and "没按时寄出的，钱退给买家" in told_to_seller()[-1]
    assert orchard.states(sent, begun, silent) == ["ordered", "ordered", "refunded"]
    assert parcels(stuck)[0].state is ParcelState.REFUSED and parcels(gone)[0].state is ParcelState.SHIPPED
    assert why_back(silent) == "“吉县红富士预售”你那份没有填寄到哪里，你的 ¥30.00 原路退回。"
    refunded = {each.fen: each.state.value for each in db.session.scalars(select(Refund))}
    assert refunded == {TWO: "succeeded", ONE: "succeeded"}
    assert orchard.escrow() == 0 and stock_of(orchard.shop.apples) == (100, 0) and wrong(orchard) == []


def test_who_never_says_where_to_gets_the_money_back_and_nobody_defaulted(orchard: Orchard) -> None:
    orchard.open()
    sent, silent = orchard.paid(orchard.two), orchard.paid()
    orchard.end()
    orchard.answer(sent)
    orchard.backing(silent).language = "en"
    db.session.commit()
    orchard.harvest()
    send(str(orchard.backing(sent).order_number))
    work()
    assert orchard.row().state == "delivering"
    row = orchard.row()
    last = full_date(row.harvest_on + timedelta(days=row.grace_days), "en")
    asked = db.session.scalars(select(Message).where(Message.fact.startswith("backing_asked:"))).all()
    assert [message.fact for message in asked] == [f"backing_asked:{silent}"]
    assert all(
        words in asked[0].text
        for words in (
            f"Say so by {last}",
            "The harvest of “Jixian Fuji ahead” is in",
            "¥30.00",
            f"/presales/{orchard.presale}/backings/",
        )
    )
    orchard.live_through(after(row.harvest_on + timedelta(days=row.grace_days)))
    assert orchard.row().state == "closed" and orchard.states(silent) == ["refunded"]
    with pytest.raises(surveying.NothingAsked):
        orchard.answer(silent)
    assert wrong(orchard) == []


def test_who_says_late_where_to_gives_the_station_its_days(orchard: Orchard) -> None:
    """Said on the last day of the grace: the others' ends there, and that place has seven days of its own."""
    orchard.open()
    late, silent = orchard.paid(orchard.two), orchard.paid()
    orchard.end()
    orchard.harvest()
    row = orchard.row()
    last = row.harvest_on + timedelta(days=row.grace_days)
    with at(clock.start_of(last) + timedelta(hours=20)):
        orchard.answer(late)
    orchard.live_through(after(last))
    assert orchard.row().state == "delivering" and orchard.states(late, silent) == ["ordered", "refunded"]
    with at(after(last)), pytest.raises(surveying.NothingAsked):
        orchard.answer(silent)
    orchard.live_through(after(last + timedelta(days=6)))
    assert orchard.row().state == "delivering"
    with at(after(last + timedelta(days=6))):
        send(str(orchard.backing(late).order_number))
    orchard.live_through(after(last + timedelta(days=7)))
    assert orchard.row().state == "closed" and orchard.escrow() == 0 and wrong(orchard) == []


def test_what_is_said_late_and_not_sent_goes_back_after_its_own_days(orchard: Orchard) -> None:
    orchard.open()
    stuck, late = orchard.paid(orchard.two), orchard.paid()
    orchard.end()
    orchard.answer(stuck)
    orchard.harvest()
    row = orchard.row()
    last = row.harvest_on + timedelta(days=row.grace_days)
    with at(clock.start_of(last)):
        orchard.answer(late)
    orchard.live_through(after(last))
    early, own = (parcels(str(orchard.backing(each).order_number))[0] for each in (stuck, late))
    assert orchard.row().state == "defaulted"
    assert (early.state, own.state) == (ParcelState.REFUSED, ParcelState.AWAITING_ACCEPTANCE)
    assert orchard.escrow() == ONE - 900
    orchard.live_through(after(last + timedelta(days=6)))
    assert orchard.escrow() == ONE - 900
    orchard.live_through(after(last + timedelta(days=7)))
    assert parcels(str(orchard.backing(late).order_number))[0].state is ParcelState.REFUSED
    refunded = sorted((each.fen, each.state.value) for each in db.session.scalars(select(Refund)))
    assert refunded == sorted([(ONE, "succeeded"), (TWO, "succeeded")])
    assert orchard.escrow() == 0 and stock_of(orchard.shop.apples) == (100, 0) and wrong(orchard) == []


@pytest.mark.parametrize(("days", "parcel", "presale"), [(3, "shipped", "closed"), (4, "returned_to_seller", "defaulted")])
def test_what_is_packed_when_the_grace_ends_waits_for_its_courier(
    orchard: Orchard, days: int, parcel: str, presale: str
) -> None:
    orchard.open()
    made, _silent = orchard.paid(orchard.two), orchard.paid()
    orchard.end()
    orchard.answer(made)
    orchard.harvest()
    number, row = str(orchard.backing(made).order_number), orchard.row()
    last = row.harvest_on + timedelta(days=row.grace_days)
    packed = parcels(number)[0].public_id
    in_transaction(fulfilment.accept, parcel=packed, station=JIXIAN, actor="test")
    in_transaction(fulfilment.collect, parcel=packed, station=JIXIAN, actor="test")
    in_transaction(fulfilment.pack, parcel=packed, station=JIXIAN, actor="test", shelf="A")
    with pytest.raises(StaleState):  # nobody at the desk refuses what is packed
        in_transaction(fulfilment.refuse, parcel=packed, station=JIXIAN, actor="test", reason="x")
    orchard.live_through(after(last + timedelta(days=2)))
    assert orchard.row().state == "delivering" and parcels(number)[0].state is ParcelState.PACKED
    if days == 3:
        in_transaction(
            fulfilment.ship, parcel=packed, station=JIXIAN, actor="test", carrier="邮政", tracking_number="123456"
        )
    orchard.live_through(after(last + timedelta(days=days)))
    assert (parcels(number)[0].state.value, orchard.row().state.value) == (parcel, presale)
    if days == 4:  # nobody came for it: its grower has it back, its buyer the money, also what went with the start
        assert steps_of(packed)[-4:] == ["packed", "ready_for_pickup", "uncollected", "returned_to_seller"]
        assert get(number).state is OrderState.CANCELLED
        assert sorted(each.fen for each in db.session.scalars(select(Refund))) == [ONE, TWO]
        with at(after(last + timedelta(days=5))):
            told_of_refunds()
        told = db.session.scalars(select(Message.text).where(Message.fact.like("refund_%")).order_by(Message.id)).all()
        assert len(told) == 2 and all("66.00" in text for text in told)  # on its way, and there
        assert sum("没按时寄出，退回农户了" in text for text in told) == 1
        with pytest.raises(StaleState):  # the courier comes after all
            in_transaction(
                fulfilment.ship, parcel=packed, station=JIXIAN, actor="test", carrier="邮政", tracking_number="123456"
            )
        orchard.live_through(clock.now() + timedelta(days=9))
        assert len(db.session.scalars(select(Refund)).all()) == 2
    assert orchard.escrow() == 0 and stock_of(orchard.shop.apples) == (100, 0) and wrong(orchard) == []


def test_an_order_that_is_cancelled_before_it_is_taken_on_is_refunded_out_of_escrow(orchard: Orchard) -> None:
    orchard.open()
    first, second = orchard.paid(orchard.two), orchard.paid()
    orchard.end()
    orchard.answer(first)
    in_transaction(delivering.begin, presale=orchard.presale, seller=orchard.seller)
    work()
    orchard.answer(second)  # the harvest is in: an order at once
    assert orchard.states(first, second) == ["ordered"] * 2
    number = str(orchard.backing(second).order_number)
    page = f"/presales/{orchard.presale}/backings/{backing.link_token(second)}"
    assert "<h1>已经变成订单</h1>" in orchard.shop.browser().get(page).text
    assert in_transaction(undelivered.cancel_paid, number=number, actor="guest") == ONE
    assert "<h1>钱正在退回</h1>" in orchard.shop.browser().get(page).text
    assert get(number).state is OrderState.CANCELLED and orchard.escrow() == TWO - 1980
    assert stock_of(orchard.shop.apples) == (101, 0)  # what is left over is for sale
    orchard.live_through(clock.now())
    assert wrong(orchard) == []


def test_a_refund_that_fails_comes_again_by_itself(orchard: Orchard) -> None:
    orchard.open()
    first = orchard.paid()
    in_transaction(returning.leave, backing_id=first, actor="guest")
    refund = db.session.scalars(select(Refund)).one()
    work_refund_failed(refund.id)
    assert orchard.escrow() == ONE and orchard.states(first) == ["refunded"]
    orchard.live_through(clock.now() + returning.LATER + timedelta(minutes=1))
    assert orchard.escrow() == 0 and wrong(orchard) == []


def work_refund_failed(refund: int) -> None:
    in_transaction(refunds.begin_submission, refund=refund)
    in_transaction(refunds.fail, refund=refund, why="refused")


def test_only_the_station_opens_what_its_seller_made_and_has_seen(orchard: Orchard) -> None:
    orchard.draft()
    who: Any = {"presale": orchard.presale, "station": JIXIAN, "reviewer": orchard.reviewer.id}
    seen: Any = {"field_seen": True, "figures_sane": True}
    with pytest.raises(NotFound):
        in_transaction(reviewing.accept, **who, **seen)
    in_transaction(drafting.submit, presale=orchard.presale, seller=orchard.seller)
    with pytest.raises(reviewing.OwnPresale):
        in_transaction(reviewing.accept, **who | {"reviewer": orchard.seller}, **seen)
    with pytest.raises(reviewing.NotSeen):
        in_transaction(reviewing.accept, **who, **seen | {"field_seen": False})
    with pytest.raises(NotFound):
        in_transaction(reviewing.accept, **who | {"station": "140430"}, **seen)
    with pytest.raises(reviewing.NoReason):
        in_transaction(reviewing.reject, **who, why=" ")
    assert orchard.row().state == "submitted"
    with pytest.raises(NotOpen):
        orchard.begin()
    in_transaction(reviewing.reject, **who, why="地里只有六亩")
    assert orchard.row().state == "rejected"
    with pytest.raises(StaleState):
        in_transaction(reviewing.accept, **who, **seen)
    assert wrong(orchard) == []


def test_what_cannot_be_is_not_drafted_or_handed_in(orchard: Orchard) -> None:
    today = clock.today()
    code = orchard.shop.apples.rpartition("-")[0]
    with pytest.raises(drafting.ClosesInThePast):
        in_transaction(drafting.draft, listing=code, terms=terms(closes_on=today), seller=orchard.seller)
    late = terms(harvest_on=today + timedelta(days=20))
    with pytest.raises(drafting.HarvestBeforeEnd):
        in_transaction(drafting.draft, listing=code, terms=late, seller=orchard.seller)
    with pytest.raises(NotFound):
        in_transaction(drafting.draft, listing=code, terms=terms(), seller=orchard.reviewer.id)
    orchard.draft(goal_fen=100_000, most=3)
    with pytest.raises(drafting.GoalOutOfReach):
        in_transaction(drafting.submit, presale=orchard.presale, seller=orchard.seller)
    whose: Any = {"presale": orchard.presale, "seller": orchard.seller}
    with pytest.raises(drafting.MoreThanTheField):
        in_transaction(drafting.add_tier, **whose, tier=Tier("一车", orchard.shop.apples, 50, ONE, 0, 1))
    with pytest.raises(NotFound):
        in_transaction(drafting.add_tier, **whose, tier=Tier("小米", orchard.shop.millet, 1, ONE, 0, 1))
    assert len(orchard.row().tiers) == 2 and orchard.row().state == "draft"
