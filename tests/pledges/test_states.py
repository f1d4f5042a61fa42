"""The lives of pledges: what is not written cannot happen."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from crowdfund.pledges.states import (
    ACTIVE,
    CHILD_CASE,
    DEVICE,
    PLEDGE,
    STEP_OF,
    STEPS,
    VOUCHER,
    CaseState as C,
    PledgeState as P,
    VoucherState as V,
)

LIVES = {"voucher": VOUCHER, "child_case": CHILD_CASE, "pledge": PLEDGE, "device": DEVICE}


@pytest.mark.parametrize("ways", LIVES.values(), ids=LIVES)
def test_every_state_has_its_line_and_leads_to_known_ones(ways: Mapping[Any, frozenset[Any]]) -> None:
    kind: Any = type(next(iter(ways)))
    assert set(ways) == set(kind)
    assert all(there <= set(kind) and here not in there for here, there in ways.items())


@given(st.data())
def test_a_pledge_comes_forward_step_by_step(data: st.DataObject) -> None:
    here, furthest = P.HELD, STEP_OF[P.HELD]
    while PLEDGE[here]:
        here = data.draw(st.sampled_from(sorted(PLEDGE[here])))
        assert STEP_OF.get(here, furthest + 1) >= furthest or here is P.ON_HOLD
        furthest = max(furthest, STEP_OF.get(here, furthest))
    assert here not in ACTIVE or (here is P.VERIFIED and furthest == len(STEPS))


def test_no_device_without_the_banks_word() -> None:
    assert {here for here, there in PLEDGE.items() if P.ALLOCATED in there} == {P.CONFIRMED}
    assert P.HANDED_OVER not in set().union(*(PLEDGE[state] for state in set(P) - {P.AT_STATION}))


def test_after_hand_over_nothing_is_taken_from_a_child() -> None:
    assert CHILD_CASE[C.DELIVERED] == {C.CONFIRMED} and CHILD_CASE[C.CONFIRMED] == frozenset()
    assert VOUCHER[V.REDEEMED] == frozenset()
