"""What comes off an order on account: held until its statement is paid, credited with the goods, borne as it was frozen."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from sqlalchemy import func, select

from listings import stock
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment, refunding, remaining, undelivered
from marketplace.orders.institutions import billing, checking
from marketplace.orders.institutions.checking import Claim
from marketplace.orders.institutions.models import BillCredit
from marketplace.orders.institutions.states import StatementState
from marketplace.orders.models import Parcel
from marketplace.orders.promotions import choosing, ending
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.promotions.models import PromotionUse
from marketplace.orders.promotions.states import Kind, PromotionState, UseState
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.payments.models import Refund
from tests.examples import enough
from tests.factories import sign_in_as
from tests.institutions.conftest import WHERE, Canteen, build_canteen, differences, next_month, send
from tests.orders.conftest import balances, build_shop, get, parcels, quoted_total
from tests.orders.promotions.promoting import line_of, promotion, row_of
from tests.orders.promotions.test_money import balance, use_of

DESK: dict[str, Any] = {"station": None, "actor": "clerk"}


def claim(canteen: Canteen, number: str, claimed: Claim) -> None:
    """Of the first line, and the station agrees."""
    line = line_of(number)
    check = canteen.check(line.parcel.public_id, {line.public_id: claimed})
    in_transaction(checking.answer, check=check, **DESK, agrees=True, why="")


def test_what_comes_off_is_held_until_the_statement_is_paid(canteen: Canteen) -> None:
    made = promotion(platform_bps=3333)

    number = canteen.order("XINQIU", apples=2)

    order, line = get(number), line_of(number)
    assert (order.goods_fen, order.shipping_fen, order.discount_fen, order.total_fen) == (7960, 600, 1000, 7560)
    assert (line.seller_discount_fen, line.platform_discount_fen) == (667, 333)
    assert canteen.row.outstanding_fen == 7560 and balances(number) == {}
    assert (use_of(number).state, row_of(made).used_fen, row_of(made).spent_fen) == (UseState.RESERVED, 1000, 0)
    assert balance(ending.FUNDING) == -33_330 and differences(canteen) == []
    with clock.at(clock.now() + timedelta(days=8)):  # its last day is over before the month is
        assert in_transaction(ending.end_due)
    assert row_of(made).state is PromotionState.ENDED and balance(ending.FUNDING) == -333
    assert differences(canteen) == []

    canteen.deliver(number)
    canteen.accept_all(number)
    statement = canteen.bill()
    assert statement.total_fen == 7560
    canteen.pay(statement.public_id)

    assert balances(number) == {
        "buyer_clearing": 7560,
        "promotion_funding": 333,
        "seller_held": -(7960 - 636 - 667),
        "station_held": -(636 + 600),
    }
    assert (use_of(number).state, row_of(made).spent_fen, balance(ending.FUNDING)) == (UseState.SPENT, 1000, 0)
    assert balance(ending.GRANT) == 333 and differences(canteen) == []


def test_a_claim_takes_its_part_of_the_discount_with_it_and_the_province_keeps_what_it_would_have_borne(
    canteen: Canteen,
) -> None:
    promotion(platform_bps=3333)
    number = canteen.order("XINQIU", apples=2)
    canteen.deliver(number)

    claim(canteen, number, Claim(1, None, "damaged"))

    row = db.session.scalars(select(BillCredit)).one()
    off = (row.seller_discount_fen, row.platform_discount_fen, row.shipping_discount_fen)
    assert (row.goods_fen, row.service_fee_fen, row.shipping_fen, off) == (3980, 318, 300, (334, 166, 0))
    assert canteen.row.outstanding_fen == 7560 - 3780 and differences(canteen) == []
    statement = canteen.bill()
    assert statement.total_fen == 3780
    canteen.pay(statement.public_id)
    assert balances(number) == {
        "buyer_clearing": 3780,
        "promotion_funding": 333,
        "operating_grant": -166,
        "seller_held": -(3980 - 318 - 333),
        "station_held": -(318 + 300),
    }
    assert differences(canteen) == []

    parcel = line_of(number).parcel.public_id
    with clock.at(clock.now() + timedelta(minutes=1)):
        in_transaction(refunding.refund_rest, parcel=parcel, **DESK, reason="坏了")
    assert db.session.scalars(select(Refund.fen)).one() == 3780 and balance(ending.GRANT) == 33_330 - 333
    assert differences(canteen) == []


def test_lighter_goods_are_lighter_by_their_part_of_the_discount(canteen: Canteen) -> None:
    promotion(platform_bps=10_000)
    number = canteen.order("XINQIU", apples=2)
    promised = 2 * line_of(number).net_weight_grams
    canteen.deliver(number)

    claim(canteen, number, Claim(0, promised // 2, "lighter"))

    row = db.session.scalars(select(BillCredit)).one()
    off = (row.seller_discount_fen, row.platform_discount_fen, row.shipping_discount_fen)
    assert (row.quantity, row.goods_fen, row.shipping_fen, off) == (0, 3980, 0, (0, 500, 0))
    statement = canteen.bill()
    assert statement.total_fen == 7960 + 600 - 1000 - 3480
    canteen.pay(statement.public_id)
    assert differences(canteen) == []


def test_shipping_that_was_free_is_credited_for_nothing(canteen: Canteen) -> None:
    promotion(kind=Kind.FREE_SHIPPING, amount_fen=0)
    number = canteen.order("XINQIU", apples=2, millet=1)
    assert (get(number).discount_fen, get(number).total_fen) == (1200, 13760)
    (apples, millet) = (parcel.public_id for parcel in parcels(number))

    in_transaction(fulfilment.refuse, parcel=apples, **DESK, reason="没有了")

    credits = db.session.scalars(select(BillCredit)).all()
    assert [(row.goods_fen, row.shipping_fen, row.shipping_discount_fen) for row in credits] == [(7960, 600, 600)]
    assert canteen.row.outstanding_fen == 5800 and differences(canteen) == []
    send(millet)
    in_transaction(fulfilment.deliver, parcel=millet, station=None, actor="test")
    canteen.accept_all(number)
    canteen.pay(canteen.bill().public_id)
    assert balances(number) == {
        "buyer_clearing": 5800,
        "promotion_funding": 1200,
        "operating_grant": -600,
        "seller_held": -5336,
        "station_held": -(464 + 600),
    }
    assert differences(canteen) == []


@pytest.mark.parametrize("way", ["called off", "refused", "all credited", "lost"])
def test_what_is_never_paid_gives_back_what_it_held(canteen: Canteen, way: str) -> None:
    made = promotion(platform_bps=3333)
    number = canteen.order("XINQIU", apples=2)
    (parcel,) = (parcel.public_id for parcel in parcels(number))
    in_transaction(ending.stop, promotion=made, seller=None, person_id=row_of(made).made_by)
    assert balance(ending.FUNDING) == -333

    if way == "called off":
        assert in_transaction(undelivered.cancel_paid, number=number, actor="buyer") == 7560
    elif way == "refused":
        in_transaction(fulfilment.refuse, parcel=parcel, **DESK, reason="没有了")
    elif way == "lost":
        send(parcel)
        in_transaction(undelivered.lose, parcel=parcel, **DESK, reason="车翻了")
        assert balances(number) == {"station_payable": 6657, "seller_payable": -6657}  # less fee and their own discount
    else:
        canteen.deliver(number)
        claim(canteen, number, Claim(2, None, "missing"))
        assert in_transaction(billing.conclude_credited)

    assert get(number).state is OrderState.CANCELLED and canteen.row.outstanding_fen == 0
    assert (use_of(number).state, row_of(made).used_fen, row_of(made).uses) == (UseState.RETURNED, 0, 0)
    assert (balance(ending.FUNDING), balance(ending.GRANT)) == (0, 0) and differences(canteen) == []


def test_an_institution_is_one_user_of_a_code_whoever_of_it_orders_and_a_refused_order_holds_nothing(
    canteen: Canteen,
) -> None:
    made = promotion(uses_each=1)
    colleague = canteen.another()
    canteen.order("XINQIU", apples=1)
    for who in (canteen, colleague):
        with pytest.raises(choosing.UsedByInstitution):
            who.order("XINQIU", apples=1)
    before = (row_of(made).used_fen, canteen.row.outstanding_fen)
    assert before == (1000, 3980 + 600 - 1000)
    assert db.session.scalar(select(func.count()).select_from(PromotionUse)) == 1
    other = build_canteen(canteen.shop, number=1)
    other.order("XINQIU", apples=1)
    private = Buyer(canteen.payer.id, WHERE.phone)
    assert not choosing.is_used_by(db.session(), row_of(made).id, 1, private)
    for person, is_told in ((colleague.payer.id, True), (other.payer.id, False), (None, False)):
        asking = Buyer(person, WHERE.phone, canteen.public_id)
        assert choosing.is_used_by(db.session(), row_of(made).id, 1, asking) is is_told
    assert row_of(made).uses == 2 and differences(canteen) == []


def test_what_a_member_used_for_themselves_is_not_their_institutions(canteen: Canteen) -> None:
    made = promotion(uses_each=1)
    buyer = canteen.shop.browser()
    sign_in_as(buyer, canteen.payer)
    canteen.shop.fill(buyer, apples=1)
    shown = quoted_total(buyer, {"coupon": "XINQIU"})
    canteen.shop.order(buyer, coupon="XINQIU", shown_total=shown)
    assert row_of(made).uses == 1
    canteen.order("XINQIU", apples=1)
    assert row_of(made).uses == 2 and differences(canteen) == []


PACKS = st.fixed_dictionaries({"apples": st.integers(0, 11), "millet": st.integers(0, 3)}).filter(
    lambda cart: any(cart.values())
)
CARTS = st.lists(st.tuples(PACKS, st.sampled_from(("", "SHARED", "FREESHIP", "NINETY"))), min_size=1, max_size=3)
FATES = st.lists(
    st.tuples(st.sampled_from(("accept", "claim", "refuse", "lose", "refund")), st.integers(0, 99), st.integers(0, 99)),
    min_size=6,
    max_size=6,
)


NO_SHRINKING = (Phase.explicit, Phase.generate)  # what one life leaves behind is there for the next


class Month:
    """What one canteen orders, and what becomes of each parcel; whatever it is, they pay what they ordered less credits."""

    def __init__(self, canteen: Canteen) -> None:
        self.canteen = canteen

    def live(self, carts: list[tuple[dict[str, int], str]], fates: list[tuple[str, int, int]]) -> None:
        placed = [self.order(code, {name: packs for name, packs in cart.items() if packs}) for cart, code in carts]
        mine = [parcel for number in placed for parcel in parcels(number)]
        for parcel, (fate, one, other) in zip(mine, fates, strict=False):
            self.happen(parcel.public_id, fate, one, other)
        ordered = sum(get(number).total_fen for number in placed)
        owed = ordered - self.credited(placed)
        assert self.canteen.row.outstanding_fen == owed and differences(self.canteen) == []
        with clock.at(next_month()):
            while in_transaction(billing.bill_due) or in_transaction(billing.conclude_credited):
                pass
        statements = self.mine()
        assert sum(each.total_fen for each in statements) == owed
        for each in statements:
            self.canteen.pay(each.public_id)
        assert self.canteen.row.outstanding_fen == 0 and differences(self.canteen) == []
        states = {use.state for use in map(use_or_none, placed) if use}
        assert UseState.RESERVED not in states
        self.give_back(placed)

    def order(self, code: str, cart: dict[str, int]) -> str:
        """Without the code where that takes nothing off: the shipping is free already."""
        try:
            return self.canteen.order(code, **cart)
        except choosing.TakesNothingOff:
            return self.canteen.order(**cart)

    def happen(self, parcel: str, fate: str, one: int, other: int) -> None:
        if fate == "refuse":
            in_transaction(fulfilment.refuse, parcel=parcel, **DESK, reason="没有了")
            return
        send(parcel)
        if fate == "lose":
            in_transaction(undelivered.lose, parcel=parcel, **DESK, reason="车翻了")
            return
        in_transaction(fulfilment.deliver, parcel=parcel, station=None, actor="test")
        row = db.session.scalars(select(Parcel).where(Parcel.public_id == parcel)).one()
        line = remaining.of(db.session(), row)[0]
        units = one % (line.units + 1)
        if fate == "refund":
            given: dict[str, Any] = {"units": {line.public_id: units}, "with_shipping": other % 2 == 0, "reason": "坏了"}
            if units:
                in_transaction(refunding.refund_units, parcel=parcel, **DESK, **given)
        self.answer(parcel, line.public_id, Claim(units, other * 50, "damaged") if fate == "claim" else None)

    def answer(self, parcel: str, line: str, claimed: Claim | None) -> None:
        try:
            check = self.canteen.check(parcel, {line: claimed} if claimed else None)
        except checking.WrongWeight:
            check = self.canteen.check(parcel, {line: Claim(max(1, claimed.rejected), None, "wrong")} if claimed else None)
        if claimed:
            in_transaction(checking.answer, check=check, **DESK, agrees=True, why="")

    def credited(self, placed: list[str]) -> int:
        db.session.rollback()
        lines = [line.id for number in placed for parcel in parcels(number) for line in parcel.lines]
        wanted = select(func.coalesce(func.sum(BillCredit.fen()), 0)).where(BillCredit.order_line_id.in_(lines))
        return int(db.session.scalar(wanted) or 0)

    def mine(self) -> list[Any]:
        return [each for each in self.canteen.statements() if each.institution_id == self.canteen.row.id]

    def give_back(self, placed: list[str]) -> None:
        """All that was paid, and not a fen more."""
        paid = sum(each.due_fen for each in self.mine() if each.state is StatementState.PAID)
        before = int(db.session.scalar(select(func.coalesce(func.sum(Refund.fen), 0))) or 0)
        for number in placed:
            for parcel in parcels(number):
                if get(number).paid_at and parcel.state in {S.DELIVERED, S.SETTLED} and remaining.rest(db.session(), parcel):
                    in_transaction(refunding.refund_rest, parcel=parcel.public_id, **DESK, reason="坏了")
        after = int(db.session.scalar(select(func.coalesce(func.sum(Refund.fen), 0))) or 0)
        assert after - before == paid and differences(self.canteen) == []


def use_or_none(number: str) -> PromotionUse | None:
    db.session.rollback()
    return db.session.scalars(select(PromotionUse).where(PromotionUse.order_number == number)).first()


def test_whatever_is_ordered_and_claimed_it_is_paid_less_credits_and_goes_back_to_the_fen(
    app: Flask, pytestconfig: pytest.Config
) -> None:
    shop = build_shop(app)
    for variant in (shop.apples, shop.millet):
        in_transaction(stock.count, variant, difference=9000, reference="test")
    everybody: dict[str, Any] = {"uses_each": None, "budget_fen": 1_000_000}
    percent: dict[str, Any] = {"kind": Kind.PERCENT, "amount_fen": 0}
    seller = line_of(build_canteen(shop, number=999).order(apples=1)).seller_public_id
    promotion(code="", seller=seller, percent=33, **percent, **everybody)
    promotion(code="SHARED", platform_bps=3333, amount_fen=777, **everybody)
    promotion(code="NINETY", platform_bps=1, percent=90, **percent, **everybody)
    promotion(code="FREESHIP", kind=Kind.FREE_SHIPPING, amount_fen=0, **everybody)
    numbers, examples = count(1), 3 if pytestconfig.getoption("--tier") == "quick" else enough(6, pytestconfig)

    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING
    )
    @given(carts=CARTS, fates=FATES)
    def lives(carts: list[tuple[dict[str, int], str]], fates: list[tuple[str, int, int]]) -> None:
        Month(build_canteen(shop, limit_fen=100_000_000, number=next(numbers) % 999)).live(carts, fates)

    lives()
    shop.cashier.storage.dispose()
