import itertools

from marketplace.core.strata import HEIGHT, SECTION, TOP, WIDE, Layer, section, spread


def test_layers_are_as_thick_as_their_part() -> None:
    drawn = section([Layer("grower", 3662), Layer("station", 318), Layer("courier", 600)])

    assert drawn.total_fen == 4580
    assert [layer.amount_fen for layer in drawn.layers] == [3662, 318, 600]
    assert f"{TOP + HEIGHT * 3662 / 4580:.1f}" in drawn.layers[1].boundary


def test_labels_keep_their_distance_and_stay_inside() -> None:
    drawn = section([Layer("a", 10000), Layer("b", 1), Layer("c", 1), Layer("d", 1)])

    heights = [layer.label_y for layer in drawn.layers]
    assert all(below - above >= 47 for above, below in itertools.pairwise(heights))
    assert heights[-1] + 19 <= drawn.height


def test_what_costs_nothing_has_no_layer() -> None:
    assert [layer.name for layer in section([Layer("grower", 100), Layer("courier", 0)]).layers] == ["grower"]
    assert section([]).layers == ()


def test_places_that_are_far_apart_stay_where_they_are() -> None:
    assert spread([50, 150], 48, 210) == [50, 150]


def test_a_long_name_has_room() -> None:
    short, long = section([Layer("grower", 1)]), section([Layer("The stations, for collecting and packing it all", 1)])

    assert short.width < long.width


def test_a_long_name_goes_on_below_its_comma_so_that_a_phone_can_show_it() -> None:
    drawn = section([Layer("The grower, 7 days after arrival", 3), Layer("吉县站：收货、分拣、打包", 2), Layer("快递", 1)])

    assert [layer.lines for layer in drawn.layers] == [
        ("The grower,", "7 days after arrival"),
        ("吉县站：", "收货、分拣、打包"),
        ("快递",),
    ]
    assert drawn.width * 12 <= 288 * 15  # on a phone of 320 pixels labels have 12
    ends = [layer.label_y + 19 * len(layer.lines) for layer in drawn.layers]
    assert all(layer.label_y - 12 > end for layer, end in zip(drawn.layers[1:], ends, strict=False))


def test_a_wide_section_has_the_same_waves_once_more_and_the_same_labels() -> None:
    layers = [Layer("a", 100), Layer("b", 200)]
    narrow, wide = section(layers), section(layers, span=WIDE)

    assert wide.layers[1].boundary.startswith(narrow.layers[1].boundary)
    assert narrow.layers[1].boundary.endswith(f" {SECTION} 74.0") and wide.layers[1].boundary.endswith(f" {WIDE} 74.0")
    assert (wide.right, wide.width, wide.layers[1].leader) == (narrow.right, narrow.width, narrow.layers[1].leader)
