"""Faults 21 and 22 of docs/faults.md with a matching fund: many gifts race for its last money,
and a campaign is called off while a gift is being paid."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from crowdfund.campaigns import giving, lifecycle
from crowdfund.campaigns.matching import deciding
from crowdfund.campaigns.matching.models import GiftMatch
from crowdfund.campaigns.models import Contribution, PublicRow
from crowdfund.campaigns.states import FundState, HeldState
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.ledger.models import Line
from marketplace.payments import attempts, inbox
from marketplace.payments.models import Refund
from marketplace.payments.reconciliation import running
from marketplace.payments.sandbox import delivery
from marketplace.payments.states import RefundState
from tests.campaigns.conftest import Fund, fund, post, public_rows
from tests.campaigns.matching.conftest import matches_of, open_fund, standing
from tests.campaigns.matching.waiting import held_of, name_of, sums_of
from tests.campaigns.test_receiving import differences

__all__ = ["fund"]

GIVERS = [16, pytest.param(120, marks=pytest.mark.full)]


@pytest.fixture(autouse=True)
def patient(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process here has as many threads as many web processes: they may wait for its few connections."""
    monkeypatch.setattr(db.engine.pool, "_timeout", 300.0)


def assert_sound(fund: Fund) -> None:
    standing_ = running.reconcile(fund.cashier, actor="test", whole=True)
    db.session.rollback()
    assert not db.session.scalar(select(func.sum(Line.amount)))
    assert not standing_.is_red
    assert differences(fund) == []


def pay_as_strangers(fund: Fund, campaign: str, givers: int, fen: int) -> list[str]:
    """Each in a browser of their own, up to the cashier's yes; no money is known to have come yet."""
    for number in range(givers):
        form = {"amount": f"{fen / 100:.2f}", "anonymity": "masked", "idempotency_key": f"k{number}"}
        assert post(fund.browser(), f"/campaigns/{campaign}/gifts", form).status_code == 303
    gifts = list(db.session.scalars(select(Contribution.public_id).order_by(Contribution.id)))
    for gift in gifts:
        fund.cashier.decide(fund.remote_of(gift), "succeeded")
    db.session.remove()
    return gifts


def arrive_at_once(fund: Fund, gifts: list[str]) -> None:
    """Their webhooks, through the door, and a worker for each."""
    letters: list[tuple[bytes, str]] = []

    def keep(_url: str, body: bytes, signature: str) -> int:
        letters.append((body, signature))
        return 200

    while delivery.deliver(fund.cashier, keep):
        pass
    assert len(letters) >= len(gifts)
    start = Barrier(len(letters))

    def bring(letter: tuple[bytes, str]) -> int:
        with fund.app.app_context():
            start.wait()
            status = fund.send("", *letter)
            while inbox.work():
                pass
            db.session.remove()
            return status

    with ThreadPoolExecutor(len(letters)) as pool:
        assert set(pool.map(bring, letters)) == {200}


