"""Whatever is credited by whatever cause: what is paid is what was ordered less that, and no refund goes beyond it."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from hypothesis import given, strategies as st

from marketplace.orders.institutions.checking import parts_of
from marketplace.orders.institutions.credit_codes import ALPHABET, check_character, is_valid
from marketplace.orders.remaining import LineLeft, Part, shares


def line(quantity: int, price: int, fee: int, shipping: int, percent: int, of_province: int, is_free: bool) -> LineLeft:
    """With so many per cent off, of which the province bears so many of a hundred; and with its shipping free or not."""
    words, fee = ("seller", "苹果", "apples", "箱", "box"), min(fee, price // 2)
    off = (price - fee) * percent // 100 * quantity
    province = off * of_province // 100
    whole = LineLeft(1, "line1", 1, *words, price, fee, quantity, 0, shipping, 0, 0)
    free = shipping if is_free else 0
    return replace(whole, seller_discount_fen=off - province, platform_discount_fen=province, shipping_discount_fen=free)


def after(left: LineLeft, part: Part) -> LineLeft:
    """As the database would have it once this part has gone."""
    facts = dict(vars(left))
    facts["refunded_quantity"] += part.units
    facts["shipping_back_fen"] += part.shipping_fen
    facts["units_with_shipping_back"] += part.units if part.with_shipping else 0
    facts["goods_back_fen"] += part.goods_fen
    facts["fee_back_fen"] += part.service_fee_fen
    facts["seller_discount_back_fen"] += part.seller_discount_fen
    facts["platform_discount_back_fen"] += part.platform_discount_fen
    return LineLeft(**facts)


FIGURES = (st.integers(1, 30), st.integers(1, 50_000), st.integers(0, 5_000), st.integers(0, 9_000))
LINES = st.builds(line, *FIGURES, st.integers(0, 90), st.integers(0, 100), st.booleans())
STEP = st.tuples(st.sampled_from(("check", "units", "price")), st.integers(0, 40), st.integers(0, 99_999))
STEPS = st.lists(STEP, max_size=5)


@given(bought=LINES, before=STEPS, later=STEPS, grams=st.integers(1, 5_000))
def test_what_is_paid_is_what_was_ordered_less_credits_and_no_refund_goes_beyond(
    bought: LineLeft, before: list[tuple[str, int, int]], later: list[tuple[str, int, int]], grams: int
) -> None:
    total = bought.rest.fen
    left, credited = lower(bought, before, grams)
    billed = left.rest.fen
    allocated, of_province = shares([left.rest], "141028"), left.rest.province_fen
    assert billed == total - credited == sum(allocated.values()) - of_province and billed >= 0
    assert 0 <= of_province <= bought.rest.province_fen

    left, refunded = lower(left, later, grams)

    assert 0 <= refunded <= billed and left.rest.fen == billed - refunded
    assert 0 <= left.service_fee_fen <= left.goods_fen and min(left.discounts) >= 0


def lower(left: LineLeft, steps: list[tuple[str, int, int]], grams: int) -> tuple[LineLeft, int]:
    """Each step as the desk or a check takes it; what is left, and the fen that went."""
    gone = 0
    for kind, units, figure in steps:
        for part in parts(left, kind, units, figure, grams):
            left, gone = after(left, part), gone + part.fen
    return left, gone


def parts(left: LineLeft, kind: str, units: int, figure: int, grams: int) -> list[Part]:
    if kind == "check":
        claim: Any = SimpleNamespace(order_line_id=left.id, rejected_quantity=units, grams=figure, reason="missing")
        return [part for _reason, part in parts_of([left], [claim], {left.id: grams})]
    if kind == "units":
        return [left.part(min(units, left.units), with_shipping=figure % 2 == 0)]
    return [left.of_price(figure, figure // 10)] if left.units else []


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(ALPHABET))
def test_a_code_with_one_wrong_character_is_not_valid(first: str, place: int, other: str) -> None:
    code = first + check_character(first)
    assert is_valid(code)
    if other != code[place]:
        assert not is_valid(code[:place] + other + code[place + 1 :])


def test_known_codes_are_valid_and_others_are_not() -> None:
    assert is_valid("91350100M000100Y43")  # the example of GB 32100-2015
    for wrong in ("", "91350100M000100Y44", "91350100M000100Y4", "91350100m000100y43", "91350100M000100O43"):
        assert not is_valid(wrong)
