"""Somebody who gives every month, with the days going by."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from crowdfund.campaigns import giving
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.plans import asking, charging, keeping, periods
from crowdfund.campaigns.plans.models import Installment, Plan
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.notifications.models import Message
from marketplace.payments import attempts, sweeping
from marketplace.payments.gateways import gateways
from marketplace.payments.models import Attempt
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.sandbox.mandates import SUCCEEDS
from tests import cashiers
from tests.campaigns.conftest import Fund, build_fund

FIRST = datetime(2026, 1, 31, 4, 0, tzinfo=UTC)
LAST_DAY = date(2027, 12, 31)
CONTACT = "wang@example.test"


class Killed(BaseException):
    """As kill -9 would end it: nothing after it is run."""


def killed(*_args: Any, **_kwargs: Any) -> Any:
    raise Killed


@dataclass
class Monthly:
    fund: Fund

    @property
    def cashier(self) -> SandboxCashier:
        return self.fund.cashier

    def campaign(self, **changes: Any) -> str:
        return self.fund.open(**{"ends_on": LAST_DAY} | changes)

    def begin(self, campaign: str, fen: int = 2000, **giver: Any) -> str:
        """A plan whose first gift waits for its money; that gift."""
        said = Giver(**{"contact": CONTACT, "name": "王晓雯", "anonymity": "masked"} | giver)
        return in_transaction(keeping.begin, campaign=campaign, amount=Money(fen), giver=said)

    def pay(self, gift: str, later: str = SUCCEEDS, outcome: str = "succeeded") -> None:
        """At the cashier's, agreeing to be charged again."""
        attempts.submit(self.fund.attempt(gift), return_url="/", description="gift", for_later=True)
        remote = self.fund.remote_of(gift)
        self.cashier.choose_later(remote, later)
        self.cashier.decide(remote, outcome)
        self.work()

    def start(self, campaign: str = "", later: str = SUCCEEDS, fen: int = 2000, **giver: Any) -> str:
        """A plan that has begun; its id."""
        gift = self.begin(campaign or self.campaign(), fen, **giver)
        self.pay(gift, later)
        return plan_of(gift).public_id

    def pay_by_link(self, gift: str, later: str = SUCCEEDS, outcome: str = "succeeded") -> None:
        """As the gift's own page would have it paid."""
        in_transaction(giving.pay_again, gift=gift, purpose=keeping.PURPOSE)
        self.pay(gift, later, outcome)

    def work(self) -> None:
        """All that the worker does, but the scheduler."""
        while True:
            self.fund.work()
            if not (charging.charge_one() or outbox.deliver_slow()):
                return

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        with time_machine.travel(moment, tick=False):
            yield

    def day(self, day: str, hours: int = 1) -> None:
        """Scheduler and worker, so many hours after nine in the morning."""
        with self.at(periods.moment_of(date.fromisoformat(day)) + timedelta(hours=hours)):
            asking.ask_for_due()
            self.work()

    def die(self, day: str, monkeypatch: pytest.MonkeyPatch, *, is_asked: bool) -> None:
        """As `day`, but the worker is killed: when the gateway has acted and not answered, or before it is asked."""
        with monkeypatch.context() as broken:
            if is_asked:
                self.swallow_answers(broken, Killed())
            else:
                broken.setattr(charging, "charge", killed)
            with pytest.raises(Killed):
                self.day(day)

    def swallow_answers(self, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        """The cashier does what it is asked; what it answers is lost."""
        really = self.cashier.charge_mandate

        def swallow(*args: Any, **kwargs: Any) -> Any:
            really(*args, **kwargs)
            raise error

        monkeypatch.setattr(self.cashier, "charge_mandate", swallow)

    def later_behaves(self, later: str) -> None:
        """Whatever mandate there is."""
        with self.cashier.writing() as connection:
            connection.execute(storage.mandate.update().values(later=later))

    def settle_refunds(self) -> None:
        self.cashier.finish_refunds()
        self.work()

    def ask_again(self) -> None:
        """What the sweeper finds out of attempts that hang."""
        while sweeping.ask_after_attempt():
            self.work()


def noon_of(day: str) -> datetime:
    return periods.moment_of(date.fromisoformat(day)) + timedelta(hours=3)


def plan_of(gift: str) -> Plan:
    db.session.rollback()
    wanted = select(Plan).join(Installment, Installment.plan_id == Plan.id)
    wanted = wanted.join(Contribution, Contribution.id == Installment.contribution_id)
    return db.session.scalars(wanted.where(Contribution.public_id == gift)).one()


def get_plan(plan: str) -> Plan:
    db.session.rollback()
    return db.session.scalars(select(Plan).where(Plan.public_id == plan)).one()


def months(plan: str) -> list[tuple[str, str, int, str]]:
    """(period, state, charges, state of its gift), in order."""
    db.session.rollback()
    wanted = select(Installment.period, Installment.state, Installment.charges, Contribution.state)
    wanted = wanted.join(Contribution, Contribution.id == Installment.contribution_id)
    wanted = wanted.join(Plan, Plan.id == Installment.plan_id).where(Plan.public_id == plan)
    rows = db.session.execute(wanted.order_by(Installment.period)).all()
    return [(period.isoformat(), str(state), charges, str(gift)) for period, state, charges, gift in rows]


def latest_gift(plan: str) -> str:
    db.session.rollback()
    wanted = select(Contribution.public_id).join(Installment, Installment.contribution_id == Contribution.id)
    wanted = wanted.join(Plan, Plan.id == Installment.plan_id).where(Plan.public_id == plan)
    return db.session.scalars(wanted.order_by(Installment.period.desc()).limit(1)).one()


def letters() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Message.text).order_by(Message.id)))


def attempts_of(gift: str) -> list[str]:
    db.session.rollback()
    states = select(Attempt.state).where(Attempt.reference == gift, Attempt.purpose == keeping.PURPOSE)
    return [str(state) for state in db.session.scalars(states.order_by(Attempt.id))]


def charges_at(cashier: SandboxCashier) -> list[str]:
    """What became of each charge without the payer, as the cashier has it."""
    with cashier.storage.connect() as connection:
        made = select(storage.payment.c.status).where(storage.payment.c.return_url == "")
        return list(connection.scalars(made.order_by(storage.payment.c.created_at)))


def differences(monthly: Monthly) -> list[Difference]:
    """What the auditor finds."""
    db.session.rollback()
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))  # the planner knows nothing of rows that were never committed
    with monthly.cashier.storage.connect() as cashier:
        found = list(audit.findings(connection, cashier))
    return [one for one in found if isinstance(one, Difference)]


@pytest.fixture
def monthly(app: Flask) -> Iterator[Monthly]:
    """Rolled back at the end; the clock begins on the 31st of January."""
    with time_machine.travel(FIRST, tick=False):
        cashiers.opened(gateways().get("sandbox"))
        fund = build_fund(app)
        yield Monthly(fund)
        fund.cashier.storage.dispose()


@pytest.fixture
def real_monthly(real_app: Flask) -> Iterator[Monthly]:
    """Committed, on both databases."""
    with time_machine.travel(FIRST, tick=False):
        cashiers.opened(gateways().get("sandbox"))
        fund = build_fund(real_app)
        yield Monthly(fund)
        fund.cashier.storage.dispose()
