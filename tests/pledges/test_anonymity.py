"""Every card might be one of at least five children, whatever the numbers are."""

from collections import Counter

from hypothesis import given, strategies as st

from crowdfund.pledges.anonymity import Cell, K, Label, labels
from crowdfund.pledges.states import AGE_BANDS, TIERS

COUNTIES = ("140221", "140222", "141028", "141029", "141124")
CELLS = st.builds(Cell, st.sampled_from(COUNTIES), st.sampled_from(AGE_BANDS), st.sampled_from(TIERS))


@given(st.dictionaries(CELLS, st.integers(0, 9)))
def test_whatever_a_card_says_fits_five_children(children: dict[Cell, int]) -> None:
    told = labels(children)
    behind: Counter[Label] = Counter()
    for cell, label in told.items():
        behind[label] += children[cell]
        assert label.place in ("", cell.county, cell.prefecture)
        assert label.age_band in ("", cell.age_band) and label.tier in (0, cell.tier)

    assert all(number >= K for number in behind.values())
    assert set(told) == ({cell for cell, number in children.items() if number} if sum(children.values()) >= K else set())


def test_a_large_cell_is_told_as_it_is() -> None:
    cell = Cell("141124", "9-11", 1)
    assert labels({cell: 5}) == {cell: Label("141124", "9-11", 1)}


def test_two_small_counties_of_one_prefecture_are_told_as_the_prefecture() -> None:
    one, other = Cell("141028", "9-11", 1), Cell("141029", "9-11", 1)
    assert labels({one: 3, other: 2}) == dict.fromkeys((one, other), Label("141000", "9-11", 1))


def test_the_rest_is_not_given_away_by_what_is_told_exactly() -> None:
    large, small = Cell("141124", "9-11", 1), Cell("140221", "6-8", 3)
    told = labels({large: 5, small: 1})
    assert told[small] == told[large] == Label("", "", 0)


def test_too_few_altogether_are_not_shown() -> None:
    assert labels({Cell("141124", "9-11", 1): 4}) == {}
