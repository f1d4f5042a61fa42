"""What may be asked for only becomes less with time, and never more than the return rule says. Pure."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from marketplace.orders.cases.rules import CLAIM_WITHIN, RETURN_WITHIN, Kind, kinds_open
from marketplace.orders.cases.states import CASE, MAY_APPEAL, OPEN_CASE, CaseState, Party

POLICIES = ("7d_no_reason", "7d_unopened", "fresh_excluded", "custom_excluded")
ARRIVED = datetime(2026, 10, 18, 4, tzinfo=UTC)
HOURS = st.timedeltas(timedelta(0), timedelta(days=30))


@given(st.sampled_from(POLICIES), HOURS, HOURS)
def test_what_may_be_asked_for_only_becomes_less(policy: str, sooner: timedelta, later: timedelta) -> None:
    first, last = sorted((sooner, later))
    before, after = (set(kinds_open(policy, ARRIVED, ARRIVED + passed)) for passed in (first, last))
    assert after <= before
    within = CLAIM_WITHIN if policy == "fresh_excluded" else RETURN_WITHIN
    assert bool(after) is (last <= within)
    assert (Kind.UNWANTED in after) is (bool(after) and policy.startswith("7d"))


def test_an_open_case_waits_for_a_station_a_buyer_or_the_province() -> None:
    assert {CaseState.REQUESTED, CaseState.APPROVED, CaseState.GOODS_RETURNED} == OPEN_CASE
    assert MAY_APPEAL[Party.DEADLINE] < OPEN_CASE
    asked = MAY_APPEAL[Party.BUYER] | MAY_APPEAL[Party.SELLER] | MAY_APPEAL[Party.STATION]
    assert asked == set(CASE) - OPEN_CASE
