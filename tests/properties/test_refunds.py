"""Whatever is refunded in whatever order, settled in the middle, or handed back by a wallet: every fen is somebody's.

Of a cart of several growers' goods, with tiers and shipping; after each step the books say what the lines say."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import offers
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.money import Money, apportion
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders import carts, paying, placing, refunding, settlement, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.placing import Recipient
from marketplace.orders.quoting import quote
from marketplace.orders.remaining import LineLeft, Part
from marketplace.orders.states import ParcelState
from marketplace.payments import outcomes
from marketplace.payments.gateways import RemotePayment, RemoteRefund
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState
from tests import factories
from tests.orders.conftest import Shop

WHO = Recipient("郭晓芸", "13835172045", "140000", "太原 小店区", "平阳路 128 号")
IN_TRANSIT = "refund_in_transit"
Balances = dict[tuple[str, str], int]

units = st.integers(0, 6)
steps = st.one_of(
    st.tuples(st.just("refund"), st.tuples(units, units, units), st.booleans()),
    st.tuples(st.just("bounce"), st.integers(0, 5), st.none()),
    st.tuples(st.just("settle"), st.none(), st.none()),
)


def line(quantity: int, shipping_fen: int) -> LineLeft:
    words: dict[str, Any] = dict.fromkeys(("title_zh", "title_en", "unit_zh", "unit_en", "public_id", "seller"), "")
    figures: dict[str, Any] = {
        "unit_price_fen": 100,
        "unit_service_fee_fen": 8,
        "shipping_back_fen": 0,
        "units_with_shipping_back": 0,
    }
    return LineLeft(id=1, parcel_id=1, quantity=quantity, refunded_quantity=0, shipping_fen=shipping_fen, **words, **figures)


@given(
    st.integers(1, 30),
    st.integers(0, 2000),
    st.lists(st.tuples(st.integers(1, 30), st.booleans(), st.booleans()), max_size=12),
)
def test_a_line_never_gives_back_more_shipping_than_it_has_and_ends_exactly_there(
    quantity: int, shipping_fen: int, asked: list[tuple[int, bool, bool]]
) -> None:
    """Each step refunds so many units, with their shipping or not; or a refund before it comes back."""
    live: list[tuple[int, int, bool]] = []

    def left() -> LineLeft:
        return replace(
            line(quantity, shipping_fen),
            refunded_quantity=sum(number for number, _fen, _with in live),
            shipping_back_fen=sum(fen for _number, fen, _with in live),
            units_with_shipping_back=sum(number for number, _fen, with_it in live if with_it),
        )

    for number, with_shipping, comes_back in asked:
        if comes_back and live:
            live.pop(number % len(live))
        elif number <= left().units:
            live.append((number, left().part(number, with_shipping=with_shipping).shipping_fen, with_shipping))
        assert 0 <= left().shipping_back_fen <= shipping_fen
    is_whole = all(with_shipping for _number, _fen, with_shipping in live)
    last = left().part(left().units, with_shipping=True) if is_whole else left().rest
    assert last.shipping_fen + left().shipping_back_fen == shipping_fen


@given(
    st.integers(1, 12),
    st.integers(20, 5000),
    st.integers(0, 30),
    st.lists(st.tuples(st.integers(0, 5000), st.booleans(), st.booleans()), max_size=12),
)
def test_parts_of_a_price_and_units_never_give_back_more_than_a_line_cost_and_end_exactly_there(
    quantity: int, price_fen: int, percent: int, asked: list[tuple[int, bool, bool]]
) -> None:
    """Each step takes so much off the price, or gives so many units back; or a refund before it comes back."""
    live: list[Part] = []
    missed: list[int] = []
    fee_fen = price_fen * percent // 100
    total, fee = price_fen * quantity, fee_fen * quantity

    def left() -> LineLeft:
        return replace(
            line(quantity, 0),
            unit_price_fen=price_fen,
            unit_service_fee_fen=fee_fen,
            refunded_quantity=sum(part.units for part in live),
            goods_back_fen=sum(part.goods_fen for part in live),
            fee_back_fen=sum(part.service_fee_fen for part in live),
        )

    for number, is_price, comes_back in asked:
        if comes_back and live:
            gone = live.pop(number % len(live))
            missed += [gone.goods_fen] * (gone.units == 0)
        elif is_price:
            live.append(left().of_price(number, number * percent // 100))
        elif (units := number % (quantity + 1)) <= left().units:
            live.append(left().part(units, with_shipping=False))
        assert 0 <= left().goods_fen <= total and 0 <= left().service_fee_fen <= fee
        assert all(0 <= part.service_fee_fen <= part.goods_fen for part in live)
        if left().units == 0:  # what is left of the price is what came back of it after the units had gone for less
            assert left().goods_fen <= sum(missed)
    assert (left().rest.goods_fen, left().rest.service_fee_fen) == (left().goods_fen, left().service_fee_fen)


@pytest.mark.parametrize("examples", [6, pytest.param(60, marks=pytest.mark.full)])
def test_every_fen_is_somebodys_at_every_step(shop: Shop, examples: int) -> None:
    offered: list[dict[str, Any]] = [
        {"price_fen": 3980, "net_weight_grams": 2500},
        {"price_fen": 1111, "net_weight_grams": 777, "tiers": ((3, 1007),)},
        {"price_fen": 333, "net_weight_grams": 50},
    ]
    Trade.variants = tuple(
        factories.make_variant(factories.make_listing(), stock_on_hand=10_000, **each).code for each in offered
    )

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.tuples(*[st.integers(0, 3)] * 2, st.integers(1, 6)), st.lists(steps, max_size=8))
    def live(quantities: tuple[int, ...], what: list[tuple[str, Any, Any]]) -> None:
        trade = Trade(quantities)
        for name, chosen, with_shipping in what:
            trade.take(name, chosen, with_shipping)
            trade.check()
        trade.finish()

    live()


class Trade:
    """One paid order, delivered; what is done to it, and what the books must say then."""

    variants: ClassVar[tuple[str, ...]]
    placed: ClassVar[int] = 0

    def __init__(self, quantities: tuple[int, ...]) -> None:
        type(self).placed += 1
        self.goods = {code: number for code, number in zip(self.variants, quantities, strict=True) if number}
        self.number = in_transaction(place, owner=CartOwner(None, f"refund-cart-{self.placed}"), goods=self.goods)
        pay(self.number)
        order = db.session.scalars(select(Order).where(Order.number == self.number)).one()
        (parcel,) = order.parcels
        self.parcel, self.total, self.station = parcel.public_id, order.total_fen, parcel.station_code
        lines = db.session.scalars(select(OrderLine).where(OrderLine.parcel_id == parcel.id).order_by(OrderLine.id)).all()
        self.lines = [each.public_id for each in lines]
        self.sellers = {each.seller_public_id for each in lines}
        weights = [each.net_weight_grams * each.quantity for each in lines]
        assert [each.shipping_fen for each in lines] == apportion(order.shipping_fen, weights)
        in_transaction(as_if_delivered, parcel=self.parcel)

    def take(self, name: str, chosen: Any, with_shipping: bool | None) -> None:
        if name == "refund":
            asked = {line: number for line, number in zip(self.lines, chosen, strict=False) if number}
            self.attempt(refunding.refund_units, units=asked, with_shipping=with_shipping, reason="坏了")
        elif name == "bounce" and (known := self.refunds(RefundState.FAILED)):
            answer(known[chosen % len(known)], RefundState.FAILED)
        elif name == "settle":
            self.settle()

    def attempt(self, command: Any, **given: Any) -> None:
        before = self.mine()
        try:
            in_transaction(command, parcel=self.parcel, station=self.station, actor="clerk", **given)
        except Refusal:
            assert self.mine() == before  # a refusal changes nothing

    def settle(self) -> None:
        try:
            in_transaction(settlement.confirm, number=self.number, parcel=self.parcel, actor="buyer")
        except Refusal:
            return

    def refunds(self, without: RefundState) -> list[str]:
        db.session.rollback()
        mine = select(Refund.public_id).join(Attempt, Attempt.id == Refund.attempt_id)
        mine = mine.where(Attempt.reference == self.number, Refund.state != without)
        return list(db.session.scalars(mine.order_by(Refund.id)))

    def mine(self) -> Balances:
        return balances(self.number)

    def check(self) -> None:
        """What is there is owed to those of this order and to nobody else; what goes back is what the lines say."""
        now = self.mine()
        assert sum(now.values()) == 0
        owners = {("seller", seller) for seller in self.sellers} | {("station", self.station)}
        others = {(kind.partition("_")[0], owner) for kind, owner in now if kind.startswith(("seller", "station"))} - owners
        assert others == set()
        kept = sum(-fen for (kind, _owner), fen in now.items() if kind.startswith(("seller", "station")))
        live = select(Refund.fen).join(Attempt, Attempt.id == Refund.attempt_id)
        gone = sum(db.session.scalars(live.where(Attempt.reference == self.number, Refund.state != RefundState.FAILED)))
        assert kept + gone == self.total and 0 <= gone <= self.total
        assert -now.get((IN_TRANSIT, ""), 0) == gone  # nothing has arrived yet
        assert all(fen <= 0 for (kind, _owner), fen in now.items() if kind.endswith(("held", "payable")))

    def finish(self) -> None:
        """By whichever way: everything that was paid goes back."""
        self.attempt(refunding.refund_rest, reason="全退")
        self.check()
        assert self.mine() == {("gateway_clearing", "sandbox"): self.total, (IN_TRANSIT, ""): -self.total}
        for refund in self.refunds(RefundState.FAILED):
            answer(refund, RefundState.SUCCEEDED)
        assert self.mine() == {}


def place(session: Session, *, owner: CartOwner, goods: dict[str, int]) -> str:
    for variant, quantity in goods.items():
        carts.put(session, owner=owner, variant=variant, quantity=quantity)
    session.flush()
    contents, found = carts.contents(session, owner), offers.find(session, list(goods))
    shown = quote(contents, found, tariff=shipping.tariff(session, WHO.province, clock.today()))
    given: dict[str, Any] = {"recipient": WHO, "pickup": (), "shown_total_fen": shown.total_fen, "language": "zh_CN"}
    return placing.place(session, owner=owner, **given)


def pay(number: str) -> None:
    """As if the cashier had said so: its own records are no part of this."""
    attempt = in_transaction(paying.open_attempt, number=number)
    row = db.session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one()
    in_transaction(as_if_asked, attempt=row.public_id)
    remote = RemotePayment(f"pay-{number}", row.public_id, row.amount, AttemptState.SUCCEEDED, "succeeded", "test")
    in_transaction(outcomes.apply_payment, remote=remote, gateway="sandbox", why="test")


def as_if_asked(session: Session, *, attempt: str) -> None:
    session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one().state = AttemptState.SUBMITTING


def as_if_delivered(session: Session, *, parcel: str) -> None:
    row = session.scalars(select(Parcel).where(Parcel.public_id == parcel)).one()
    row.state, row.delivered_at = ParcelState.DELIVERED, clock.now()


def answer(refund: str, state: RefundState) -> None:
    """What the gateway says of a refund that it was asked for."""
    row = db.session.scalars(select(Refund).where(Refund.public_id == refund)).one()
    in_transaction(as_if_sent, refund=refund)
    remote = RemoteRefund(f"re-{refund}", refund, Money(row.fen), state, state.value, "test")
    in_transaction(outcomes.apply_refund, remote=remote, why="test")


def as_if_sent(session: Session, *, refund: str) -> None:
    row = session.scalars(select(Refund).where(Refund.public_id == refund)).one()
    if row.state is RefundState.REQUESTED:
        row.state = RefundState.PENDING


def balances(number: str) -> Balances:
    """(kind, owner) -> fen of one order, debit positive; accounts at zero are left out."""
    db.session.rollback()
    rows = select(LedgerAccount.kind, LedgerAccount.owner, Line.amount).join(Line, Line.account_id == LedgerAccount.id)
    totals: Balances = {}
    for kind, owner, fen in db.session.execute(rows.join(Entry, Entry.id == Line.entry_id).where(Entry.reference == number)):
        totals[kind, owner] = totals.get((kind, owner), 0) + fen
    return {account: fen for account, fen in totals.items() if fen}
