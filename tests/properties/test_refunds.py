"""Whatever is refunded in whatever order, settled in the middle, or handed back by a wallet: every fen is somebody's.

Of a cart of several growers' goods from two counties, with tiers and shipping; after each step the books and the lines
say the same."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, seed, settings, strategies as st

from marketplace.orders.remaining import LineLeft, Part
from tests import factories
from tests.databases import PostgresServer, SQLiteFiles
from tests.examples import enough
from tests.orders.conftest import QINXIAN, Shop
from tests.properties.trading import Trade

BY_NIGHT: Final = 100_000
TOGETHER: Final = 500  # examples of one test: a house that holds more orders becomes slow
ON_POSTGRESQL: Final = 50  # of each TOGETHER: slower, and the same code

units = st.integers(0, 6)
steps = st.one_of(
    st.tuples(st.just("refund"), st.tuples(st.integers(0, 1), st.tuples(units, units)), st.booleans()),
    st.tuples(st.just("bounce"), st.integers(0, 5), st.none()),
    st.tuples(st.just("settle"), st.integers(0, 1), st.none()),
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
def test_every_fen_is_somebodys_at_every_step(shop: Shop, examples: int, pytestconfig: pytest.Config) -> None:
    stocked()
    trades(enough(examples, pytestconfig))()


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(BY_NIGHT // TOGETHER))
def test_nor_is_one_lost_in_a_hundred_thousand_orders(
    shop: Shop, databases: SQLiteFiles | PostgresServer, number: int
) -> None:
    """In parts with seeds of their own, each in a new house: what was interrupted goes on with the part it was at."""
    stocked()
    seed(number)(trades(ON_POSTGRESQL if isinstance(databases, PostgresServer) else TOGETHER))()


def stocked() -> None:
    """Two growers of one county, with price levels, and one of another: two parcels."""
    near: list[dict[str, Any]] = [
        {"price_fen": 3980, "net_weight_grams": 2500},
        {"price_fen": 1111, "net_weight_grams": 777, "tiers": ((3, 1007),)},
    ]
    far: dict[str, Any] = {"price_fen": 333, "net_weight_grams": 50, "tiers": ((2, 331), (5, 299))}
    made = [factories.make_variant(factories.make_listing(), stock_on_hand=10_000, **each) for each in near]
    grain = factories.make_listing(station_code=QINXIAN, category_code="grain-millet")
    made.append(factories.make_variant(grain, stock_on_hand=10_000, **far))
    Trade.variants = tuple(variant.code for variant in made)


def trades(examples: int) -> Callable[[], None]:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.tuples(*[st.integers(0, 6)] * 3).filter(any), st.lists(steps, max_size=8))
    def live(quantities: tuple[int, ...], what: list[tuple[str, Any, Any]]) -> None:
        trade = Trade(quantities)
        for name, chosen, with_shipping in what:
            trade.take(name, chosen, with_shipping)
            trade.check()
        trade.finish()

    return live
