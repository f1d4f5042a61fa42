"""From an order on account to the money of its statement, to the fen; the audit agrees at every stop."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace import duties
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.notifications.models import Message
from marketplace.orders import fulfilment, queries, refunding, settlement, undelivered
from marketplace.orders.cases import opening
from marketplace.orders.cases.models import QualityCount
from marketplace.orders.cases.rules import Kind, Wish
from marketplace.orders.institutions import billing, checking, crediting, ordering, paying_bills
from marketplace.orders.institutions.checking import Claim
from marketplace.orders.institutions.models import BillCredit, GoodsCheck
from marketplace.orders.institutions.states import CheckState, StatementState
from marketplace.orders.queries import MoneyShares
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.payments import attempts
from marketplace.payments.models import Attempt, Refund
from marketplace.site.money import Shares, shares_lately
from tests import factories
from tests.factories import sign_in_as
from tests.institutions.conftest import Canteen, differences, next_month, send
from tests.orders.conftest import balances, get, parcels, stock_of

APPLES, MILLET, SHIPPING = 3980, 5800, 600


def lines_of(number: str) -> list[Any]:
    return [line for parcel in get(number).parcels for line in parcel.lines]


def test_an_order_on_account_is_sold_at_once_and_posts_nothing(canteen: Canteen) -> None:
    number = canteen.order(apples=2, millet=1)

    order = get(number)
    assert (order.state, order.paid_at, order.total_fen) == (OrderState.PLACED_ON_ACCOUNT, None, 14960)
    assert stock_of(canteen.shop.apples) == (98, 0) and stock_of(canteen.shop.millet) == (99, 0)
    assert canteen.row.outstanding_fen == 14960 and balances(number) == {}
    assert db.session.scalar(select(func.count()).select_from(Attempt)) == 0
    assert differences(canteen) == []


def test_a_statement_is_paid_by_one_payment_and_every_order_is_shared_out(canteen: Canteen) -> None:
    first, second = canteen.order(apples=2, millet=1), canteen.order(apples=1)
    for number in (first, second):
        canteen.deliver(number)
    assert not in_transaction(settlement.settle_due)
    canteen.accept_all(first)
    canteen.accept_all(second)

    statement = canteen.bill()

    assert (statement.total_fen, statement.state) == (14960 + 4580, StatementState.OPEN)
    with clock.at(next_month()):
        assert statement.due_on == clock.today() + timedelta(days=15)
        assert not in_transaction(billing.bill_due)
    with clock.at(next_month() + timedelta(days=7)):
        assert not in_transaction(settlement.settle_due)  # seven days are over, the money is not there
        canteen.pay(statement.public_id)
        canteen.shop.work()
    assert [get(number).state for number in (first, second)] == [OrderState.PAID, OrderState.PAID]
    assert canteen.row.outstanding_fen == 0 and canteen.statements()[0].state is StatementState.PAID
    assert balances(second) == {"buyer_clearing": 4580, "seller_held": -(3980 - 318), "station_held": -(318 + 600)}
    assert balances(statement.public_id) == {"gateway_clearing": 19540, "buyer_clearing": -19540}
    assert differences(canteen) == []
    with clock.at(next_month() + timedelta(days=7)):
        duties.one_after_the_other(settlement.settle_due)
    assert {parcel.state for number in (first, second) for parcel in parcels(number)} == {S.SETTLED}
    assert get(first).state is OrderState.COMPLETED and differences(canteen) == []


def test_what_goes_back_of_a_paid_statement_lessens_what_its_order_says_and_the_home_page(canteen: Canteen) -> None:
    number, other = canteen.order(apples=3), canteen.order(apples=1)
    for each in (number, other):
        canteen.deliver(each)
        canteen.accept_all(each)
    statement = canteen.bill()
    with clock.at(next_month()):
        canteen.pay(statement.public_id)
        (line,), (parcel,) = lines_of(number), parcels(number)
        units: dict[str, Any] = {"parcel": parcel.public_id, "units": {line.public_id: 1}, "with_shipping": False}
        in_transaction(refunding.refund_units, **units, station=None, reason="坏了", actor="clerk")
        canteen.shop.work()
        assert money_of(number) == MoneyShares(2 * 3662, 2 * 318, 0)
        assert money_of(other) == MoneyShares(3662, 318, 600)
        assert shares_lately(db.session()) == Shares(3 * 3662, 3 * 318, 600)
        assert differences(canteen) == []

        canteen.shop.cashier.fail_refund(str(db.session.scalars(select(Refund.remote_id)).one()))
        canteen.shop.work()
        assert money_of(number) == MoneyShares(3 * 3662, 3 * 318, 0)
        assert shares_lately(db.session()) == Shares(4 * 3662, 4 * 318, 600)
        assert differences(canteen) == []


def money_of(number: str) -> MoneyShares:
    db.session.rollback()
    return queries.money_of(db.session(), get(number))


def test_what_is_not_accepted_comes_off_the_bill_when_the_station_agrees(canteen: Canteen) -> None:
    number = canteen.order(apples=4)
    canteen.deliver(number)
    (line,), (parcel,) = lines_of(number), parcels(number)
    claim = Claim(rejected=1, grams=7000, reason="damaged")  # three boxes of 2500 g weigh 7000 g together
    check = canteen.check(parcel.public_id, {line.public_id: claim})
    assert canteen.row.outstanding_fen == 4 * APPLES

    given: dict[str, Any] = {"check": check, "station": parcel.station_code, "why": "", "actor": "test"}
    in_transaction(checking.answer, **given, agrees=True)

    weight = 3 * APPLES - 3 * APPLES * 7000 // 7500
    credits = list(db.session.scalars(select(BillCredit).order_by(BillCredit.reason_key)))
    assert [credit.goods_fen + credit.shipping_fen for credit in credits] == [APPLES, weight]
    owed = 3 * APPLES - weight
    assert canteen.row.outstanding_fen == owed and differences(canteen) == []
    statement = canteen.bill()
    canteen.pay(statement.public_id)
    assert (statement.total_fen, get(number).state) == (owed, OrderState.PAID)
    assert differences(canteen) == []
    with pytest.raises(Exception, match="claimed"):
        in_transaction(checking.answer, **given, agrees=False)


def test_payers_and_whoever_ordered_are_told_of_what_comes_off_once(canteen: Canteen) -> None:
    cook, other = canteen.another(), canteen.another()
    number = cook.order(apples=4)
    canteen.deliver(number)
    (line,), (parcel,) = lines_of(number), parcels(number)
    check = canteen.check(parcel.public_id, {line.public_id: Claim(rejected=1, grams=None, reason="damaged")})
    assert told() == []
    given: dict[str, Any] = {"check": check, "station": None, "why": "", "actor": "test"}
    in_transaction(checking.answer, **given, agrees=True)
    units: dict[str, Any] = {"parcel": parcel.public_id, "units": {line.public_id: 1}, "with_shipping": False}
    in_transaction(refunding.refund_units, **units, station=None, reason="孩子们说不甜", actor="clerk")
    deliver_letters()

    texts = [f"示例小学食堂：包裹 {number}-1 少付 ¥39.80。原因：{why}" for why in ("收到时是坏的", "孩子们说不甜")]
    assert sorted(told()) == sorted((person.id, text) for person in (canteen.payer, cook.payer) for text in texts)
    assert other.payer.id not in {person for person, _text in told()}


def told() -> list[tuple[int | None, str]]:
    db.session.rollback()
    said = select(Message.person_id, Message.text).where(Message.fact.like("bill_credited:%"))
    return [(row.person_id, row.text) for row in db.session.execute(said)]


def deliver_letters() -> None:
    while outbox.deliver_some(outbox.of_topics(outbox.OutboxRow.topic == crediting.CREDITED), 50):
        pass


def test_what_comes_off_a_bill_counts_in_the_quality_of_its_seller_and_station(canteen: Canteen) -> None:
    number = canteen.order(apples=10)
    canteen.deliver(number)
    (line,), (parcel,) = lines_of(number), parcels(number)
    check = canteen.check(parcel.public_id, {line.public_id: Claim(rejected=4, grams=None, reason="damaged")})
    duties.count_quality()
    assert quality() == {"seller": (10, 0, 10, 0), "station": (10, 0, 10, 0)}

    in_transaction(checking.answer, check=check, station=None, why="", actor="test", agrees=True)
    duties.count_quality()
    assert quality() == {"seller": (10, 4, 10, 4), "station": (10, 4, 10, 4)}
    assert differences(canteen) == []


def test_a_refund_after_the_statement_was_paid_stands_among_the_sums_of_its_order(canteen: Canteen) -> None:
    number, other = canteen.order(apples=2), canteen.order(apples=1)
    for each in (number, other):
        canteen.deliver(each)
        canteen.accept_all(each)
    canteen.pay(canteen.bill().public_id)
    (line,), (parcel,) = lines_of(number), parcels(number)
    units: dict[str, Any] = {"units": {line.public_id: 1}, "with_shipping": False, "reason": "坏了"}
    in_transaction(refunding.refund_units, parcel=parcel.public_id, station=None, actor="clerk", **units)

    client = canteen.shop.browser()
    sign_in_as(client, canteen.payer)
    pages = [client.get(f"/orders/{each}").text for each in (number, other)]

    assert ["−¥39.80" in page for page in pages] == [True, False]


def test_packs_that_a_check_finds_too_light_count_in_the_quality_as_well(canteen: Canteen) -> None:
    number = canteen.order(apples=3)
    canteen.deliver(number)
    (line,), (parcel,) = lines_of(number), parcels(number)
    claim = Claim(rejected=1, grams=line.net_weight_grams, reason="damaged")  # the other two weigh half
    check = canteen.check(parcel.public_id, {line.public_id: claim})

    in_transaction(checking.answer, check=check, station=None, why="", actor="test", agrees=True)
    duties.count_quality()

    assert quality() == {"seller": (3, 3, 3, 3), "station": (3, 3, 3, 3)}
    assert db.session.scalars(select(QualityCount.lighter)).all() == [2, 2]


def quality() -> dict[str, tuple[int, ...]]:
    db.session.rollback()
    rows = db.session.scalars(select(QualityCount))
    return {row.owner_kind: (row.sold_lately, row.refunded_lately, row.sold, row.refunded) for row in rows}


def test_a_claim_that_the_station_rejects_changes_no_sum(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    (line,), (parcel,) = lines_of(number), parcels(number)
    check = canteen.check(parcel.public_id, {line.public_id: Claim(1, None, "missing")})
    before = canteen.row.outstanding_fen
    assert not in_transaction(billing.bill_due)

    with pytest.raises(NotFound):
        in_transaction(checking.answer, check=check, station="140430", agrees=True, why="", actor="test")
    in_transaction(checking.answer, check=check, station="141028", agrees=False, why="装箱有照片", actor="test")

    assert canteen.row.outstanding_fen == before and canteen.bill().total_fen == 2 * APPLES + SHIPPING
    assert differences(canteen) == []


def test_silence_accepts_and_agrees(canteen: Canteen) -> None:
    quiet, claimed = canteen.order(apples=1), canteen.order(apples=2)
    canteen.deliver(quiet)
    canteen.deliver(claimed)
    (line,), (parcel,) = lines_of(claimed), parcels(claimed)
    canteen.check(parcel.public_id, {line.public_id: Claim(1, None, "missing")})
    assert not in_transaction(checking.accept_unchecked) and not in_transaction(checking.agree_unanswered)

    with clock.at(clock.now() + checking.CHECK_WITHIN + timedelta(minutes=1)):
        assert in_transaction(checking.accept_unchecked) and not in_transaction(checking.accept_unchecked)
        assert in_transaction(checking.agree_unanswered) and not in_transaction(checking.agree_unanswered)

    assert sorted(db.session.scalars(select(GoodsCheck.state))) == [CheckState.ACCEPTED, CheckState.AGREED]
    assert canteen.row.outstanding_fen == APPLES + SHIPPING + APPLES + SHIPPING - SHIPPING // 2
    assert differences(canteen) == []


def test_what_is_on_account_has_no_case_and_is_not_confirmed(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    (line,), (parcel,) = lines_of(number), parcels(number)
    asked: dict[str, Any] = {"kind": Kind.MISSING, "wish": Wish.REFUND, "words": "少了", "pictures": [], "actor": "test"}
    with pytest.raises(fulfilment.NotPaid):
        in_transaction(opening.open_case, number=number, line=line.public_id, quantity=1, **asked)
    with pytest.raises(fulfilment.NotPaid):
        in_transaction(settlement.confirm, number=number, parcel=parcel.public_id, actor="test")
    assert parcels(number)[0].state is S.DELIVERED and differences(canteen) == []


def test_cancelled_before_anybody_began_it_frees_the_limit_and_the_goods(canteen: Canteen) -> None:
    number = canteen.order(apples=2)

    in_transaction(undelivered.cancel_paid, number=number, actor="test")

    assert get(number).state is OrderState.CANCELLED and stock_of(canteen.shop.apples) == (100, 0)
    assert canteen.row.outstanding_fen == 0 and balances(number) == {} and differences(canteen) == []


def test_a_refused_parcel_is_credited_and_the_rest_is_billed(canteen: Canteen) -> None:
    number = canteen.order(apples=2, millet=1)
    refused, kept = parcels(number)
    step: dict[str, Any] = {"parcel": refused.public_id, "station": None, "actor": "test"}
    in_transaction(fulfilment.refuse, **step, reason="霜打坏了")
    send(kept.public_id)
    in_transaction(fulfilment.deliver, parcel=kept.public_id, station=None, actor="test")
    canteen.accept_all(number)

    assert canteen.bill().total_fen == MILLET + SHIPPING == canteen.row.outstanding_fen
    assert db.session.scalar(select(func.count()).select_from(Refund)) == 0 and differences(canteen) == []


def test_growers_of_a_lost_parcel_are_paid_by_its_station_and_nobody_is_billed(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    (parcel,) = parcels(number)
    send(parcel.public_id)

    in_transaction(undelivered.lose, parcel=parcel.public_id, station=None, actor="test", reason="车翻了")

    assert (get(number).state, parcels(number)[0].state) == (OrderState.CANCELLED, S.SETTLED)
    grower = 2 * (APPLES - 318)
    assert balances(number) == {"seller_payable": -grower, "station_payable": grower}
    assert canteen.row.outstanding_fen == 0 and differences(canteen) == []


def test_an_order_of_which_nothing_was_accepted_is_cancelled_and_never_billed(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    (line,), (parcel,) = lines_of(number), parcels(number)
    check = canteen.check(parcel.public_id, {line.public_id: Claim(2, None, "wrong")})
    in_transaction(checking.answer, check=check, station="141028", agrees=True, why="", actor="test")

    assert in_transaction(billing.conclude_credited) and not in_transaction(billing.conclude_credited)

    assert get(number).state is OrderState.CANCELLED and canteen.row.outstanding_fen == 0
    with clock.at(next_month()):
        assert not in_transaction(billing.bill_due)
    assert differences(canteen) == []


def test_a_desk_credits_what_is_billed_already_and_money_for_the_old_sum_goes_back(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    canteen.accept_all(number)
    statement = canteen.bill().public_id
    given: dict[str, Any] = {"institution": canteen.public_id, "statement": statement, "person_id": canteen.payer.id}
    attempt = in_transaction(paying_bills.start, **given)
    attempts.submit(attempt, return_url="http://localhost/", description=statement)
    (line,), (parcel,) = lines_of(number), parcels(number)
    wanted: dict[str, Any] = {"parcel": parcel.public_id, "station": "141028", "units": {line.public_id: 1}}
    in_transaction(refunding.refund_units, **wanted, with_shipping=False, reason="一箱是坏的", actor="test")

    canteen.shop.pay(statement)
    canteen.shop.work()

    assert canteen.statements()[0].due_fen == APPLES + SHIPPING
    assert get(number).state is OrderState.PLACED_ON_ACCOUNT and differences(canteen) == []
    refund = db.session.scalars(select(Refund)).one()
    assert (refund.fen, refund.reason_key) == (2 * APPLES + SHIPPING, "surplus")

    canteen.pay(statement)
    assert get(number).state is OrderState.PAID and differences(canteen) == []


def test_a_statement_is_void_when_everything_on_it_was_credited(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    canteen.accept_all(number)
    canteen.bill()
    (parcel,) = parcels(number)
    given = {"parcel": parcel.public_id, "station": "141028", "reason": "全坏了", "actor": "test"}

    in_transaction(refunding.refund_rest, **given)
    duties.one_after_the_other(billing.conclude_credited)

    assert canteen.statements()[0].state is StatementState.VOID and get(number).state is OrderState.CANCELLED
    assert canteen.row.outstanding_fen == 0 and differences(canteen) == []


def test_a_refund_after_the_statement_was_paid_comes_out_of_its_payment(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    canteen.accept_all(number)
    canteen.pay(canteen.bill().public_id)
    (parcel,) = parcels(number)
    given = {"parcel": parcel.public_id, "station": "141028", "reason": "全坏了", "actor": "test"}

    in_transaction(refunding.refund_rest, **given)
    canteen.shop.work()

    refund = db.session.scalars(select(Refund)).one()
    assert refund.fen == 2 * APPLES + SHIPPING
    assert differences(canteen) == []


def test_what_would_go_beyond_the_limit_is_refused_and_changes_nothing(canteen: Canteen) -> None:
    canteen.order(apples=20)  # from ten on a box costs 36.80
    before, stock = canteen.row.outstanding_fen, stock_of(canteen.shop.millet)
    assert before == 20 * 3680

    with pytest.raises(ordering.BeyondLimit):
        canteen.order(millet=5)

    assert canteen.row.outstanding_fen == before and stock_of(canteen.shop.millet) == stock


def test_an_overdue_statement_stops_new_orders_on_account_alone(canteen: Canteen) -> None:
    number = canteen.order(apples=1)
    canteen.deliver(number)
    canteen.accept_all(number)
    statement = canteen.bill()
    with clock.at(clock.start_of(statement.due_on)):
        assert not in_transaction(billing.call_overdue)
    with clock.at(clock.start_of(statement.due_on) + timedelta(days=1)):
        with pytest.raises(ordering.OwesTooLong):
            canteen.order(millet=1)
        assert in_transaction(billing.call_overdue) and not in_transaction(billing.call_overdue)
        canteen.pay(statement.public_id)
        canteen.order(millet=1)
    assert canteen.statements()[0].state is StatementState.PAID and differences(canteen) == []


def test_missed_months_are_billed_late_and_once(canteen: Canteen) -> None:
    first = canteen.order(apples=1)
    canteen.deliver(first)
    canteen.accept_all(first)
    with clock.at(next_month() + timedelta(days=1)):
        second = canteen.order(apples=2)
        canteen.deliver(second)
        canteen.accept_all(second)
    with clock.at(next_month() + timedelta(days=70)):
        duties.one_after_the_other(billing.bill_due)

    told = [(each.total_fen, each.period) for each in canteen.statements()]
    assert [fen for fen, _period in told] == [APPLES + SHIPPING, 2 * APPLES + SHIPPING]
    assert told[0][1] < told[1][1] and differences(canteen) == []


def test_nobody_else_orders_checks_or_pays(canteen: Canteen) -> None:
    number = canteen.order(apples=1)
    canteen.deliver(number)
    (parcel,) = parcels(number)
    stranger = factories.make_person()
    with pytest.raises(NotFound):
        in_transaction(ordering.of_member, canteen.public_id, stranger.id)
    given: dict[str, Any] = {"institution": canteen.public_id, "parcel": parcel.public_id, "claims": {}, "words": ""}
    with pytest.raises(NotFound):
        in_transaction(checking.check, **given, person_id=stranger.id)
    canteen.accept_all(number)
    with pytest.raises(checking.CheckedAlready):
        canteen.check(parcel.public_id)
    statement = canteen.bill()
    whose = {"institution": canteen.public_id, "statement": statement.public_id}
    with pytest.raises(NotFound):
        in_transaction(paying_bills.start, **whose, person_id=stranger.id)
