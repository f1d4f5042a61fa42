"""On which days a monthly gift falls due."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from crowdfund.campaigns.plans import periods

DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("first", "following"),
    [
        ("2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2028-01-30", ["2028-02-29", "2028-03-30", "2028-04-30"]),
        ("2027-12-29", ["2028-01-29", "2028-02-29", "2028-03-29"]),
        ("2028-02-29", ["2028-03-29", "2028-04-29"]),
        ("2026-11-26", ["2026-12-26", "2027-01-26", "2027-02-26"]),
    ],
)
def test_the_day_of_the_first_or_the_last_of_a_shorter_month(first: str, following: list[str]) -> None:
    began, day = date.fromisoformat(first), date.fromisoformat(first)
    for expected in following:
        day = periods.after(began, day)
        assert day.isoformat() == expected
        assert periods.latest(began, day) == day


@given(first=DAYS, later=st.integers(0, 4000))
def test_every_day_lies_between_two_due_days(first: date, later: int) -> None:
    day = first + timedelta(days=later)
    before, following = periods.latest(first, day), periods.after(first, day)

    assert first <= before <= day < following
    assert periods.after(first, before) == following
    assert 28 <= (following - before).days <= 31
    assert before.day == first.day or (before + timedelta(days=1)).day == 1


@given(first=DAYS, months=st.integers(1, 240))
def test_each_month_has_one_due_day(first: date, months: int) -> None:
    days = [periods.anniversary(first, number) for number in range(months)]
    assert len({(day.year, day.month) for day in days}) == months == len(set(days))


def test_before_the_first_day_nothing_is_due() -> None:
    first = date(2026, 1, 31)
    assert periods.after(first, date(2026, 1, 1)) == date(2026, 2, 28)
    with pytest.raises(ValueError, match="before"):
        periods.latest(first, date(2026, 1, 30))


def test_a_day_begins_at_nine_in_shanxi() -> None:
    nine = datetime(2026, 2, 28, 1, 0, tzinfo=UTC)
    assert periods.moment_of(date(2026, 2, 28)) == nine
    assert periods.day_of(nine) == date(2026, 2, 28)
    assert periods.day_of(nine - timedelta(seconds=1)) == date(2026, 2, 27)
