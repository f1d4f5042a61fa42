"""Whatever is given, to whatever rate and caps, whatever waits, is decided or goes back: a fund's money is there."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving, receipts
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.matching import deciding, funds, paying_in
from crowdfund.campaigns.matching.funds import Terms
from crowdfund.campaigns.matching.models import GiftMatch, MatchingFund
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.states import WAITS, FundState as F, HeldState
from marketplace.core import ids
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import outcomes, refunds
from marketplace.payments.gateways import RemotePayment
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState
from tests.campaigns.conftest import Fund
from tests.campaigns.matching.conftest import get_fund, opened
from tests.examples import enough

GIVERS = ("", "", "a@example.test", "b@example.test")
CARDS = ("", "fp_1")
fen = st.integers(1, 900)
terms = st.tuples(st.integers(1, 300), fen, st.integers(1, 1500), st.integers(1, 2500))
steps = st.one_of(
    st.tuples(st.just("give"), fen, st.tuples(st.sampled_from(GIVERS), st.sampled_from(CARDS))),
    st.tuples(st.just("give"), fen, st.tuples(st.sampled_from(GIVERS), st.sampled_from(CARDS))),
    st.tuples(st.just("decide"), st.integers(0, 20), st.sampled_from((HeldState.RELEASED, HeldState.DENIED))),
    st.tuples(st.just("refund"), st.integers(0, 20), st.integers(1, 100)),
    st.tuples(st.just("close"), st.just(0), st.just("")),
)


@pytest.fixture
def fund(app: Flask) -> Iterator[Fund]:
    yield from opened(app)


@pytest.mark.parametrize("examples", [5, pytest.param(40, marks=pytest.mark.full)])
def test_a_funds_money_is_all_there_at_every_step(fund: Fund, examples: int, pytestconfig: pytest.Config) -> None:
    @settings(
        max_examples=enough(examples, pytestconfig), deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(terms, st.lists(steps, max_size=10))
    def live(promised: tuple[int, int, int, int], what: list[tuple[str, int, Any]]) -> None:
        pool = Pool(fund, *promised)
        for name, number, more in what:
            pool.take(name, number, more)
            pool.check()

    live()


class Pool:
    """One fund, and the gifts of its campaign."""

    def __init__(self, fund: Fund, rate: int, gift_cap: int, giver_cap: int, total: int) -> None:
        self.fund, self.total = fund, total
        self.rate, self.gift_cap, self.giver_cap = rate, gift_cap, giver_cap
        self.campaign = fund.open()
        self.id = in_transaction(
            funds.draft,
            campaign=self.campaign,
            sponsor="示例",
            contact="sponsor@example.test",
            terms=Terms(rate, Money(gift_cap), Money(giver_cap), Money(total)),
            owner_id=fund.officer.id,
        )
        pay(in_transaction(paying_in.start, fund=self.id, person_id=None))
        in_transaction(funds.activate, fund=self.id, person=fund.approver.id)
        self.gifts: list[str] = []
        self.kept: dict[str, int] = {}  # of each gift
        self.is_open = True

    def take(self, name: str, number: int, more: Any) -> None:
        if name == "give":
            self.give(number, *more)
        elif name == "decide" and (waiting := waiting_of(self.id)):
            self.decide(waiting[number % len(waiting)], more)
        elif name == "refund" and self.gifts:
            self.send_back(self.gifts[number % len(self.gifts)], more)
        elif name == "close" and self.is_open:
            in_transaction(funds.close, fund=self.id, person=self.fund.officer.id, why="x")
            self.is_open = False

    def give(self, number: int, contact: str, card: str) -> None:
        before = get_fund(self.id).left_fen
        said = Giver(contact=contact)
        gift = in_transaction(giving.begin, campaign=self.campaign, amount=Money(number), giver=said)
        already = sum(self.of(contact)) if contact else 0
        pay(str(in_transaction(giving.open_attempt, gift=gift)), card)
        self.gifts.append(gift)
        self.kept[gift] = number
        added = max(0, min(number * self.rate // 100, self.gift_cap, self.giver_cap - already, before))
        assert match_fen(gift) + held_fen(gift) == (added if self.is_open else 0)
        assert not (match_fen(gift) and held_fen(gift))

    def decide(self, held: HeldMatch, verdict: HeldState) -> None:
        gift = db.session.get_one(Contribution, held.contribution_id).public_id
        asked: dict[str, Any] = {"held": held.public_id, "verdict": verdict, "person": self.fund.approver.id, "why": "x"}
        in_transaction(deciding.decide, **asked)
        assert match_fen(gift) == (held.fen if verdict is HeldState.RELEASED else 0)

    def of(self, contact: str) -> list[int]:
        wanted = select(Contribution.public_id, Contribution.contact).where(Contribution.public_id.in_(self.gifts))
        return [
            match_fen(row.public_id) + held_fen(row.public_id)
            for row in db.session.execute(wanted)
            if row.contact == contact
        ]

    def send_back(self, gift: str, percent: int) -> None:
        part = self.kept[gift] * percent // 100
        if part:
            in_transaction(send_back, gift, self.campaign, part)
            self.kept[gift] -= part

    def check(self) -> None:
        row = get_fund(self.id)
        there = -books.balance(db.session(), "matching", self.id, book="test")
        matches = [match_fen(gift) for gift in self.gifts]
        assert row.received_fen == self.total == there + sum(matches) + row.gone_fen
        held = sum(held_fen(gift) for gift in self.gifts)
        assert (row.left_fen, row.held_fen, row.matched_fen, row.gone_fen) == (there - held, held, sum(matches), 0)
        assert row.state is (F.CLOSED if not self.is_open else F.ACTIVE if there > held else F.EXHAUSTED)
        assert -books.balance(db.session(), "restricted", self.campaign, book="test") == sum(matches) + sum(
            self.kept.values()
        )
        for gift in self.gifts:
            first, given_ = first_match(gift)
            assert match_fen(gift) <= first * self.kept[gift] // given_


def match_fen(gift: str) -> int:
    mine = select(GiftMatch.fen - GiftMatch.returned_fen).join(Contribution, Contribution.id == GiftMatch.contribution_id)
    return db.session.scalar(mine.where(Contribution.public_id == gift)) or 0


def held_fen(gift: str) -> int:
    mine = select(HeldMatch.fen).join(Contribution, Contribution.id == HeldMatch.contribution_id)
    return db.session.scalar(mine.where(Contribution.public_id == gift, HeldMatch.state.in_(WAITS))) or 0


def waiting_of(fund: str) -> Sequence[HeldMatch]:
    mine = select(HeldMatch).join(MatchingFund, MatchingFund.id == HeldMatch.fund_id)
    mine = mine.where(MatchingFund.public_id == fund, HeldMatch.state.in_(WAITS)).order_by(HeldMatch.id)
    return db.session.scalars(mine).all()


def first_match(gift: str) -> tuple[int, int]:
    mine = select(GiftMatch.fen, Contribution.fen).join(Contribution, Contribution.id == GiftMatch.contribution_id)
    row = db.session.execute(mine.where(Contribution.public_id == gift)).first()
    return (row[0], row[1]) if row else (0, 1)


def send_back(session: Session, gift: str, campaign: str, part: int) -> None:
    asked = {"purpose": "contribution", "reference": gift, "reason": "x", "reason_key": ids.public_id()}
    receipts.void(session, contribution=gift)
    refunds.request(session, amount=Money(part), shares={("restricted", campaign): Money(part)}, **asked)


def pay(attempt: str, card: str = "") -> None:
    """As if the cashier had said so: its own records are no part of this."""
    row = db.session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one()
    in_transaction(as_if_asked, attempt=attempt)
    remote = RemotePayment(f"pay-{attempt}", attempt, row.amount, AttemptState.SUCCEEDED, "succeeded", "test", payer=card)
    in_transaction(outcomes.apply_payment, remote=remote, gateway="sandbox", why="test")


def as_if_asked(session: Session, *, attempt: str) -> None:
    session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one().state = AttemptState.SUBMITTING
