"""Several at once, with real commits on both databases: a place is taken once, the same fen is set aside once."""

from collections.abc import Callable
from typing import Any

import pytest

from crowdfund.campaigns import disbursing, lifecycle
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.students import choosing, publishing
from marketplace.core.db import in_transaction
from marketplace.core.errors import IllegalTransition, Refusal, StaleState
from tests.campaigns.plans.conftest import differences, get_plan
from tests.campaigns.plans.test_races import at_once
from tests.campaigns.students.conftest import (
    MONTH,
    OURS,
    TERM,
    Aid,
    place_of,
    sponsorships,
)

Works = list[Callable[[], object]]


def outcomes(aid: Aid, works: Works, *refused: type[Refusal]) -> list[str]:
    """What became of each, run at once."""
    found: list[str] = []

    def told(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except refused as refusal:
                found.append(type(refusal).__name__)
            else:
                found.append("done")

        return run

    at_once(aid.monthly, *(told(work) for work in works))
    return sorted(found)


def test_two_sponsors_choose_one_place_and_one_has_it(real_aid: Aid) -> None:
    place = real_aid.publish()
    works: Works = [lambda: real_aid.choose(place, contact="a@example.test"), lambda: real_aid.choose(place)]

    assert outcomes(real_aid, works, choosing.TakenAlready) == ["TakenAlready", "done"]
    assert sponsorships() == [(place, "begun", "")] and place_of(place).state == "held"
    assert differences(real_aid.monthly) == []


def test_two_terms_for_the_money_of_one(real_aid: Aid) -> None:
    real_aid.pool(TERM)
    places = [real_aid.publish(), real_aid.publish("G14010920105678")]
    works: Works = [lambda place=place: real_aid.open(place) for place in places]  # type: ignore[misc]

    assert outcomes(real_aid, works, disbursing.NotEnough) == ["NotEnough", "done"]
    assert real_aid.free() == 0 and differences(real_aid.monthly) == []


def test_a_term_and_a_calling_off_at_once(real_aid: Aid) -> None:
    real_aid.pool(TERM)
    place = real_aid.publish()
    call_off: dict[str, Any] = {"campaign": real_aid.campaign, "person": real_aid.officer, "why": "停办"}
    works: Works = [lambda: real_aid.open(place), lambda: in_transaction(lifecycle.cancel, **call_off)]

    refusals = (lifecycle.TermIsRunning, disbursing.CampaignDoesNotSpend, disbursing.NotEnough, StaleState)
    found = outcomes(real_aid, works, *refusals)
    assert found.count("done") == 1
    real_aid.monthly.work()
    real_aid.monthly.settle_refunds()
    assert real_aid.balance in {0, TERM} and differences(real_aid.monthly) == []


def test_two_sponsors_move_to_one_place(real_aid: Aid) -> None:
    places = [real_aid.publish(f"G1401092010000{number}") for number in range(3)]
    plans = [real_aid.sponsor(place) for place in places[:2]]
    works: Works = [lambda plan=plan: in_transaction(choosing.move, plan=plan, place=places[2]) for plan in plans]  # type: ignore[misc]

    assert outcomes(real_aid, works, choosing.TakenAlready) == ["TakenAlready", "done"]
    assert sorted(place_of(place).state for place in places) == ["offered", "taken", "taken"]
    assert differences(real_aid.monthly) == []


def test_a_sponsor_stops_while_the_student_leaves(real_aid: Aid) -> None:
    place = real_aid.publish()
    plan = real_aid.sponsor(place)
    left: dict[str, Any] = {"place": place, "officer_id": real_aid.officer, "why": "转学", **OURS}
    works: Works = [lambda: in_transaction(keeping.stop, plan=plan), lambda: in_transaction(publishing.leave, **left)]

    outcomes(real_aid, works, StaleState, IllegalTransition)
    assert get_plan(plan).state == "stopped" and sponsorships()[0][1] == "ended"
    assert place_of(place).state == "left" and real_aid.balance == MONTH
    assert differences(real_aid.monthly) == []


@pytest.mark.full
def test_a_place_is_chosen_by_ten(real_aid: Aid) -> None:
    place = real_aid.publish()
    works: Works = [lambda: real_aid.choose(place) for _each in range(10)]
    assert outcomes(real_aid, works, choosing.TakenAlready) == ["TakenAlready"] * 9 + ["done"]