@pytest.mark.parametrize("givers", GIVERS)
def test_22_many_gifts_race_for_the_last_money_of_a_pool(fund: Fund, givers: int) -> None:
    campaign = fund.open()
    pool = 7 * (givers // 2) + 2  # enough for half of them, and two fen for one more
    opened = open_fund(fund, campaign, pool)

    gifts = pay_as_strangers(fund, campaign, givers, 7)
    arrive_at_once(fund, gifts)
    fund.work()

    assert standing(opened) == (FundState.EXHAUSTED, pool, 0, 0)
    assert sorted(matches_of(opened)) == [2] + [7] * (givers // 2)
    assert fund.balance(campaign) == 7 * givers + pool
    one_each = select(func.count(GiftMatch.contribution_id.distinct()), func.count())
    assert tuple(db.session.execute(one_each).one()) == (givers // 2 + 1, givers // 2 + 1)
    shown = [fen for kind, fen, _who in public_rows(campaign) if kind == "match"]
    assert sorted(shown) == [2] + [7] * (givers // 2)
    assert_sound(fund)


def test_22_what_waits_for_a_person_is_kept_from_the_race(fund: Fund) -> None:
    campaign, givers, person = fund.open(), 12, fund.approver.id
    opened = open_fund(fund, campaign, 10 * givers - 5, giver_cap=10)
    gifts = [fund.begin(campaign, 10, contact=f"s{number}@example.test") for number in range(givers)]
    for gift in gifts:
        attempts.submit(fund.attempt(gift), return_url="/", description="gift")
        fund.cashier.decide(fund.remote_of(gift), "succeeded", "fp_of_one")
    db.session.remove()
    arrive_at_once(fund, gifts)
    fund.work()

    assert sums_of(opened) == (10, 10 * givers - 15, 0)  # one at once; the others are one card with it
    held = [gift for gift in gifts if held_of(gift)]
    assert sorted(fen for gift in held if (fen := getattr(held_of(gift), "fen", 0))) == [5] + [10] * (givers - 2)
    for gift in held[:6]:
        asked: dict[str, Any] = {"held": name_of(gift), "verdict": HeldState.RELEASED, "why": "asked"}
        in_transaction(deciding.decide, **asked, person=person)
    assert_sound(fund)


def test_22_of_one_giver_too_whose_cap_is_the_last_money(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000, giver_cap=10)
    gifts = [fund.begin(campaign, 7, contact="wang@example.test") for _each in range(8)]
    for gift in gifts:
        fund.pay(gift)
    db.session.remove()
    arrive_at_once(fund, gifts)
    fund.work()
    assert sorted(matches_of(opened)) == [3, 7]
    assert standing(opened) == (FundState.ACTIVE, 10, 0, 990)
    assert_sound(fund)


def test_22_while_others_go_back_and_it_is_closed(fund: Fund) -> None:
    """Gifts arrive while their campaign is called off: whatever was matched is the sponsor's again."""
    campaign = fund.open()
    opened = open_fund(fund, campaign, 40)
    before = [fund.give(campaign, 10) for _each in range(2)]
    gifts = [fund.begin(campaign, 10) for _each in range(8)]
    for gift in gifts:
        fund.pay(gift)
    told: dict[str, Any] = {"campaign": campaign, "person": fund.officer.id, "why": "frost"}
    db.session.remove()

    def arrive(gift: str) -> None:
        with fund.app.app_context():
            fund.arrive(gift)
            db.session.remove()

    def call_off() -> None:
        with fund.app.app_context():
            in_transaction(lifecycle.cancel, **told)
            fund.work()
            db.session.remove()

    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(arrive, gift) for gift in gifts[:4]]
        work += [pool.submit(call_off), *(pool.submit(arrive, gift) for gift in gifts[4:])]
        for done in work:
            done.result()
    fund.work()

    assert len(before) + len(gifts) == len(set(db.session.scalars(select(Contribution.public_id))))
    assert standing(opened) == (FundState.CLOSED, 0, 40, 0)
    assert fund.balance(campaign) == 0
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        fund.cashier.finish_refunds()
        fund.work()
        assert set(db.session.scalars(select(Refund.state))) == {RefundState.SUCCEEDED}
        assert_sound(fund)


def test_21_a_gift_whose_campaign_is_called_off_meanwhile_is_not_matched(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 1000)
    gift = fund.begin(campaign, 660)
    fund.pay(gift)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="frost")
    fund.work()
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        fund.cashier.finish_refunds()
        fund.work()
        assert (matches_of(opened), fund.balance(campaign)) == ([], 0)
        assert standing(opened) == (FundState.CLOSED, 0, 1000, 0)
        assert db.session.scalars(select(PublicRow.id)).all() == []
        assert sorted(db.session.execute(select(Refund.state, Refund.fen)).all()) == [
            (RefundState.SUCCEEDED, 660),
            (RefundState.SUCCEEDED, 1000),
        ]
        assert giving.open_attempt(db.session(), gift=gift) is None
        assert_sound(fund)
