import pytest
from hypothesis import given, strategies as st

from marketplace.core.money import MixedCurrencies, Money, apportion, decimals, per_mille, without_thousands

WEIGHTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=12).filter(any)


def test_a_hundred_yuan_in_three_loses_no_fen() -> None:
    assert apportion(10000, [1, 1, 1]) == [3334, 3333, 3333]


def test_the_largest_remainder_gets_the_odd_fen() -> None:
    assert apportion(10, [3, 3, 1]) == [4, 4, 2]
    assert apportion(-10, [3, 3, 1]) == [-4, -4, -2]


def test_nothing_splits_into_nothing_but_something_needs_a_weight() -> None:
    assert apportion(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="nothing to split by"):
        apportion(1, [0, 0])
    with pytest.raises(ValueError, match="negative"):
        apportion(1, [2, -1])


@given(total=st.integers(-(10**12), 10**12), weights=WEIGHTS)
def test_parts_add_up_and_stay_within_one_fen_of_their_share(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)

    assert sum(parts) == total
    assert all(abs(part * sum(weights) - total * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True))


@given(price=st.integers(1, 10**7), rate=st.integers(0, 1000))
def test_a_fee_is_rounded_half_up_and_stays_within_the_price(price: int, rate: int) -> None:
    fee = per_mille(price, rate)

    assert 0 <= fee <= price
    assert -500 <= price * rate - fee * 1000 < 500 or fee * 1000 - price * rate == 500


def test_currencies_do_not_mix_and_fractions_are_refused() -> None:
    with pytest.raises(MixedCurrencies):
        Money(1) + Money(1, "USD")
    with pytest.raises(MixedCurrencies):
        assert Money(1) < Money(2, "USD")
    with pytest.raises(TypeError):
        Money(1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(True)


def test_money_adds_up() -> None:
    assert Money(3980) * 2 - Money(60) + -Money(40) == Money(7860)
    assert Money(100).split([1, 2]) == [Money(33), Money(67)]
    assert not Money(0)


def test_what_is_made_of_money_has_its_currency() -> None:
    dollars = Money(100, "USD")
    assert dollars + dollars - Money(50, "USD") == Money(150, "USD")
    assert dollars * 3 == Money(300, "USD") and -dollars == Money(-100, "USD")
    assert dollars.split([1, 2]) == [Money(33, "USD"), Money(67, "USD")]


def test_money_is_ordered() -> None:
    assert Money(1) < Money(2) and Money(1) <= Money(2) and Money(2) <= Money(2)
    assert not Money(2) < Money(2) and not Money(3) <= Money(2)
    with pytest.raises(MixedCurrencies):
        assert Money(1) <= Money(2, "USD")


def test_currencies_differ_in_their_smallest_unit() -> None:
    assert {each: decimals(each) for each in ("CNY", "HKD", "JPY", "UGX", "KWD")} == {
        "CNY": 2,
        "HKD": 2,
        "JPY": 0,
        "UGX": 0,
        "KWD": 3,
    }


def test_half_a_fen_of_a_fee_is_rounded_up_and_less_is_not() -> None:
    assert [per_mille(1, rate) for rate in (0, 499, 500, 1000)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        *(("1,200", "1200"), ("¥12,345,678.90元", "¥12345678.90元"), ("1，200", "1200"), ("39.80", "39.80")),
        *(
            ("39,80", "39,80"),
            ("1,20", "1,20"),
            ("1,2345", "1,2345"),
            ("1,,200", "1,,200"),
            ("0.1,200", "0.1,200"),
            (",", ","),
        ),
    ],
)
def test_only_commas_between_thousands_are_left_out(typed: str, plain: str) -> None:
    assert without_thousands(typed) == plain
