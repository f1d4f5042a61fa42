"""Two workers, and a giver who stops meanwhile: on both databases, with real commits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns.plans import asking, charging, keeping, receiving
from crowdfund.campaigns.plans.models import Installment
from marketplace import duties
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from tests.campaigns.conftest import public_rows
from tests.campaigns.plans.conftest import (
    Monthly,
    charges_at,
    differences,
    get_plan,
    latest_gift,
    letters,
    months,
    noon_of,
)

DUE = "2026-02-28"
PLANS = 4


def at_once(monthly: Monthly, *works: Callable[[], object]) -> None:
    start, moment = Barrier(len(works)), clock.now()

    def work(what: Callable[[], object]) -> None:
        with monthly.fund.app.app_context(), clock.at(moment):
            start.wait()
            what()
            db.session.remove()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work, what) for what in works]:
            done.result()


def charge_all() -> None:
    while charging.charge_one():
        pass


def test_two_schedulers_and_two_workers_charge_once(real_monthly: Monthly) -> None:
    campaign = real_monthly.campaign()
    plans = [real_monthly.start(campaign) for _number in range(PLANS)]
    with real_monthly.at(noon_of(DUE)):
        at_once(real_monthly, asking.ask_for_due, asking.ask_for_due)
        assert [len(months(plan)) for plan in plans] == [2] * PLANS
        at_once(real_monthly, charge_all, charge_all)
        real_monthly.work()

    assert [months(plan)[1] for plan in plans] == [(DUE, "received", 1, "received")] * PLANS
    assert charges_at(real_monthly.cashier) == ["succeeded"] * PLANS
    assert len(public_rows(campaign)) == 2 * PLANS and len(letters()) == 2 * PLANS
    assert differences(real_monthly) == []


def test_the_worker_asks_every_minute_and_charges_apart_from_the_rest(app: Flask) -> None:
    worker = duties.compose_worker(app)
    assert [job.seconds for job in worker.periodic if job.work is asking.ask_for_due] == [60]
    assert charging.charge_one in worker.slow_steps and charging.charge_one not in worker.steps
    assert {keeping.LAPSES, keeping.WITHDRAWN, receiving.AGREED} <= outbox.slow


def test_one_month_is_one_row_whoever_writes_it(real_monthly: Monthly) -> None:
    plan = real_monthly.start()
    real_monthly.day(DUE)
    with real_monthly.at(noon_of(DUE)), pytest.raises(IntegrityError):
        in_transaction(lambda session: keeping.add_installment(session, keeping.get(session, plan)))
    assert len(months(plan)) == 2 and db.session.query(Installment).count() == 2


def test_stopped_at_the_same_moment_as_it_is_charged(real_monthly: Monthly) -> None:
    campaign = real_monthly.campaign()
    plan = real_monthly.start(campaign)
    with real_monthly.at(noon_of(DUE)):
        asking.ask_for_due()
        at_once(real_monthly, lambda: in_transaction(keeping.stop, plan=plan), charge_all)
        real_monthly.work()
    with real_monthly.at(noon_of("2026-03-01")):
        real_monthly.settle_refunds()
        real_monthly.work()
        real_monthly.settle_refunds()

    assert get_plan(plan).mandate is None
    arrived = months(plan)[1][3] == "received"  # the charge was through before the stop was pressed
    assert real_monthly.fund.balance(campaign) == (4000 if arrived else 2000)
    assert len(public_rows(campaign)) == (2 if arrived else 1)
    assert latest_gift(plan) and differences(real_monthly) == []
