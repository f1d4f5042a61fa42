"""kill -9 of the worker before each commit of a group's end, its own and the cashier's: the next worker goes on where the
dead one was, and everything happens once: prolonged, complete, or failed with everybody's money given back."""

import os
import signal
from datetime import datetime, timedelta
from itertools import count
from multiprocessing import get_context

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Connection, Engine

from marketplace.core.db import db, in_transaction
from marketplace.core.outbox import LONGEST_WAIT
from marketplace.core.transitions import EventRow
from marketplace.notifications.models import Message
from marketplace.orders.groups import closing, offering
from marketplace.orders.groups.offering import Keeper
from marketplace.payments.models import Refund
from tests.groups.conftest import Market, at, deliver_all
from tests.orders.conftest import balances, differences, get, parcels, stock_of

KILLED, DONE = -signal.SIGKILL, 0
MOST_WORKERS = 200

pytestmark = pytest.mark.full


def live_on(market: Market, moment: datetime, commits: int) -> None:
    """A worker, from this moment on; dead before its next commit of anything once it has made so many."""
    made, written = count(), []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            written.append(connection)

    @event.listens_for(Engine, "commit")
    def die(connection: Connection) -> None:
        if connection in written and next(made) == commits:
            os.kill(os.getpid(), signal.SIGKILL)
        written.clear()

    with market.shop.app.app_context(), at(moment):
        while in_transaction(closing.close_one_due) | deliver_all():
            pass
        market.shop.work()
        market.shop.cashier.finish_refunds()
        market.shop.work()
    os._exit(DONE)  # not as the session that this was forked from would end


def worker_at(market: Market, moment: datetime, commits: int) -> int | None:
    """How one ended. Each opens connections of its own."""
    db.session.remove()
    db.engine.dispose()
    market.shop.cashier.storage.dispose()
    worker = get_context("fork").Process(target=live_on, args=(market, moment, commits))
    worker.start()
    worker.join(60)
    return worker.exitcode


def workers_die(market: Market, start: datetime) -> datetime:
    """One after the other, each when what the last one held is free again: before their first, second or third
    commit, and after every six workers one later, until one comes to the end. Returns when that was."""
    for number in range(MOST_WORKERS):
        moment = start + number * LONGEST_WAIT
        ended = worker_at(market, moment, commits=number % 3 + number // 6)
        assert ended in (KILLED, DONE)
        if ended == DONE:
            assert number >= 6
            return moment
    raise AssertionError("they come to no end")


def steps_of(kind: str) -> list[str]:
    db.session.rollback()
    wanted = select(EventRow.to_state).where(EventRow.subject.startswith(f"{kind}:"))
    return list(db.session.scalars(wanted.order_by(EventRow.id)))


def letters_about(fact: str) -> int:
    return len(db.session.scalars(select(Message.id).where(Message.fact.contains(fact))).all())


def test_what_failed_goes_back_to_everybody_once(real_market: Market) -> None:
    group, first = real_market.open(1)
    second = real_market.join(group, 1)
    unpaid = real_market.join(group, 1, "13835172003")
    real_market.pay(first, second)
    workers_die(real_market, real_market.group(group).closes_at + timedelta(seconds=1))
    assert steps_of("group_buy") == ["open", "failed"]
    assert real_market.members(group) == [("refunded", 1), ("refunded", 1), ("lapsed", 1)]
    assert [get(number).state for number in (first, second, unpaid)] == ["cancelled", "cancelled", "expired"]
    assert [row.state for row in db.session.scalars(select(Refund))] == ["succeeded", "succeeded"]
    assert [balances(number) for number in (first, second, unpaid)] == [{}, {}, {}]
    assert stock_of(real_market.shop.apples) == (100, 0)
    assert letters_about("refund_requested") == 2
    assert differences(real_market.shop) == []


def test_near_enough_it_is_prolonged_once_and_goes_on(real_market: Market) -> None:
    in_transaction(offering.end, offer=real_market.offer, keeper=Keeper(real_market.seller))
    real_market.offering(prolong_days=3)
    group, first = real_market.open(2)
    real_market.pay(first)
    closes = real_market.group(group).closes_at
    moment = workers_die(real_market, closes + timedelta(seconds=1))
    assert steps_of("group_buy") == ["open", "prolonged"]
    assert real_market.group(group).closes_at == closes + timedelta(days=3) > moment
    assert letters_about("group_prolonged") == 1
    assert real_market.members(group) == [("paid", 2)] and balances(first)["gateway_clearing"] == 6600

    with at(moment):
        last = real_market.join(group, 1)
        real_market.pay(last)
    assert steps_of("group_buy") == ["open", "prolonged", "reached"]
    assert real_market.members(group) == [("ordered", 2), ("ordered", 1)]
    assert [parcel.state for number in (first, last) for parcel in parcels(number)] == ["awaiting_acceptance"] * 2
    assert stock_of(real_market.shop.apples) == (97, 0)
    assert differences(real_market.shop) == []
