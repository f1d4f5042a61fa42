"""The independent reader of monthly gifts: silent where all is well, naming what is not."""

import pytest

from crowdfund.campaigns.plans import keeping
from marketplace.core.db import in_transaction
from tests.auditing.test_giving import named
from tests.campaigns.plans.conftest import Monthly, noon_of, real_monthly

__all__ = ["real_monthly"]

STOPPED = "(SELECT id FROM plan WHERE state = 'stopped')"
SECOND = "(SELECT MAX(id) FROM installment WHERE plan_id = (SELECT MIN(id) FROM plan))"
GIFT = f"(SELECT contribution_id FROM installment WHERE id = {SECOND})"
ATTEMPT = f"(SELECT public_id FROM contribution WHERE id = {GIFT})"
TAMPERING = (
    ("a month is asked for once", f"UPDATE installment SET period = '2026-01-01' WHERE id = {SECOND}"),
    ("months follow the first gift", f"UPDATE installment SET period = '2025-12-31' WHERE id = {SECOND}"),
    ("months follow the first gift", "UPDATE plan SET next_on = '2026-02-28' WHERE state = 'active'"),
    ("nothing follows the stop", f"UPDATE plan SET stopped_at = '2026-02-01 00:00:00+00:00' WHERE id IN {STOPPED}"),
    ("a card's end is that of a card", f"UPDATE plan SET card_ends_on = '2026-02-28' WHERE id IN {STOPPED}"),
    ("a card's end is that of a card", f"UPDATE plan SET card_end_told_on = '2026-02-01' WHERE id IN {STOPPED}"),
    ("few tries", f"UPDATE installment SET charges = 2 WHERE id = {SECOND}"),
    ("few tries", "UPDATE event SET why = 'again' WHERE subject LIKE 'installment:%' AND why = 'try 1'"),
    (
        "one try at a time",
        "UPDATE event SET at = '2026-05-05 00:00:00+00:00' WHERE to_state = 'failed' AND subject LIKE 'attempt:%'",
    ),
    ("received months are received gifts", f"UPDATE installment SET state = 'failed' WHERE id = {SECOND}"),
    ("received months are received gifts", f"UPDATE contribution SET state = 'lapsed' WHERE id = {GIFT}"),
    ("months give to their plan's campaign", f"UPDATE contribution SET book = 'live' WHERE id = {GIFT}"),
    ("months give to their plan's campaign", f"UPDATE contribution SET person_id = 1 WHERE id = {GIFT}"),
    ("money of a month is a month's", f"UPDATE attempt SET purpose = 'contribution' WHERE reference = {ATTEMPT}"),
    ("money of a month is a month's", "UPDATE attempt SET reference = reference || 'x' WHERE purpose = 'installment'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'plan:%'"),
    ("states have traces", "UPDATE event SET to_state = 'received' WHERE subject LIKE 'installment:%' AND to_state = 'due'"),
)


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(real_monthly: Monthly) -> None:
    """One plan that goes on, one that was stopped, one with a declined card."""
    campaign = real_monthly.campaign()
    stopped = real_monthly.start(campaign)
    real_monthly.start(campaign)
    real_monthly.day("2026-02-28")
    with real_monthly.at(noon_of("2026-02-28")):
        in_transaction(keeping.stop, plan=stopped)
    real_monthly.start(campaign, later="declined")
    real_monthly.day("2026-03-31")
    real_monthly.later_behaves("succeeds")
    real_monthly.day("2026-04-01", hours=3)

    assert named() == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []
