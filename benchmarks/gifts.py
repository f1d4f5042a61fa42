"""Gifts a second on one hot campaign: `python -m benchmarks.gifts [NUMBER]`, on SQLite and on PostgreSQL.

Each gift goes through the commands that a form and a webhook run: begun, its money received, in the public ledger, its
receipt numbered. What is measured beside it says benchmarks/replay.py."""

from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from benchmarks import replay
from crowdfund.campaigns import drafting, giving, lifecycle
from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Organisation
from marketplace.accounts import people
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.core.idempotency import once
from marketplace.core.money import Money
from marketplace.demo import places
from marketplace.payments import outcomes
from marketplace.payments.attempts import begin_submission
from marketplace.payments.gateways import RemotePayment
from marketplace.payments.states import AttemptState

CAMPAIGN: Final = "hot"


def measure(number: int = replay.NUMBER) -> dict[str, replay.Pace]:
    return replay.on_both(open_campaign, give, number)


def open_campaign(session: Session) -> None:
    owner = people.register(session, address="owner@example.test")
    reviewer = people.register(session, address="reviewer@example.test")
    session.flush()
    places.load(session)
    today = clock.today()
    words = {"certificate_number": "B-1", "certificate_from": date(2020, 1, 1), "certificate_until": date(2099, 1, 1)}
    session.add(Organisation(code="bench", name_zh="测试", credit_code="B", **words))
    session.flush()
    texts = ("title_zh", "story_zh", "purpose_zh", "beneficiaries_zh", "criteria_zh", "region_zh", "leader_zh", "residue_zh")
    facts = dict.fromkeys((*texts, "bank_account_zh", "filing_number"), "测试") | {"past_goal": "stretch"}
    days = {"starts_on": today, "ends_on": today + timedelta(days=30), "filed_on": today - timedelta(days=20)}
    figures = {"goal_fen": 10_000_000, "station_code": "141124"}
    budget = [Line("图书", 10_000_000)]
    made: dict[str, Any] = {
        "organisation": "bench",
        "owner": owner.id,
        "facts": facts | days | figures,
        "public_id": CAMPAIGN,
    }
    drafting.create(session, budget=budget, **made)
    lifecycle.submit(session, campaign=CAMPAIGN, person=owner.id)
    lifecycle.approve(session, campaign=CAMPAIGN, person=reviewer.id)
    lifecycle.open_to_all(session, campaign=CAMPAIGN, person=owner.id)


def give(which: int) -> None:
    """What the form does, and what the cashier's answer and its webhook cause."""
    amount = Money(which + 1)
    form = ("gift:benchmark", str(which), {"fen": amount.fen})
    gift = in_transaction(once, giving.begin, idempotency=form, campaign=CAMPAIGN, amount=amount, giver=Giver())
    attempt = in_transaction(giving.open_attempt, gift=gift)
    assert attempt
    in_transaction(begin_submission, attempt=attempt)
    for state in (AttemptState.REQUIRES_ACTION, AttemptState.SUCCEEDED):
        said = RemotePayment(f"pay_{attempt}", attempt, amount, state, str(state), "test", "https://cashier.example/")
        in_transaction(outcomes.apply_payment, remote=said, gateway="sandbox", why="benchmark")


if __name__ == "__main__":
    replay.main(measure)
