"""Nothing is paid by itself: who pays is told, each thing once."""

from datetime import UTC, datetime, timedelta

import time_machine
from sqlalchemy import select

from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from marketplace.orders.batches import reminders
from tests.batches.conftest import HOUSE, Finance
from tests.batches.test_paying_out import ready

MONDAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def told() -> list[str]:
    in_transaction(reminders.remind)
    rows = db.session.execute(select(Message.fact, Message.text).where(Message.fact.startswith("settlement:"))).all()
    return sorted({f"{row.fact.rsplit(':', 1)[0]} {row.text.partition('：')[0]}" for row in rows})


def test_each_thing_is_told_once(finance: Finance) -> None:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        finance.settle(HOUSE, 100)
        assert told() == []  # nobody has verified an account
        ready(finance)
        first = ["settlement:2026-W48 有 ¥40.80 可以付给站和卖家"]
        assert told() == told() == first
        assert db.session.query(Message).filter(Message.fact.startswith("settlement:")).count() == 2
        batch = finance.draft()
        assert told() == first
        traveller.shift(timedelta(days=1))
        waits = f"settlement:{batch} 有一批结算在等人处理"
        assert told() == told() == [first[0], waits]


def test_a_bank_that_is_silent(finance: Finance) -> None:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        batch = ready(finance).sent()
        traveller.shift(timedelta(days=3, seconds=-1))
        assert told() == []
        traveller.shift(timedelta(seconds=1))
        assert [line.partition(" ")[0] for line in told()] == [f"settlement:{batch}"]
