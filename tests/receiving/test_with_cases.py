"""Where what growers bring meets what buyers complain about: replacements, things sent instead, and refunds at a desk."""

import pytest
from sqlalchemy import select

from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.orders import access, bringing, fulfilment, refunding, undelivered
from marketplace.orders.cases import appealing, deciding, exchanging, paying_back, quality, returning
from marketplace.orders.cases.blame import Cause
from marketplace.orders.cases.rules import Bearer, Condition, Wish
from marketplace.orders.cases.states import CaseState as C
from marketplace.orders.closing import ending, figures
from marketplace.orders.dispatching import reading, sending
from marketplace.orders.papers import packing
from marketplace.orders.queries import lines_by_parcel
from marketplace.orders.receiving import substituting
from marketplace.orders.receiving.models import Rest, Substitute
from marketplace.orders.receiving.states import SubstituteState as T
from marketplace.orders.states import ParcelState as S
from marketplace.payments.disputes.standing import PaymentIsDisputed
from marketplace.payments.models import Refund
from tests.factories import signed_in
from tests.orders.casework import Bought, appeal, arrive, bought, case_of, do, later, open_case, ship, small_boxes
from tests.orders.conftest import JIXIAN, Shop, balances, differences, parcels, post, stock_of
from tests.orders.refunding import address as refunds_of, ask, bounce, box, clerk_of, form_for, lines_of, refund
from tests.receiving.conftest import accepted, bring, packs
from tests.receiving.test_pages import address, entered
from tests.receiving.test_substitutes import other_pack

__all__ = ["small_boxes"]


def exchanged(shop: Shop) -> tuple[Bought, str, str]:
    """Two of three packs come once more, for nothing: what was bought, the case, the number of the order that sends them."""
    first = bought(shop)
    case = open_case(first, 2, wish=Wish.EXCHANGE)
    do(deciding.approve, case)
    do(returning.witness, case, quantity=2, condition=Condition.BAD)
    number = do(exchanging.exchange, case)
    in_transaction(fulfilment.accept, parcel=box(number).public_id, station=JIXIAN, actor="clerk")
    return first, case, number


@pytest.mark.parametrize("rest", [Rest.REFUND, Rest.SUBSTITUTE])
def test_a_replacement_that_does_not_come_whole_is_not_sent_and_its_money_goes_back(shop: Shop, rest: Rest) -> None:
    first, case, number = exchanged(shop)
    instead = other_pack(shop) if rest is Rest.SUBSTITUTE else None
    bring(shop, came=1, rest=rest, instead=instead)
    assert parcels(number)[0].state is S.REFUSED and packs(number) == [(1, 1, 0)]
    assert stock_of(shop.apples) == (96, 0) and (instead is None or stock_of(instead) == (100, 0))
    while outbox.deliver():
        pass
    arrive(shop)
    assert case_of(case).refund_public_id is not None
    assert balances(first.number) == {"gateway_clearing": 6997 - 4664, "seller_held": -1839, "station_held": -160 - 334}
    assert differences(shop) == []


def test_what_was_brought_back_goes_back_by_its_case_alone(shop: Shop) -> None:
    first = bought(shop)
    case = open_case(first, 2, wish=Wish.EXCHANGE)
    do(deciding.approve, case)
    do(returning.witness, case, quantity=2, condition=Condition.BAD)
    before = balances(first.number)
    with pytest.raises(refunding.GoodsAreBack):
        ask(first.parcel, 2)
    told = {"parcel": first.parcel.public_id, "station": JIXIAN, "reason": "全退", "actor": "clerk"}
    with pytest.raises(refunding.GoodsAreBack):
        in_transaction(refunding.refund_rest, **told)
    assert balances(first.number) == before
    ask(first.parcel, 1)
    do(exchanging.exchange, case)
    assert case_of(case).state is C.EXCHANGED


def test_what_a_desk_has_given_back_is_not_taken_back_so_that_the_case_can_end(shop: Shop) -> None:
    first = bought(shop, 4)
    asked, approved = open_case(first, 2), open_case(first, 2)
    do(deciding.approve, approved)
    ask(first.parcel, 3)
    before = balances(first.number)
    for command, case, given in (
        (deciding.approve, asked, {}),
        (deciding.refund, asked, {}),
        (returning.witness, approved, {"quantity": 2, "condition": Condition.BAD}),
    ):
        with pytest.raises(paying_back.RefundedMeanwhile):
            do(command, case, **given)
    assert (case_of(asked).state, case_of(approved).state) == (C.REQUESTED, C.APPROVED)
    do(deciding.reject, asked)
    do(returning.witness, approved, quantity=1, condition=Condition.BAD)
    do(deciding.refund, approved)
    assert balances(first.number) != before and case_of(approved).state is C.REFUNDED
    arrive(shop)
    assert differences(shop) == []


