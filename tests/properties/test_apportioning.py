"""Goods of a few fen, lighter than promised, discounted, divided, given back: nobody's share is ever below zero."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings, strategies as st
from sqlalchemy import update

from listings.models import Variant
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders import refunding
from marketplace.orders.apportioning import Price
from marketplace.orders.models import Parcel
from marketplace.orders.promotions import ending
from marketplace.orders.promotions.states import Kind
from marketplace.orders.receiving.models import Rest
from marketplace.orders.receiving.planning import without
from marketplace.orders.receiving.sharing import lighter_by
from marketplace.orders.remaining import LineLeft, Part
from tests import factories
from tests.examples import enough
from tests.orders.conftest import Shop, differences, get, latest, shop
from tests.orders.promotions.promoting import promotion
from tests.orders.refunding import Box, ask
from tests.receiving.conftest import accepted, bring

__all__ = ["shop"]

WORDS: dict[str, Any] = dict.fromkeys(("public_id", "seller", "title_zh", "title_en", "unit_zh", "unit_en"), "x")
STEP = st.tuples(st.sampled_from(("lighter", "price", "units")), st.integers(1, 9), st.integers(0, 99))
STEPS = st.lists(STEP, max_size=8)


@st.composite
def discounted(draw: st.DrawFn) -> LineLeft:
    """A line as `promotions.reducing` leaves it: something is left of every unit, also for its grower."""
    quantity, price = draw(st.integers(1, 9)), draw(st.integers(2, 60))
    fee = draw(st.integers(0, price // 2))
    sellers = draw(st.integers(0, (price - fee) * 9 // 10 * quantity))
    platform = draw(st.integers(0, max(0, price * 9 // 10 * quantity - sellers)))
    figures: dict[str, Any] = {"shipping_back_fen": 0, "units_with_shipping_back": 0, "shipping_fen": 0}
    off: dict[str, Any] = {"seller_discount_fen": sellers, "platform_discount_fen": platform}
    bought: dict[str, Any] = {"unit_price_fen": price, "unit_service_fee_fen": fee, "quantity": quantity}
    return LineLeft(id=1, parcel_id=1, refunded_quantity=0, **WORDS, **bought, **figures, **off)


def shares(price: Price) -> tuple[int, ...]:
    off = (price.seller_discount_fen, price.platform_discount_fen)
    return (price.goods_fen, price.service_fee_fen, price.sellers_fen, price.buyers_fen, *off)


def price_of(part: Part) -> Price:
    return Price(part.goods_fen, part.service_fee_fen, part.seller_discount_fen, part.platform_discount_fen)


def total(prices: Iterable[Price]) -> list[int]:
    return [sum(figures) for figures in zip(*(shares(price) for price in prices), strict=True)]


def took(line: LineLeft, kind: str, units: int, percent: int) -> Part:
    """What an arrival that weighed so much per cent, something cheaper, or a refund takes off."""
    if kind == "units":
        return line.part(min(units, line.units), with_shipping=False)
    if kind == "lighter":
        price = line.unit_price_fen * units, line.unit_service_fee_fen * units
        return line.of_price(*(lighter_by(fen, promised_grams=100, grams=percent) for fen in price))
    cheaper = line.unit_price_fen * percent // 100
    less = lighter_by(line.unit_service_fee_fen, promised_grams=line.unit_price_fen, grams=cheaper)
    return line.of_price((line.unit_price_fen - cheaper) * units, less * units)


@given(discounted(), STEPS)
def test_of_whatever_is_taken_off_a_line_and_of_what_stays_nobodys_share_is_below_zero(
    line: LineLeft, steps: list[tuple[str, int, int]]
) -> None:
    bought, gone = line.price, []
    for step in steps:
        part = took(line, *step)
        gone.append(price_of(part))
        line = without(line, part)
        assert min(*shares(gone[-1]), *shares(line.price)) >= 0
        assert line.price.buyers_fen >= line.units and part.fen >= part.units
    assert total((*gone, price_of(line.rest))) == list(shares(bought))


@given(discounted(), st.integers(1, 8), st.integers(0, 99))
def test_nor_of_two_lines_of_which_one_is_sent_something_else_instead(line: LineLeft, packs: int, percent: int) -> None:
    """The packs that came weighed less, the others become a line of their own (`receiving.dividing`)."""
    if packs < line.quantity:
        line = without(line, took(line, "lighter", line.quantity - packs, percent))
        wanted = [fen * packs // line.quantity for fen in (line.seller_discount_fen, line.platform_discount_fen)]
        left = line.price
        theirs = left.with_discounts(line.unit_price_fen * packs, line.unit_service_fee_fen * packs, *wanted)
        rest = [all_of_it - part for all_of_it, part in zip(shares(left), shares(theirs), strict=True)]
        assert min(*shares(theirs), *rest) >= 0


@pytest.mark.parametrize("examples", [4, pytest.param(60, marks=pytest.mark.full)])
def test_and_the_audit_agrees(shop: Shop, examples: int, pytestconfig: pytest.Config) -> None:
    """Through the doors: a cart, a promotion, an arrival with its weight, a refund of one unit and then of what is left."""
    shop.apples = factories.make_variant(factories.make_listing(), stock_on_hand=1000, net_weight_grams=100).code
    figures = (st.integers(2, 60), st.integers(1, 6), st.integers(1, 90), st.integers(0, 10_000))

    no_shrinking = (Phase.explicit, Phase.generate)  # each example is a life of its own in the one house

    @settings(
        max_examples=enough(examples, pytestconfig),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=no_shrinking,
    )
    @given(*figures, st.integers(1, 6), st.integers(1, 99), st.booleans())
    @example(10, 2, 90, 10_000, 2, 51, True)
    @example(3, 2, 60, 0, 2, 40, True)
    @example(51, 2, 41, 29, 2, 1, True)
    def lived(price: int, packs: int, percent: int, bps: int, came: int, weighs: int, is_given_back: bool) -> None:
        live(shop, (price, packs, percent, bps), min(came, packs), weighs)
        if is_given_back:
            give_back(get(latest().number).parcels[0])

    lived()
    assert differences(shop) == []


def live(shop: Shop, sale: tuple[int, int, int, int], came: int, weighs: int) -> None:
    price, packs, percent, bps = sale
    goods = update(Variant).where(Variant.code == shop.apples)
    db.session.execute(goods.values(price_fen=price))
    db.session.commit()
    running = promotion(code="", kind=Kind.PERCENT, amount_fen=0, percent=percent, platform_bps=bps, uses_each=None)
    accepted(shop, apples=packs)
    bring(shop, came=came, grams=weighs * came, rest=Rest.REFUND)
    in_transaction(ending.stop, promotion=running, seller=None, person_id=factories.make_person("operator").id)


def give_back(parcel: Parcel) -> None:
    with suppress(Refusal):
        ask(Box(latest().number, parcel.public_id), 1, with_shipping=False)
    with suppress(Refusal):
        in_transaction(refunding.refund_rest, parcel=parcel.public_id, station=None, reason="again", actor="clerk")
