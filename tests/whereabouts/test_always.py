"""Whatever is given, matched, sent back, returned and paid, in whatever order: every fen is somewhere, once."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.orm import Session

from crowdfund.campaigns import public_ledger
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.whereabouts.models import GivenMoney
from marketplace.core import ids
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from tests.public_ledger.conftest import Giving
from tests.whereabouts.conftest import follow, refuse_any_difference

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["gift", "gift", "match", "refund", "unmatch", "return", "pay", "pay", "follow"]),
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
            self.giving.pay_out(self.campaign, fen, lines=lines)
        elif step == "follow":
            follow(self.giving)
            refuse_any_difference(self.campaign)

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
    public_ledger.write(session, kind=kind, amount=Money(fen), **row)


@pytest.mark.full
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_every_fen_is_somewhere_once(app: Flask, giving: Giving, steps: list[tuple[str, int, int]]) -> None:
    story = Story(giving, giving.campaign())
    for step in steps:
        story.take(*step)
    follow(giving)
    refuse_any_difference(story.campaign)
    rows = db.session.query(GivenMoney).where(GivenMoney.campaign_id == story.campaign.id)
    assert sorted(each.came_fen - each.back_fen for each in rows) == sorted(story.stayed.values())
