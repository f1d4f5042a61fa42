"""What comes off, line by line, and back again unit by unit: pure sums, for any figures."""

from dataclasses import replace
from typing import Any

from hypothesis import given, strategies as st

from listings.offers import Offer
from marketplace.orders.promotions import reducing
from marketplace.orders.promotions.reducing import Rule
from marketplace.orders.promotions.states import Kind, Scope
from marketplace.orders.remaining import LineLeft, Part
from tests.orders.promotions.promoting import quoted

WORDS: dict[str, Any] = dict.fromkeys(("title_zh", "title_en", "unit_zh", "unit_en", "public_id", "seller"), "")


def offer(name: str, price_fen: int, **changes: Any) -> Offer:
    blank: dict[str, Any] = dict.fromkeys(Offer.__dataclass_fields__, "")
    figures = {"price_fen": price_fen, "tiers": (), "available": 99, "minimum_quantity": 1, "net_weight_grams": 0}
    rest = {"service_fee_per_mille": 80, "is_published": True, "free_shipping_from_fen": 0, "is_age_restricted": False}
    return Offer(**blank | figures | rest | {"variant": name, "listing": name, "seller": "s", "station_code": "1"} | changes)


def rule(**changes: Any) -> Rule:
    common: dict[str, Any] = {"id": 1, "public_id": "p", "code": None, "name_zh": "", "name_en": "", "kind": Kind.AMOUNT}
    figures = {"amount_fen": 1000, "percent": 0, "most_fen": None, "threshold_fen": 0, "platform_bps": 10_000}
    whose = {"scope": Scope.ALL, "scope_values": (), "seller_public_id": "", "left_fen": 10**9}
    return Rule(**common | figures | whose | changes)


def test_it_is_shared_out_by_what_the_goods_cost_and_no_fen_is_lost() -> None:
    cart = quoted((offer("a", 1000), 1), (offer("b", 1000), 1), (offer("c", 1000), 1))
    found = reducing.reduction(rule(), cart)
    assert [found.cuts[name].platform_fen for name in "abc"] == [334, 333, 333]


def test_scopes_and_thresholds() -> None:
    cart = quoted((offer("a", 1000, category="fruit-apple"), 2), (offer("b", 5000, seller="t", station_code="2"), 1))
    apples = rule(scope=Scope.CATEGORY, scope_values=("fruit",), parents={"fruit-apple": "fruit"})
    assert set(reducing.reduction(apples, cart).cuts) == {"a"}
    assert reducing.reduction(replace(apples, threshold_fen=2001), cart).fen == 0
    for scope, value in ((Scope.STATION, "2"), (Scope.SELLER, "t"), (Scope.LISTINGS, "b")):
        assert set(reducing.reduction(rule(scope=scope, scope_values=(value,)), cart).cuts) == {"b"}
    percent = rule(kind=Kind.PERCENT, amount_fen=0, percent=25, most_fen=1200)
    assert reducing.reduction(percent, cart).fen == 1200
    assert reducing.reduction(rule(seller_public_id="t"), cart).cuts.keys() == {"b"}


@given(
    st.lists(st.tuples(st.integers(1, 9000), st.integers(1, 9)), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(1, 200_000), st.integers(0, 10_000)), min_size=1, max_size=3),
)
def test_something_is_left_of_every_unit_for_whoever_gets_it(
    goods: list[tuple[int, int]], promotions: list[tuple[int, int]]
) -> None:
    cart = quoted(*((offer(str(name), price), packs) for name, (price, packs) in enumerate(goods)))
    for number, (amount, bps) in enumerate(promotions):
        found = reducing.reduction(rule(id=number, amount_fen=amount, platform_bps=bps), cart)
        assert found.platform_fen <= found.fen * bps // 10_000 and found.fen <= amount
        cart = reducing.reduced(cart, found)
    assert cart.total_fen >= sum(packs for _price, packs in goods)
    for line in cart.lines:
        cut = cart.cut_of(line.offer.variant)
        seller_gets = (line.unit_price_fen - line.unit_service_fee_fen) * line.quantity
        assert 0 <= cut.seller_fen <= seller_gets * 9 // 10 or cut.seller_fen == 0
        assert cut.platform_fen >= 0 and cut.seller_fen + cut.platform_fen <= line.goods_fen * 9 // 10


@given(
    st.integers(1, 12),
    st.integers(50, 5000),
    st.integers(0, 90),
    st.integers(0, 100),
    st.integers(0, 2000),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 400), st.booleans(), st.booleans(), st.booleans()), max_size=12),
)
def test_any_path_of_refunds_gives_back_exactly_what_was_paid(
    quantity: int,
    price_fen: int,
    percent: int,
    sellers: int,
    shipping_fen: int,
    ships_free: bool,
    asked: list[tuple[int, bool, bool, bool]],
) -> None:
    """Each step gives units back, with their shipping or not, or takes something off the price; or one before bounced."""
    fee_fen = price_fen * 8 // 100
    off = price_fen * quantity * percent // 100
    seller_off = min(off * sellers // 100, (price_fen - fee_fen) * quantity * 9 // 10)
    bought = LineLeft(
        **WORDS,
        id=1,
        parcel_id=1,
        unit_price_fen=price_fen,
        unit_service_fee_fen=fee_fen,
        quantity=quantity,
        refunded_quantity=0,
        shipping_fen=shipping_fen,
        shipping_back_fen=0,
        units_with_shipping_back=0,
        seller_discount_fen=seller_off,
        platform_discount_fen=off - seller_off,
        shipping_discount_fen=shipping_fen if ships_free else 0,
    )
    paid = price_fen * quantity - off + (0 if ships_free else shipping_fen)
    live: list[Part] = []

    def left() -> LineLeft:
        return replace(
            bought,
            refunded_quantity=sum(part.units for part in live),
            shipping_back_fen=sum(part.shipping_fen for part in live),
            units_with_shipping_back=sum(part.units for part in live if part.with_shipping),
            goods_back_fen=sum(part.goods_fen for part in live),
            fee_back_fen=sum(part.service_fee_fen for part in live),
            seller_discount_back_fen=sum(part.seller_discount_fen for part in live),
            platform_discount_back_fen=sum(part.platform_discount_fen for part in live),
        )

    for number, is_price, with_shipping, bounces in asked:
        if bounces and live:
            live.pop(number % len(live))
        elif is_price and left().units:
            live.append(left().of_price(min(number, left().goods_fen // 20), number * 8 // 100))
        elif 0 < (units := number % (quantity + 1)) <= left().units:
            live.append(left().part(units, with_shipping=with_shipping))
            assert live[-1].fen > 0
        assert all(part.fen >= 0 and part.shipping_discount_fen in {0, part.shipping_fen} for part in live)
        assert all(amount >= 0 for amount in left().discounts)
        assert 0 <= sum(part.fen for part in live) <= paid
    rest = left().rest
    assert sum(part.fen for part in (*live, rest)) == paid
    assert sum(part.seller_discount_fen for part in (*live, rest)) == seller_off
    assert sum(part.province_fen for part in (*live, rest)) == off - seller_off + (shipping_fen if ships_free else 0)
