"""Whatever orders, parcels, payments and refunds live through, in whatever order: no fen and no pack appears or is lost.

Each step is a command that anybody may give at any moment; a refusal is an answer. At the end the audit finds nothing."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from listings import offers, stock
from listings.models import Listing, Variant
from listings.states import ListingState
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.ledger import books
from marketplace.orders import (
    carts,
    fulfilment,
    paying,
    placing,
    refunding,
    settlement,
    shipping,
    undelivered,
)
from marketplace.orders.carts import CartOwner
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.placing import Recipient
from marketplace.orders.quoting import quote
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.payments import attempts, sweeping
from marketplace.payments.models import Refund
from marketplace.payments.sandbox.storage import payment, refund
from marketplace.payments.states import RefundState
from tests.examples import enough
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, differences
from tests.orders.refunding import bounce, refund_again

WHO = Recipient("郭晓芸", "13835172045", "140000", "太原 小店区", "平阳路 128 号")
STEPS: dict[str, Callable[..., None]] = {
    "accept": fulfilment.accept,
    "collect": fulfilment.collect,
    "pack": fulfilment.pack,
    "ship": fulfilment.ship,
    "shelve": fulfilment.make_ready,
    "deliver": fulfilment.deliver,
    "hand over": fulfilment.hand_over,
    "no show": fulfilment.leave_uncollected,
    "shelve again": fulfilment.shelve_again,
    "refuse": fulfilment.refuse,
    "return": undelivered.return_to_seller,
    "lose": undelivered.lose,
}
ENTERED = {
    "pack": {"shelf": "A"},
    "ship": {"carrier": "邮政", "tracking_number": "123456"},
    "refuse": {"reason": "霜"},
    "lose": {"reason": "车翻了"},
}
WENT_BACK = (S.REFUSED, S.CANCELLED)  # to the shelf; what nobody fetched went to its grower
which = st.integers(min_value=0, max_value=5)


def order(session: Session, *, owner: CartOwner, goods: dict[str, int], pickup: set[str]) -> str:
    for variant, quantity in goods.items():
        carts.put(session, owner=owner, variant=variant, quantity=quantity)
    session.flush()
    contents, found = carts.contents(session, owner), offers.find(session, list(goods))
    shown = quote(contents, found, tariff=shipping.tariff(session, WHO.province, clock.today()), pickup=pickup)
    given: dict[str, Any] = {"recipient": WHO, "pickup": pickup, "shown_total_fen": shown.total_fen, "language": "zh_CN"}
    return placing.place(session, owner=owner, **given)


class Lives(RuleBasedStateMachine):
    shop: ClassVar[Shop]
    orders_ever: ClassVar[int] = 0
    counted: ClassVar[dict[str, int]]

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[str] = []
        self.publish(ListingState.PUBLISHED)

    def publish(self, state: ListingState) -> None:
        its = select(Variant.listing_id).where(Variant.code == self.shop.millet).scalar_subquery()
        in_transaction(Session.execute, update(Listing).where(Listing.id == its).values(state=state))

    def number(self, chosen: int) -> str:
        return self.numbers[chosen % len(self.numbers)] if self.numbers else "SX-22222222"

    @initialize()
    def two_are_paid(self) -> None:
        """One by courier, one to be fetched: what happens to parcels is most of what can happen."""
        for pickup in (False, True):
            self.place(2, 1, pickup)
            self.decide(len(self.numbers) - 1, "succeeded")
        self.work()

    @rule(apples=st.integers(0, 30), millet=st.integers(0, 30), pickup=st.booleans())
    def place(self, apples: int, millet: int, pickup: bool) -> None:
        goods = {code: n for code, n in ((self.shop.apples, apples), (self.shop.millet, millet)) if n}
        type(self).orders_ever += 1
        owner = CartOwner(None, f"cart-{self.orders_ever}")
        with suppress(Refusal):
            stations = {JIXIAN, QINXIAN} if pickup else set()
            self.numbers.append(in_transaction(order, owner=owner, goods=goods, pickup=stations))

    @rule(chosen=which, outcome=st.sampled_from(("succeeded", "succeeded", "succeeded", "failed")))
    def decide(self, chosen: int, outcome: str) -> None:
        """At the cashier's page of the latest try, which may have stood open for long."""
        number = self.number(chosen)
        with suppress(Refusal):
            attempt = in_transaction(paying.open_attempt, number=number) or in_transaction(paying.pay_again, number=number)
            attempts.submit(attempt, return_url=f"/orders/{number}", description=number)
            remote = self.shop.cashier.find_payment(attempt)
            assert remote
            self.shop.cashier.decide(remote.remote_id, outcome)

    @rule()
    def work(self) -> None:
        self.shop.work()

    @rule(chosen=which)
    def expire(self, chosen: int) -> None:
        with suppress(Refusal), time_machine.travel(clock.now() + placing.TIME_TO_PAY, tick=False):
            paying.expire(number=self.number(chosen))

    @rule(chosen=which)
    def give_up_without_asking(self, chosen: int) -> None:
        """As when the gateway said that nobody could pay any more, and somebody could: the money comes late."""
        with suppress(Refusal):
            number = self.number(chosen)
            in_transaction(paying.give_up, number=number, to=OrderState.EXPIRED, actor="system", why="late")

    @rule(chosen=which)
    def cancel(self, chosen: int) -> None:
        with suppress(Refusal):
            paying.cancel(self.number(chosen), actor="guest")

    @rule(chosen=which)
    def withdraw(self, chosen: int) -> None:
        with suppress(Refusal):
            in_transaction(undelivered.cancel_paid, number=self.number(chosen), actor="guest")

    @rule(chosen=which, position=st.integers(0, 1))
    def withdraw_part(self, chosen: int, position: int) -> None:
        number = self.number(chosen)
        parcel = self.parcel(number, position)
        if parcel:
            with suppress(Refusal):
                in_transaction(undelivered.cancel_part, number=number, parcel=parcel.public_id, actor="guest")

    @rule(chosen=which, position=st.integers(0, 1), names=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4))
    def take_steps(self, chosen: int, position: int, names: list[str]) -> None:
        for name in names:
            self.take(self.number(chosen), position, name)

    @rule(chosen=which, position=st.integers(0, 1))
    def send(self, chosen: int, position: int) -> None:
        """The usual way, as far as it is open: seldom found by chance alone."""
        for name in ("accept", "collect", "pack", "ship", "shelve"):
            self.take(self.number(chosen), position, name)

    def take(self, number: str, position: int, name: str) -> None:
        parcel = self.parcel(number, position)
        if parcel:
            entered = {"code": parcel.pickup_code or ""} if name == "hand over" else ENTERED.get(name, {})
            given = {"parcel": parcel.public_id, "station": parcel.station_code, "actor": "clerk", **entered}
            with suppress(Refusal):
                in_transaction(STEPS[name], **given)

    def parcel(self, number: str, position: int) -> Parcel | None:
        db.session.rollback()
        wanted = select(Parcel).join(Order, Order.id == Parcel.order_id).where(Order.number == number)
        return db.session.scalars(wanted.order_by(Parcel.number).offset(position).limit(1)).first()

    @rule(chosen=which, position=st.integers(0, 1))
    def confirm(self, chosen: int, position: int) -> None:
        parcel = self.parcel(self.number(chosen), position)
        if parcel:
            given = {"number": self.number(chosen), "parcel": parcel.public_id, "actor": "guest"}
            with suppress(Refusal):
                in_transaction(settlement.confirm, **given)

    @rule(
        chosen=which, position=st.integers(0, 1), units=st.lists(st.integers(0, 3), min_size=2), with_shipping=st.booleans()
    )
    def refund(self, chosen: int, position: int, units: list[int], with_shipping: bool) -> None:
        parcel = self.parcel(self.number(chosen), position)
        if parcel:
            asked = dict(zip((line.public_id for line in parcel.lines), units, strict=False))
            given: dict[str, Any] = {"units": asked, "with_shipping": with_shipping, "reason": "坏了", "actor": "clerk"}
            with suppress(Refusal):
                in_transaction(refunding.refund_units, parcel=parcel.public_id, station=parcel.station_code, **given)

    @rule(chosen=st.integers(0, 20))
    def hand_back(self, chosen: int) -> None:
        """A wallet does not take what the gateway has sent it."""
        db.session.rollback()
        sent = select(Refund.public_id).where(Refund.state.in_((RefundState.PENDING, RefundState.SUCCEEDED)))
        known = db.session.scalars(sent.where(Refund.reason_key != "surplus").order_by(Refund.id)).all()
        if known:
            bounce(self.shop, known[chosen % len(known)])

    @rule()
    def let_a_week_pass(self) -> None:
        with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
            while settlement.settle_one_due():
                pass

    @rule(difference=st.integers(-20, 60))
    def count(self, difference: int) -> None:
        with suppress(Refusal):
            in_transaction(stock.count, self.shop.millet, difference=difference, reference="count")
            self.counted[self.shop.millet] += difference

    @rule(state=st.sampled_from((ListingState.PUBLISHED, ListingState.SUSPENDED)))
    def moderate(self, state: ListingState) -> None:
        self.publish(state)

    def teardown(self) -> None:
        refund_again()
        for minutes in (5, 10, 15):
            with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
                self.shop.work()
                while sweeping.ask_after_attempt() or self.shop.cashier.finish_refunds():
                    self.shop.work()
        db.session.rollback()
        assert books.balance(db.session(), "gateway_clearing", "sandbox", book="test") == at_the_cashier(self.shop)
        for code, had in self.counted.items():
            assert shelf(code) + gone(code) == had, code
        assert differences(self.shop) == []


