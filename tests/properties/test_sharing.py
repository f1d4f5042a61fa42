"""Whatever comes: nothing is lost or made, who paid first is served first, and no fen too much is asked."""

from typing import Any

from hypothesis import given, strategies as st

from marketplace.orders.receiving.planning import without
from marketplace.orders.receiving.sharing import lighter_by, share
from marketplace.orders.remaining import LineLeft

WANTED = st.lists(st.integers(1, 50), max_size=30)


@given(WANTED, st.integers(0, 2000))
def test_nothing_is_lost_and_nobody_gets_more_than_they_ordered(wanted: list[int], brought: int) -> None:
    served = share(wanted, brought)
    assert sum(served) == min(brought, sum(wanted))
    assert all(0 <= got <= packs for got, packs in zip(served, wanted, strict=True))


@given(WANTED, st.integers(0, 2000))
def test_at_most_one_is_served_in_part_and_nobody_after_them(wanted: list[int], brought: int) -> None:
    served = share(wanted, brought)
    complete = [got == packs for got, packs in zip(served, wanted, strict=True)]
    first_that_lacks = complete.index(False) if False in complete else len(complete)
    assert not any(served[first_that_lacks + 1 :])


@given(WANTED, st.integers(0, 2000), st.integers(0, 100))
def test_more_goods_are_less_for_nobody_and_two_deliveries_are_as_one(wanted: list[int], brought: int, more: int) -> None:
    first = share(wanted, brought)
    left = [packs - got for packs, got in zip(wanted, first, strict=True)]
    second = share(left, more)
    assert [one + other for one, other in zip(first, second, strict=True)] == share(wanted, brought + more)


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.integers(0, 10**7))
def test_what_stays_of_a_price_is_rounded_down_and_never_below_nothing(fen: int, promised: int, grams: int) -> None:
    off = lighter_by(fen, promised_grams=promised, grams=grams)
    assert 0 <= off <= fen
    assert (fen - off) * promised <= fen * min(grams, promised) < (fen - off + 1) * promised
    assert off == 0 or grams < promised


@st.composite
def lines(draw: st.DrawFn) -> LineLeft:
    """A line of which something of the price went back."""
    quantity, price = draw(st.integers(1, 20)), draw(st.integers(1, 10_000))
    fee = draw(st.integers(0, price))
    words: dict[str, Any] = dict.fromkeys(("public_id", "seller", "title_zh", "title_en", "unit_zh", "unit_en"), "x")
    figures: dict[str, Any] = {
        "unit_price_fen": price,
        "unit_service_fee_fen": fee,
        "shipping_back_fen": 0,
        "units_with_shipping_back": 0,
    }
    return LineLeft(id=1, parcel_id=1, quantity=quantity, refunded_quantity=0, shipping_fen=0, **words, **figures)


@given(lines(), st.integers(1, 10**6), st.integers(0, 10**6), st.lists(st.integers(1, 5), max_size=8))
def test_what_goes_back_of_a_price_and_then_of_units_ends_at_what_was_paid(
    line: LineLeft, fen: int, fee: int, units: list[int]
) -> None:
    paid, paid_fee = line.goods_fen, line.service_fee_fen
    part = line.of_price(fen, fee)
    assert 0 <= part.service_fee_fen <= part.goods_fen <= paid
    line, back, fees = without(line, part), part.goods_fen, part.service_fee_fen
    for number in units:
        if number <= line.units:
            part = line.part(number, with_shipping=False)
            assert 0 <= part.service_fee_fen <= part.goods_fen
            line, back, fees = without(line, part), back + part.goods_fen, fees + part.service_fee_fen
        assert 0 <= line.service_fee_fen <= line.goods_fen
    rest = line.rest
    assert 0 <= rest.service_fee_fen <= rest.goods_fen
    assert (back + rest.goods_fen, fees + rest.service_fee_fen) == (paid, paid_fee)
