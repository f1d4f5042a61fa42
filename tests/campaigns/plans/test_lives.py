"""Whatever a plan lives through, in whatever order: no month is charged twice, and nothing after the stop."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import func, select

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.plans import asking, keeping
from crowdfund.campaigns.plans.models import Installment
from crowdfund.campaigns.states import CampaignState, ContributionState
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.sandbox.mandates import LATER
from marketplace.payments.states import AttemptState
from tests.campaigns.conftest import get
from tests.campaigns.plans.conftest import FIRST, Killed, Monthly, differences, get_plan, latest_gift
from tests.examples import enough

DAYS = (1, 3, 31, 70)


class Life:
    """One plan, and a clock that only goes on."""

    def __init__(self, monthly: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monthly, self.monkeypatch, self.now = monthly, monkeypatch, FIRST
        self.campaign = monthly.campaign()
        self.plan = monthly.start(self.campaign)

    def do(self, step: str) -> None:
        verb, _space, what = step.partition(" ")
        with self.monthly.at(self.now), suppress(Refusal):
            getattr(self, verb)(what)

    def wait(self, days: str) -> None:
        self.now += timedelta(days=int(days), hours=1)
        with self.monthly.at(self.now):
            asking.ask_for_due()
            self.work("")

    def work(self, _what: str) -> None:
        self.monthly.ask_again()
        self.monthly.cashier.finish_refunds()
        self.monthly.work()

    def card(self, later: str) -> None:
        self.monthly.later_behaves(later)

    def lose(self, _what: str) -> None:
        """A day on which the gateway's answers are lost, or the worker is killed at each of them."""
        self.now += timedelta(days=28)
        for error in (ConnectionResetError(), Killed()):
            with self.monkeypatch.context() as broken, self.monthly.at(self.now), suppress(Killed):
                self.monthly.swallow_answers(broken, error)
                asking.ask_for_due()
                self.monthly.work()

    def pay(self, _what: str) -> None:
        self.monthly.pay_by_link(latest_gift(self.plan))

    def giver(self, what: str) -> None:
        commands: dict[str, Callable[..., None]] = {
            "pauses": keeping.pause,
            "continues": keeping.go_on,
            "stops": keeping.stop,
        }
        if what == "changes":
            in_transaction(keeping.change_amount, plan=self.plan, amount=Money(700))
        else:
            in_transaction(commands[what], plan=self.plan)

    def campaign_is(self, what: str) -> None:
        told: dict[str, Any] = {"campaign": self.campaign, "person": self.monthly.fund.officer.id}
        if what == "resumed":
            in_transaction(lifecycle.resume, **told)
        else:
            in_transaction({"paused": lifecycle.pause, "called_off": lifecycle.cancel}[what], **told, why="查一下")


STEPS = (
    *(f"wait {days}" for days in (*DAYS, 31)),
    *(f"card {later}" for later in LATER[:3]),
    *(f"giver {does}" for does in ("pauses", "continues", "stops", "changes")),
    *(f"campaign_is {so}" for so in ("paused", "resumed", "called_off")),
    *("lose", "lose", "pay", "work"),
)


@pytest.mark.full
def test_no_fen_too_many_whatever_happens(
    monthly: Monthly, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    @settings(max_examples=enough(40, pytestconfig), deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(st.sampled_from(STEPS), min_size=4, max_size=12))
    def live(steps: list[str]) -> None:
        life = Life(monthly, monkeypatch)
        for step in steps:
            life.do(step)
        life.do("card succeeds")
        for _again in range(3):
            life.do("wait 1")

        of_plan = select(Contribution.public_id).join(Installment, Installment.contribution_id == Contribution.id)
        gifts = of_plan.where(Installment.plan_id == get_plan(life.plan).id)
        succeeded = (Attempt.reference.in_(gifts), Attempt.state == AttemptState.SUCCEEDED)
        taken = total(select(func.sum(Attempt.fen)).where(*succeeded))
        back = total(select(func.sum(Refund.fen)).join(Attempt, Attempt.id == Refund.attempt_id).where(*succeeded))
        is_received = Contribution.state == ContributionState.RECEIVED
        received = total(select(func.sum(Contribution.fen)).where(Contribution.public_id.in_(gifts), is_received))
        is_called_off = get(life.campaign).state is CampaignState.CANCELLED
        assert taken - back == monthly.fund.balance(life.campaign) == (0 if is_called_off else received)
        assert differences(monthly) == []

    live()


def total(fen: Any) -> int:
    return int(db.session.scalar(fen) or 0)