def test_the_desk_reads_that_a_replacement_is_not_sent(shop: Shop) -> None:
    _first, _case, number = exchanged(shop)
    clerk = clerk_of(shop)
    check = post(clerk, f"{address()}/arrivals", entered(clerk, came="1", rest="refund"))
    assert check.status_code == 200 and "换货没到齐的不发了" in check.text and "¥0" not in check.text
    assert parcels(number)[0].state is S.ACCEPTED


def test_what_was_exchanged_and_what_a_desk_gave_back_leave_nothing_to_refund(shop: Shop) -> None:
    first = bought(shop)
    case, other = open_case(first, 2, wish=Wish.EXCHANGE), open_case(first)
    do(deciding.approve, case)
    do(returning.witness, case, quantity=2, condition=Condition.BAD)
    do(exchanging.exchange, case)
    ask(first.parcel, 1)
    before = balances(first.number)
    with pytest.raises(paying_back.RefundedMeanwhile):
        do(deciding.refund, other)
    assert balances(first.number) == before and case_of(other).state is C.REQUESTED


def offered(shop: Shop, quantity: int = 3, came: int = 1) -> tuple[str, str, str]:
    """Three packs are bought, one comes, two others are offered: number, offer, the other pack."""
    instead = other_pack(shop, 1500)
    number = accepted(shop, apples=quantity)
    bring(shop, came=came, rest=Rest.SUBSTITUTE, instead=instead)
    db.session.rollback()
    return number, db.session.scalars(select(Substitute.public_id)).one(), instead


def test_what_was_taken_instead_is_for_sale_again_when_the_parcel_is_refused(shop: Shop) -> None:
    number, offer, instead = offered(shop)
    in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    assert stock_of(instead) == (98, 0)
    in_transaction(fulfilment.refuse, parcel=box(number).public_id, station=JIXIAN, actor="clerk", reason="压坏了")
    assert stock_of(instead) == (100, 0) and stock_of(shop.apples) == (98, 0)
    shop.work()
    assert differences(shop) == []


def test_of_what_was_sent_instead_no_part_is_asked_about(shop: Shop) -> None:
    number, offer, _instead = offered(shop)
    in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    parcel = box(number)
    step = {"parcel": parcel.public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.pack, shelf="A", **step)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **step)
    client = shop.browser()
    client.get(f"/orders/{number}?key={access.link_key(number)}")
    own, other = lines_of(parcel)
    for line, asks in ((own, True), (other, False)):
        page = client.get(f"/orders/{number}/cases/new?line={line}").text
        assert 'name="quantity"' in page and ('name="spoiled"' in page) is asks


def test_what_a_desk_has_given_back_is_not_sent_instead(shop: Shop) -> None:
    number, offer, instead = offered(shop)
    ask(box(number), 2)
    with pytest.raises(substituting.TooLateToAnswer):
        in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    assert stock_of(instead) == (100, 2)
    before = balances(number)
    in_transaction(substituting.decline, number=number, substitute=offer, actor="buyer")
    assert balances(number) == before and packs(number) == [(1, 2, 2)] and stock_of(instead) == (100, 0)
    assert parcels(number)[0].state is S.COLLECTING
    shop.work()
    assert differences(shop) == []


def test_of_what_a_desk_has_given_back_in_part_only_the_other_part_goes_back(shop: Shop) -> None:
    number, offer, _instead = offered(shop)
    ask(box(number), 1)
    in_transaction(substituting.decline, number=number, substitute=offer, actor="buyer")
    assert packs(number) == [(1, 2, 2)] and parcels(number)[0].state is S.COLLECTING
    db.session.rollback()
    assert db.session.scalars(select(Substitute.state)).one() is T.DECLINED
    shop.work()
    assert differences(shop) == []


def test_a_closed_day_has_what_the_province_laid_on_the_station(shop: Shop) -> None:
    first = bought(shop)
    case = open_case(first)
    do(deciding.reject, case)
    appeal(case)
    in_transaction(appealing.grant, case=case, bearer=Bearer.STATION, why="站上摔的", actor="person:9")
    db.session.rollback()
    found = figures.of(db.session(), ending.open_period(db.session(), JIXIAN, "test"))
    assert (found.refunded_fen, found.borne_fen, found.held_fen, found.payable_fen) == (2332, 2332, 320 + 667, -1839)
    in_transaction(ending.close, station=JIXIAN, book="test", actor="manager")
    bounce(shop, str(case_of(case).refund_public_id))
    found = figures.of(db.session(), ending.open_period(db.session(), JIXIAN, "test"))
    assert (found.borne_fen, found.payable_fen) == (-2332, 0)
    assert [each for each in differences(shop) if "closed" in each] == []