def at_the_cashier(shop: Shop) -> int:
    """Fen that the cashier holds by its own records."""
    with shop.cashier.storage.connect() as connection:
        came = select(func.coalesce(func.sum(payment.c.amount), 0)).where(payment.c.status == "succeeded")
        went = select(func.coalesce(func.sum(refund.c.amount), 0)).where(refund.c.status == "succeeded")
        return int(connection.scalar(came) or 0) - int(connection.scalar(went) or 0)


def shelf(code: str) -> int:
    return db.session.scalars(select(Variant.on_hand).where(Variant.code == code)).one()


def gone(code: str) -> int:
    """Packs that were paid and did not come back to the shelf."""
    sold = select(func.coalesce(func.sum(OrderLine.quantity), 0)).join(Parcel).join(Order)
    out = sold.where(OrderLine.variant_code == code, Order.paid_at.is_not(None), Parcel.state.not_in(WENT_BACK))
    return int(db.session.scalar(out) or 0)


@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        (4, 30),
        pytest.param(40, 40, marks=pytest.mark.full),
        pytest.param(600, 60, marks=pytest.mark.nightly),
    ],
)
def test_no_fen_and_no_pack_appears_or_is_lost(shop: Shop, examples: int, steps: int, pytestconfig: pytest.Config) -> None:
    Lives.shop, Lives.counted = shop, {shop.apples: 100, shop.millet: 100}
    how: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
    how["max_examples"] = enough(examples, pytestconfig)
    run_state_machine_as_test(Lives, settings=settings(stateful_step_count=steps, **how))
