"""The independent reader of matches that wait: silent where all is well, naming what is not."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from crowdfund.campaigns.matching import deciding, topping_up
from crowdfund.campaigns.states import HeldState
from marketplace.auditing import waiting
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from tests.auditing.test_giving import named
from tests.campaigns.conftest import Fund
from tests.campaigns.matching.conftest import open_fund, opened
from tests.campaigns.matching.waiting import give_with, name_of

DECIDED, WAITS = "WHERE state = 'released'", "WHERE state = 'held'"
SOMEBODY = "(SELECT MIN(id) FROM person)"
TAMPERING: tuple[tuple[str, str], ...] = (
    ("funds keep what waits", "UPDATE matching_fund SET held_fen = held_fen - 1 WHERE held_fen > 0"),
    ("funds keep what waits", f"UPDATE held_match SET fen = fen + 1 {WAITS}"),
    ("a match was made or waits", f"UPDATE held_match SET released_fen = released_fen - 1 {DECIDED}"),
    ("a match was made or waits", f"UPDATE held_match SET giver = '' {DECIDED}"),
    (
        "a match was made or waits",
        f"UPDATE held_match SET state = 'released', released_fen = fen, decider_id = {SOMEBODY} {WAITS}",
    ),
    ("what waits keeps the rate and the cap of a gift", f"UPDATE held_match SET fen = fen + 1000 {WAITS}"),
    ("what waits keeps the rate and the cap of a gift", "UPDATE contribution SET state = 'pending'"),
    ("matches that waited were decided by people", f"UPDATE held_match SET decider_id = {SOMEBODY} {DECIDED}"),
    (
        "matches that waited were decided by people",
        f"UPDATE held_match SET proposer_id = {SOMEBODY}, proposal = 'denied' {DECIDED}",
    ),
    (
        "matches that waited were decided by people",
        "UPDATE contribution SET person_id = (SELECT MAX(decider_id) FROM held_match)",
    ),
    ("top-ups go on with the terms of their fund", "UPDATE matching_fund SET giver_cap_fen = 1 WHERE continues_id IS NULL"),
    ("top-ups go on with the terms of their fund", "UPDATE matching_fund SET continues_id = id WHERE continues_id IS NULL"),
    ("matches keep the cap of a giver", f"UPDATE held_match SET giver = (SELECT MIN(giver) FROM gift_match) {WAITS}"),
    ("states have traces", f"UPDATE held_match SET state = 'lapsed' {WAITS}"),
)


@pytest.fixture
def waited(real_app: Flask) -> Iterator[Fund]:
    """A fund that was topped up, with one match that was released and one that waits."""
    for fund in opened(real_app):
        campaign = fund.open()
        promised = open_fund(fund, campaign, 5000, giver_cap=400)
        in_transaction(topping_up.top_up, fund=promised, more=Money(500), owner_id=fund.officer.id)
        gifts = [give_with(fund, campaign, 400, contact=f"s{each}@example.test", card="fp_1") for each in range(3)]
        decided: dict[str, Any] = {"held": name_of(gifts[1]), "verdict": HeldState.RELEASED, "why": "a couple"}
        in_transaction(deciding.decide, **decided, person=fund.approver.id)
        fund.work()
        db.session.remove()
        yield fund


@pytest.mark.full
def test_honest_waiting_has_no_differences_and_whatever_was_tampered_with_is_named(waited: Fund) -> None:
    assert named() == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []


def test_each_check_is_proved() -> None:
    assert {check.name for check in waiting.WAITING} <= {check for check, _sql in TAMPERING}