def test_a_parcel_that_was_lost_keeps_fee_and_shipping_apart_on_a_closed_day(shop: Shop) -> None:
    number = shop.paid_order(shop.browser(), apples=3)
    parcel = ship(number)
    with later(minutes=1):  # one moment for settling and for paying back
        in_transaction(undelivered.lose, parcel=parcel.public_id, station=None, actor="clerk", reason="车翻了")
    with later(minutes=2):
        db.session.rollback()
        found = figures.of(db.session(), ending.open_period(db.session(), JIXIAN, "test"))
    assert (found.fees_fen, found.shipping_fen, found.borne_fen) == (480, 1000, 6997)


def test_no_replacement_leaves_while_the_bank_may_give_the_money_back(shop: Shop) -> None:
    first, _case, number = exchanged(shop)
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    bring(shop)
    in_transaction(fulfilment.pack, shelf="A", **told)
    remote = shop.cashier.open_dispute(shop.remote_of(first.number))
    shop.work()
    with pytest.raises(PaymentIsDisputed):
        in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **told)
    (row,) = sending.check(db.session(), JIXIAN, reading.rows(f"{number}-1,邮政,123456"))
    assert (row.outcome, row.why) == (sending.Outcome.WRONG, PaymentIsDisputed.message)
    assert parcels(number)[0].state is S.PACKED
    shop.cashier.decide_dispute(remote, is_won=True)
    shop.work()
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **told)
    assert parcels(number)[0].state is S.SHIPPED and differences(shop) == []


def test_the_audit_understands_a_price_part_that_failed_after_everything_else_went_back(shop: Shop) -> None:
    number = accepted(shop, apples=2)
    bring(shop, came=2, grams=1800 * 2)
    db.session.rollback()
    lighter = db.session.scalars(select(Refund.public_id).where(Refund.reason == "lighter")).one()
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.pack, shelf="A", **told)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **told)
    in_transaction(fulfilment.deliver, **told)
    in_transaction(refunding.refund_rest, reason="全坏", **told)
    bounce(shop, lighter)
    assert packs(number) == [(2, 0, 2)] and differences(shop) == []
    in_transaction(refunding.refund_rest, reason="再退", **told)
    arrive(shop)
    assert balances(number) == {} and differences(shop) == []


def test_the_audit_understands_a_replacement_lost_after_the_province_had_decided(shop: Shop) -> None:
    first, case, number = exchanged(shop)
    bring(shop)
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.pack, shelf="A", **told)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **told)
    appeal(case)
    in_transaction(appealing.grant, case=case, bearer=Bearer.PLATFORM, why="等太久", actor="person:9")
    before = balances(first.number)
    in_transaction(undelivered.lose, reason="车翻了", **told)
    while outbox.deliver():
        pass
    assert balances(first.number) == before and differences(shop) == []


def test_what_a_grower_could_not_bring_counts_as_that(shop: Shop) -> None:
    number = accepted(shop, apples=9)
    bring(shop, came=7, rest=Rest.REFUND)
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.pack, shelf="A", **told)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **told)
    in_transaction(fulfilment.deliver, **told)
    ask(box(number), 1)
    db.session.rollback()
    (found,) = set(quality.counted(db.session()).values())
    assert found[:4] == (9, 3, 9, 3)
    assert dict(zip(quality.CAUSES, found[4:], strict=True)) == dict.fromkeys(Cause, 0) | {
        Cause.NOT_SENT: 2,
        Cause.SELLER: 1,
    }


def test_what_weighed_less_and_what_came_instead_count_as_that(shop: Shop) -> None:
    number, instead = accepted(shop, apples=5), other_pack(shop)
    bring(shop, came=3, rest=Rest.SUBSTITUTE, instead=instead, grams=7000)
    offered = db.session.scalars(select(Substitute.public_id)).one()
    in_transaction(substituting.accept, substitute=offered, number=number, actor="buyer")
    ship_packed(number)
    found = quality.counted(db.session())
    causes = [dict(zip(quality.CAUSES, each[4:], strict=True)) for each in found.values()]
    assert {(each[Cause.REPLACED], each[Cause.LIGHTER], each[Cause.SPOILED]) for each in causes} == {(2, 3, 0)}
    assert {each[:4] for each in found.values()} == {(5, 5, 5, 5)}


