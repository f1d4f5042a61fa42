"""Layers over the days: in proportion, one on the other, straight from day to day."""

import itertools
import re
from datetime import date, timedelta

from hypothesis import given, strategies as st

from marketplace.core.strata import LABEL_HEIGHT
from marketplace.core.strata_over_time import NARROW, TOP, WIDE, Frame, Series, nice, over_time, sampled

START = date(2026, 5, 1)


def days(count: int) -> list[date]:
    return [START + timedelta(days=number) for number in range(count)]


def said(day: date) -> str:
    return day.isoformat()


def heights(outline: str) -> list[float]:
    return [float(point.split()[1]) for point in outline[1:].partition("V")[0].split("L")]


def test_layers_stand_on_each_other_in_proportion() -> None:
    drawn = over_time(days(3), [Series("a", (0, 100, 300)), Series("b", (100, 100, 100))], WIDE, said)
    ground, top, bottom = drawn.ground, *(heights(layer.outline) for layer in drawn.layers)
    assert [ground - y for y in bottom] == [WIDE.height / 4] * 3
    assert [ground - y for y in top] == [WIDE.height / 4, WIDE.height / 2, WIDE.height]
    assert top[-1] == TOP
    assert [(layer.name, layer.amount_fen) for layer in drawn.layers] == [("a", 300), ("b", 100)]
    assert drawn.layers[0].texture != drawn.layers[1].texture


def test_one_day_is_a_flat_layer_and_none_is_nothing() -> None:
    drawn = over_time(days(1), [Series("a", (500,))], NARROW, said)
    assert drawn.layers[0].outline == f"M0 {TOP}.0L358 {TOP}.0V{drawn.ground}H0Z"
    assert drawn.layers[0].leader == "" and [tick.words for tick in drawn.ticks] == ["2026-05-01"]
    empty = over_time([], [], WIDE, said)
    assert empty.layers == () and empty.ticks == () and empty.grid_y == 0


@given(st.integers(1, 800), st.integers(1, 200))
def test_the_last_day_is_always_drawn_and_never_too_many(count: int, most: int) -> None:
    chosen = sampled(count, most)
    assert chosen[-1] == count - 1 and len(chosen) <= most and chosen == sorted(set(chosen))


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=5), st.integers(1, 400), st.sampled_from([WIDE, NARROW]))
def test_whatever_is_drawn_stays_in_its_frame(sums: list[int], count: int, frame: Frame) -> None:
    drawn = over_time(days(count), [Series(str(fen), (fen,) * count) for fen in sums], frame, said)
    for layer in drawn.layers:
        assert all(TOP - 0.1 <= y <= drawn.ground + 0.1 for y in heights(layer.outline))
        assert not re.search("[ne]", layer.outline.replace("Z", ""))
    labels = [layer.label_y for layer in drawn.layers if layer.leader]
    assert all(lower - upper >= LABEL_HEIGHT - 1 for upper, lower in itertools.pairwise(labels))
    assert all(0 <= tick.x <= frame.plot for tick in drawn.ticks) and len(drawn.ticks) <= frame.most_ticks
    assert drawn.grid_fen <= max(sum(sums), 1)


def test_the_line_across_is_a_round_sum() -> None:
    assert [nice(fen) for fen in (99, 100, 199, 5_000_00, 26_475_050)] == [0, 100, 100, 5_000_00, 20_000_000]
