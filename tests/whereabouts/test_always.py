"""Whatever is given, matched, sent back, returned, paid and paid back, in whatever order: every fen is somewhere, once."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing, public_ledger
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.repayments.paying_back import left_by_line
from crowdfund.campaigns.states import HeldState
from crowdfund.campaigns.whereabouts import following
from crowdfund.campaigns.whereabouts.models import GivenMoney
from marketplace.core import ids, sealing
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from tests.campaigns.conftest import Fund
from tests.campaigns.matching.conftest import opened
from tests.examples import enough
from tests.properties.test_matching import CARDS, GIVERS, Pool
from tests.public_ledger.conftest import CREDIT_CODE, Giving
from tests.public_ledger.test_receipts import send_back as send_back_in_public
from tests.repayments.conftest import correct, pay_back
from tests.whereabouts.conftest import follow, refuse_another_order, refuse_any_difference

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["gift", "gift", "match", "refund", "unmatch", "return", "pay", "pay", "back", "undo", "follow"]),
        st.integers(1, 900),
        st.integers(0, 99),
    ),
    max_size=25,
)


class Story:
    """What has come and gone, by our own count; only what can happen is asked for."""

    def __init__(self, giving: Giving, campaign: Campaign) -> None:
        self.giving, self.campaign = giving, campaign
        self.stayed: dict[tuple[str, str], int] = {}
        self.back: dict[tuple[str, str], int] = {}
        self.payments: list[str] = []
        self.repaid: dict[str, int] = {}

    def take(self, step: str, fen: int, which: int) -> None:
        free = -books.balance(db.session(), "restricted", self.campaign.public_id, book="test")
        if step == "gift":
            self.stayed["gift", self.giving.gift(self.campaign, fen)] = fen
        elif step == "match":
            self.move("match", ("match", f"F1:{ids.public_id()}"), fen)
        elif step in {"refund", "unmatch"}:
            kind = "gift" if step == "refund" else "match"
            theirs = [key for key, there in self.stayed.items() if key[0] == kind and there]
            if theirs and free:
                key = theirs[which % len(theirs)]
                self.move(step, key, -min(fen, self.stayed[key], free))
        elif step == "return":
            theirs = [key for key, gone in self.back.items() if key[0] == "gift" and gone]
            if theirs:
                key = theirs[which % len(theirs)]
                self.move("return", key, min(fen, self.back[key]))
        elif step == "pay" and free:
            fen = min(fen, free)
            lines = (("甲", fen - which % fen), ("乙", which % fen)) if which % fen else ()
            self.payments.append(self.giving.pay_out(self.campaign, fen, lines=lines))
        elif step == "back" and self.payments:
            self.pay_back(self.payments[which % len(self.payments)], fen)
        elif step == "undo":
            there = [name for name, came in self.repaid.items() if came <= free]
            if there:
                correct(self.giving, there[which % len(there)])
                del self.repaid[there[which % len(there)]]
        elif step == "follow":
            follow(self.giving)
            refuse_any_difference(self.campaign)

    def pay_back(self, payment: str, fen: int) -> None:
        """Of each line as much of it as there is."""
        number = disbursing.get(db.session(), payment).id
        left = {row.position: int(row.fen - row.back) for row in db.session.execute(left_by_line(number))}
        db.session.rollback()
        if any(left.values()):
            lines = {line: min(fen, there) for line, there in left.items()}
            self.repaid[pay_back(self.giving, payment, lines)] = sum(lines.values())

    def move(self, kind: str, whose: tuple[str, str], fen: int) -> None:
        in_transaction(write, self.campaign, kind, whose[1], fen)
        self.stayed[whose] = self.stayed.get(whose, 0) + fen
        self.back[whose] = self.back.get(whose, 0) - (fen if kind != "match" else 0)


def write(session: Session, campaign: Campaign, kind: str, reference: str, fen: int) -> None:
    """The entry and its public row."""
    key = f"{ {'refund': 'refund', 'return': 'refund_failed'}.get(kind, kind) }:{ids.public_id()}"
    lines: dict[books.Account, Money] = {("restricted", campaign.public_id): Money(-fen), ("suspense", ""): Money(fen)}
    books.post(session, key=key, book="test", reference=reference, lines=lines)
    row: dict[str, Any] = {"campaign_id": campaign.id, "book": "test", "who": "", "reference": key}
    row["moves"] = reference if kind in public_ledger.SOURCE else ""
    public_ledger.write(session, kind=kind, amount=Money(fen), **row)


@pytest.mark.full
def test_every_fen_is_somewhere_once(app: Flask, giving: Giving, pytestconfig: pytest.Config) -> None:
    @settings(max_examples=enough(20, pytestconfig), deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS)
    def live(steps: list[tuple[str, int, int]]) -> None:
        story = Story(giving, giving.campaign())
        for step in steps:
            story.take(*step)
        follow(giving)
        refuse_any_difference(story.campaign)
        rows = db.session.query(GivenMoney).where(GivenMoney.campaign_id == story.campaign.id)
        assert sorted(each.came_fen - each.back_fen for each in rows) == sorted(story.stayed.values())
        refuse_another_order(app, story.campaign.public_id)

    live()


class Matched(Pool):
    """Gifts and their matches as they really arrive, spent by real payments, sent back by real refunds."""

    def take(self, name: str, number: int, more: Any) -> None:
        free = -books.balance(db.session(), "restricted", self.campaign, book="test")
        if name == "refund" and self.gifts:
            gift = self.gifts[number % len(self.gifts)]
            part = min(self.kept[gift] * more // 100, free)
            if part:
                in_transaction(send_back_in_public, gift, part)
                self.kept[gift] -= part
        elif name == "pay" and free:
            self.pay_out(min(number, free))
        elif name == "follow":
            self.look()
        else:
            super().take(name, number, more)

    def pay_out(self, fen: int) -> None:
        numbers: Any = {"provider_credit_code": CREDIT_CODE, "invoice_number": ids.public_id()}
        lines = (("甲", fen - fen // 3), ("乙", fen // 3)) if fen > 2 else ()
        bill = disbursing.Bill(Money(fen), "书", "书店", lines=lines, **numbers)
        officer, approver = self.fund.officer.id, self.fund.approver.id
        asked: Any = {"campaign": self.campaign, "budget_line": 1, "bill": bill, "requester_id": officer}
        made = in_transaction(disbursing.request, **asked)
        in_transaction(disbursing.approve, disbursement=made, approver_id=approver, why_beyond="贵了")
        in_transaction(disbursing.send, disbursement=made, officer_id=officer)
        in_transaction(disbursing.confirm, disbursement=made, officer_id=officer, bank_reference="B")

    def look(self) -> None:
        while in_transaction(sealing.seal, chain="public"):
            pass
        while following.follow():
            pass
        campaign = db.session.scalars(select(Campaign).where(Campaign.public_id == self.campaign)).one()
        refuse_any_difference(campaign)


@pytest.fixture
def fund(app: Flask) -> Iterator[Fund]:
    yield from opened(app)


MOVES = st.one_of(
    st.tuples(st.just("give"), st.integers(1, 900), st.tuples(st.sampled_from(GIVERS), st.sampled_from(CARDS))),
    st.tuples(st.just("decide"), st.integers(0, 20), st.sampled_from((HeldState.RELEASED, HeldState.DENIED))),
    st.tuples(st.just("pay"), st.integers(1, 1500), st.just(0)),
    st.tuples(st.just("refund"), st.integers(0, 20), st.integers(1, 100)),
    st.tuples(st.sampled_from(("close", "follow")), st.just(0), st.just("")),
)
TERMS = st.tuples(st.integers(1, 300), st.integers(1, 900), st.integers(1, 1500), st.integers(1, 2500))


@pytest.mark.full
def test_every_fen_is_somewhere_once_with_real_matches(fund: Fund, pytestconfig: pytest.Config) -> None:
    @settings(max_examples=enough(12, pytestconfig), deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(TERMS, st.lists(MOVES, min_size=4, max_size=14))
    def live(promised: tuple[int, int, int, int], what: list[tuple[str, int, Any]]) -> None:
        pool = Matched(fund, *promised)
        for name, number, more in what:
            pool.take(name, number, more)
        pool.look()
        refuse_another_order(fund.app, pool.campaign)

    live()