def ship_packed(number: str) -> None:
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.pack, shelf="A", **told)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="123456", **told)
    in_transaction(fulfilment.deliver, **told)
    db.session.rollback()


def test_what_will_never_come_is_neither_fetched_nor_packed_where_its_refund_failed(shop: Shop) -> None:
    number = accepted(shop, apples=3)
    bring(shop, came=2, rest=Rest.REFUND)
    db.session.rollback()
    bounce(shop, db.session.scalars(select(Refund.public_id).where(Refund.reason == "short")).one())
    assert packs(number) == [(2, 1, 0)]
    db.session.rollback()
    session, (parcel,) = db.session(), parcels(number)
    seller, line = parcel.lines[0].seller_public_id, lines_by_parcel(session, [parcel.id])[parcel.id][0]
    (row,) = packing.read(session, JIXIAN, with_names=False)
    assert (bringing.lines(session, seller), row.packs, row.is_here, line.left) == ([], 2, True, 2)


def test_no_page_counts_fewer_packs_than_none(shop: Shop) -> None:
    number, _offer, _instead = offered(shop)
    ask(box(number), 2)
    page = clerk_of(shop).get(f"/station/parcels/{box(number).public_id}").text
    assert "× 0" in page and "× -" not in page


def test_it_is_not_packed_before_the_buyer_has_answered(shop: Shop) -> None:
    number, offer, _instead = offered(shop)
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.collect, **told)
    with pytest.raises(fulfilment.AwaitsAnswer):
        in_transaction(fulfilment.pack, shelf="A", **told)
    assert parcels(number)[0].state is S.COLLECTING
    in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    in_transaction(fulfilment.pack, shelf="A", **told)
    assert parcels(number)[0].state is S.PACKED and differences(shop) == []


def test_a_case_says_what_was_sent_instead(shop: Shop) -> None:
    number, offer, _instead = offered(shop)
    in_transaction(substituting.accept, number=number, substitute=offer, actor="buyer")
    told = {"parcel": box(number).public_id, "station": JIXIAN, "actor": "clerk"}
    in_transaction(fulfilment.pack, shelf="A", **told)
    in_transaction(fulfilment.ship, carrier="邮政", tracking_number="EY123456", **told)
    in_transaction(fulfilment.deliver, **told)
    bought_ = Bought(box(number), parcels(number)[0].lines[1].public_id, shop.browser())
    title, packs_ = db.session.execute(select(Substitute.title_zh, Substitute.packs)).one()
    case = open_case(bought_)
    page = clerk_of(shop).get(f"/station/cases/{case}").text
    assert "换成了" in page and f"{title}" in page.partition("换成了")[2] and f"× {packs_}" in page.partition("换成了")[2]
    bought_.client.get(f"/orders/{number}?key={access.link_key(number)}")
    assert "换成了" in bought_.client.get(f"/orders/{number}/cases/new", follow_redirects=True).text


def test_a_desk_does_not_pay_besides_for_what_was_replaced_and_the_province_may(shop: Shop) -> None:
    first, _case, number = exchanged(shop)  # two of three
    clerk, before = clerk_of(shop), balances(first.number)
    said = "其中有的已经按售后换过货，要再退款得由省里来定。"
    for units in ({"units": 2}, {"units": 3}):
        answer = refund(clerk, first.parcel, units["units"])
        assert answer.status_code == 422 and said in answer.text and "两箱冻坏了" in answer.text
    everything = post(clerk, refunds_of(first.parcel), form_for(clerk, first.parcel, 0, action="everything"))
    assert everything.status_code == 422 and said in everything.text
    with pytest.raises(refunding.ReplacedUnits):
        ask(first.parcel, 2)
    assert balances(first.number) == before
    assert refund(clerk, first.parcel, 1).status_code == 303  # the third was not replaced
    with pytest.raises(refunding.ReplacedUnits):
        ask(first.parcel, 1)

    province = shop.browser()
    signed_in(province, "operator")
    assert refund(province, first.parcel, 1).status_code == 303
    arrive(shop)
    found = {each[:4] for each in quality.counted(db.session()).values()}
    assert found == {(3, 3, 3, 3)} and differences(shop) == []  # two refunded, one replaced: each once
    first.client.get(f"/orders/{number}?key={access.link_key(number)}")
    page = first.client.get(f"/orders/{number}").text
    assert "换货，不用付款。站点已接单" in page and "已付款" not in page
