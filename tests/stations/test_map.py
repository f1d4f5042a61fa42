import json
from itertools import combinations
from math import dist
from pathlib import Path

import brotli

from marketplace.stations import draw_map, map as maps

HERE = Path(maps.__file__).parent


def test_the_map_is_what_the_boundaries_say() -> None:
    assert draw_map.drawn() == json.loads((HERE / "map.json").read_text(encoding="utf-8"))


def test_all_58_counties_have_a_shape() -> None:
    assert len(maps.province().shapes) == 58


def test_all_shapes_together_are_small_enough_for_a_public_page() -> None:
    province = maps.province()
    text = province.outline + "".join(shape.path for shape in province.shapes.values())

    assert len(brotli.compress(text.encode())) < 6_000


def test_a_finger_finds_every_mark() -> None:
    marks = [shape.mark for shape in maps.province().shapes.values()]

    assert min(dist(one, other) for one, other in combinations(marks, 2)) >= 48  # 24 pixels of a phone


def test_neighbours_know_each_other() -> None:
    shapes = maps.province().shapes

    assert shapes["141028"].near == ("141029", "141030", "141033")
    assert all(code in shapes[other].near for code in shapes for other in shapes[code].near)


def test_a_window_shows_its_counties_and_leaves_far_ones_out() -> None:
    province = maps.province()
    window = province.around(["141028", *province.shapes["141028"].near])

    assert window.shows(province.shapes["141028"])
    assert not window.shows(province.shapes["140222"])
