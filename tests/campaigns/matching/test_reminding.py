"""A match that waits is remembered to those who decide, once, and names nobody."""

from datetime import timedelta
from typing import Any

import time_machine
from sqlalchemy import select

from crowdfund.campaigns.matching import deciding, reminding
from crowdfund.campaigns.states import HeldState
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from tests.campaigns.conftest import Fund
from tests.campaigns.matching.conftest import open_fund
from tests.campaigns.matching.waiting import give_with, name_of


def told() -> list[tuple[str, str]]:
    db.session.rollback()
    mine = select(Message.fact, Message.text).where(Message.fact.startswith("held_match_waits:"))
    return [(row.fact, row.text) for row in db.session.execute(mine.order_by(Message.id))]


def test_after_three_days_the_approver_is_told_once_and_of_what_is_decided_nobody(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign, giver_cap=1000)
    _first, decided, waits = [
        give_with(fund, campaign, 1000, contact=f"s{each}@example.test", name="王小明", card="fp_1") for each in range(3)
    ]
    given: dict[str, Any] = {"held": name_of(decided), "person": fund.approver.id, "why": "一家人"}
    in_transaction(deciding.decide, verdict=HeldState.DENIED, **given)
    held = name_of(waits)
    with time_machine.travel(clock.now(), tick=False) as now:
        for days, number in ((2, 0), (2, 1), (5, 1)):
            now.shift(timedelta(days=days))
            for _twice in range(2):
                in_transaction(reminding.remind)
            assert len(told()) == number
    ((fact, text),) = told()
    assert fact == f"held_match_waits:{held}:{fund.approver.public_id}"
    assert "¥10" in text and f"/charity/held-matches/{held}" in text and "王小明" not in text
