"""Boxes in the margin never touch each other, and the words under the map are those of its colours."""

from itertools import pairwise

from hypothesis import given, strategies as st

from marketplace.site import station_map
from marketplace.site.console import ground, sparks
from marketplace.site.station_map import Mark
from marketplace.site.station_pages import Place
from marketplace.stations import map as maps
from marketplace.stations.badges import StationBadge

CODES = sorted(maps.province().shapes)
HEIGHT = maps.province().height


def mark(code: str) -> Mark:
    place = Place(StationBadge(code, "永", "永和站", is_deep_poverty=False), "141000", "临汾市", 0, 0, is_lit=False)
    return Mark(place, *maps.province().shapes[code].mark)


@given(st.lists(st.sampled_from(CODES), unique=True, max_size=ground.MOST))
def test_boxes_stand_apart_and_inside(codes: list[str]) -> None:
    boxes = ground.call_outs([(mark(code), "2 件超 48 小时") for code in codes], HEIGHT)
    assert sorted(box.code for box in boxes) == sorted(codes)
    tops = [box.top for box in boxes]
    assert all(0 <= top <= HEIGHT - ground.BOX_HEIGHT for top in tops)
    assert all(below - above >= ground.BOX_HEIGHT for above, below in pairwise(tops))
    assert [box.y for box in boxes] == sorted(box.y for box in boxes), "lines do not cross"


def test_a_box_alone_stands_at_its_mark() -> None:
    (box,) = ground.call_outs([(mark("140927"), "x")], HEIGHT)
    assert (box.middle, box.name) == (maps.province().shapes["140927"].mark[1], "永和站")


@given(st.integers(0, 400))
def test_the_legend_says_where_each_step_begins(most: int) -> None:
    drawn = {station_map.step(sent, most): sent for sent in reversed(range(most + 1))}  # the least number of each
    assert ground.steps(most) == tuple(drawn.get(step) for step in range(1, 5))


@given(st.lists(st.integers(0, 500), min_size=12, max_size=12))
def test_bars_stay_within_their_cell(numbers: list[int]) -> None:
    bars = sparks.bars(numbers)
    assert len(bars) == 12 and bars[-1].x + bars[-1].width <= sparks.WIDTH
    assert all(bar.y + bar.height == sparks.HEIGHT and 1 <= bar.height <= sparks.HEIGHT for bar in bars)
    assert not any(numbers) or max(bar.height for bar in bars) == sparks.HEIGHT
