"""Campaigns with money, made by the ledger's own functions, so that nothing here depends on how gifts are taken."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import count, pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing, public_ledger
from crowdfund.campaigns.models import BudgetLine, Campaign, Contribution, Organisation
from crowdfund.campaigns.states import CampaignState, ContributionState
from marketplace.accounts import people
from marketplace.core import clock, ids, sealing
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace
from marketplace.ledger import books
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState
from tests.factories import STATION, make, make_person, make_station

NUMBERS = count(1)
C = CampaignState
WAY = (C.DRAFT, C.SUBMITTED, C.APPROVED, C.LIVE, C.ENDED, C.DISBURSING, C.REPORTED, C.CLOSED)
FOUNDATION = "demo-youth-foundation"
CREDIT_CODE = "91140000MA0K2X7Q3P"


def way_to(state: CampaignState) -> tuple[CampaignState, ...]:
    """The states that a campaign went through to be there."""
    return WAY[: WAY.index(state) + 1] if state in WAY else (*WAY[:4], state)


@dataclass
class Giving:
    """An organisation with two officers, and what can be done with its campaigns."""

    officer: int
    approver: int

    def campaign(self, **given: Any) -> Campaign:
        number = next(NUMBERS)
        words = {
            "title_zh": f"冬天够看的书 {number}",
            "title_en": f"Books for winter {number}",
            "filing_number": "DEMO-0417",
        }
        people_ = {"organisation_code": FOUNDATION, "station_code": STATION, "owner_id": self.officer}
        dates = {"filed_on": date(2020, 1, 1), "starts_on": date(2020, 2, 1), "ends_on": date(2040, 1, 1)}
        rest = {"state": CampaignState.LIVE, "goal_fen": 4_800_000, "reviewer_id": self.approver, "is_demo": True}
        made = make(Campaign, words | people_ | dates | rest, given)
        for position, (name, fen) in enumerate((("图书", 3_360_000), ("书架", 1_440_000)), start=1):
            make(BudgetLine, {"campaign_id": made.id, "position": position, "name_zh": name, "fen": fen}, {})
        leave_trace(db.session(), made, None, WAY[0], actor="test", why="test")
        for before, after in pairwise(way_to(made.state)):
            leave_trace(db.session(), made, before, after, actor="test", why="test")
        db.session.commit()
        db.session.refresh(made)
        db.session.expunge(made)  # known whatever session comes next
        return made

    def gift(self, campaign: Campaign, fen: int, *, who: str = "", giver: str = "", attempt: str = "") -> str:
        """Received, with its entry and its public row, in a transaction of its own; the gift's public id."""
        return in_transaction(receive, campaign.public_id, fen=fen, who=who, giver=giver, attempt=attempt or ids.public_id())

    def bill(self, fen: int, **given: Any) -> disbursing.Bill:
        words = {"purpose": "玉坪乡图书 214 册", "provider": "临汾新华书店", "provider_credit_code": CREDIT_CODE}
        number = {"invoice_number": f"INV{next(NUMBERS):06}"}
        return disbursing.Bill(amount=Money(fen), **{**words, **number, **given})

    def request(self, campaign: Campaign, fen: int, **given: Any) -> str:
        asked: Any = {"campaign": campaign.public_id, "budget_line": 1, "bill": self.bill(fen, **given)}
        return in_transaction(disbursing.request, requester_id=self.officer, **asked)

    def pay_out(self, campaign: Campaign, fen: int, **given: Any) -> str:
        """From the request to the money at the provider."""
        made = self.request(campaign, fen, **given)
        in_transaction(disbursing.approve, disbursement=made, approver_id=self.approver)
        in_transaction(disbursing.send, disbursement=made, officer_id=self.officer)
        in_transaction(disbursing.confirm, disbursement=made, officer_id=self.officer, bank_reference="BANK-1")
        return made

    def seal(self) -> None:
        while in_transaction(sealing.seal, chain="public"):
            pass


def receive(session: Session, campaign: str, *, fen: int, who: str, giver: str, attempt: str) -> str:
    """As a gift's money arrives: attempt, entry, gift, row. Composes with more in the same transaction."""
    number, _state = session.execute(select(Campaign.id, Campaign.state).where(Campaign.public_id == campaign)).one()
    gift = Contribution(public_id=ids.public_id(), token_hash=ids.secret_token(), campaign_id=number, book="test", fen=fen)
    gift.state, gift.shown_as, gift.giver, gift.received_at = ContributionState.RECEIVED, who, giver or None, clock.now()
    tried = Attempt(
        public_id=attempt, purpose="contribution", reference=gift.public_id, gateway="sandbox", book="test", fen=fen
    )
    tried.state, tried.remote_id = AttemptState.SUCCEEDED, f"pay_{attempt}"
    session.add_all([gift, tried])
    session.flush()
    trace(session, gift, ("intent", "pending", "received"))
    trace(session, tried, ("created", "submitting", "requires_action", "succeeded"))
    lines: dict[books.Account, Money] = {("gateway_clearing", "sandbox"): Money(fen), ("restricted", campaign): Money(-fen)}
    key = f"capture:{attempt}"
    books.post(session, key=key, book="test", reference=gift.public_id, lines=lines)
    public_ledger.write(session, kind="gift", campaign_id=number, book="test", amount=Money(fen), who=who, reference=key)
    return gift.public_id


def trace(session: Session, row: Any, states: tuple[str, ...]) -> None:
    kind: Any = type(row.state)
    for before, after in zip((None, *states), states, strict=False):
        leave_trace(session, row, kind(before) if before else None, kind(after), actor="test", why="test")


@pytest.fixture
def make_giving() -> Callable[[], Giving]:
    """For an application that has begun: an organisation with its officers, at a station."""

    def made() -> Giving:
        make_station()
        words = {"code": FOUNDATION, "name_zh": "示例青少年基金会", "credit_code": "53140000MJ0000001X"}
        certificate = {"certificate_number": "DEMO-1", "certificate_from": date(2020, 1, 1)}
        make(Organisation, words | certificate | {"certificate_until": date(2040, 1, 1), "is_demo": True}, {})
        officer, approver = make_person(name="周予安"), make_person(name="沈若谷")
        for person, role in ((officer, "charity_officer"), (approver, "charity_approver")):
            scope = {"scope_kind": "organisation", "scope_id": FOUNDATION}
            in_transaction(people.grant, person_id=person.id, role=role, actor="test", **scope)
        numbers = officer.id, approver.id
        db.session.remove()
        return Giving(*numbers)

    return made


@pytest.fixture
def giving(app: Flask, make_giving: Callable[[], Giving]) -> Giving:
    return make_giving()


@pytest.fixture
def real_giving(real_app: Flask, make_giving: Callable[[], Giving]) -> Giving:
    return make_giving()
