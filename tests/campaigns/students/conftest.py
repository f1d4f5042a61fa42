"""A student-aid campaign with money in its account, places, and both officers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from crowdfund.campaigns import disbursing
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.students import choosing, proofs, publishing, releasing, terms
from crowdfund.campaigns.students.calendar import Term
from crowdfund.campaigns.students.models import EnrolmentProof, SchoolTerm, Sponsorship, StudentPlace
from crowdfund.campaigns.students.releasing import School
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from tests.campaigns.conftest import FOUNDATION
from tests.campaigns.plans.conftest import CONTACT, Monthly, monthly, plan_of, real_monthly

__all__ = ["monthly", "real_monthly"]

MONTH = 16_000
TERM = 96_000  # six months
NUMBER = "G14010920101234"
PAPER = b"%PDF-1.4 canary-student-name %%EOF"
AUTUMN, SPRING = Term(date(2025, 9, 1)), Term(date(2026, 3, 1))  # the clock begins on the 31st of January
OURS: dict[str, Any] = {"organisations": [FOUNDATION]}
SCHOOL = School("示例中学", "12140000DEMO00001X", "F-0001")


@dataclass
class Aid:
    monthly: Monthly
    campaign: str

    def __post_init__(self) -> None:
        """Read here, since threads share the officers."""
        self.officer, self.approver = self.monthly.fund.officer.id, self.monthly.fund.approver.id

    def pool(self, fen: int) -> None:
        """An ordinary gift of somebody else."""
        self.monthly.fund.give(self.campaign, fen)

    def publish(self, number: str = NUMBER, month: int = MONTH, stage: str = "senior") -> str:
        given: dict[str, Any] = {"stage": stage, "student_number": number, "month": Money(month), "officer_id": self.officer}
        return in_transaction(publishing.publish, campaign=self.campaign, **OURS, **given)

    def choose(self, place: str, **giver: Any) -> str:
        """The first gift, which waits for its money."""
        said = Giver(**{"contact": CONTACT, "name": "王晓雯", "anonymity": "masked"} | giver)
        return in_transaction(choosing.choose, campaign=self.campaign, place=place, giver=said)

    def sponsor(self, place: str, **giver: Any) -> str:
        """The plan of a sponsor whose first gift is there."""
        gift = self.choose(place, **giver)
        self.monthly.pay(gift)
        return plan_of(gift).public_id

    def open(self, place: str, term: Term = SPRING) -> str:
        return in_transaction(terms.open_term, place=place, term=term, officer_id=self.officer, **OURS)

    def prove(self, term: str, number: str = NUMBER, raw: bytes = PAPER) -> None:
        given: dict[str, Any] = {"officer_id": self.officer, "student_number": number, "raw": raw}
        in_transaction(proofs.add, term=term, **OURS, **given)

    def see(self, term: str) -> None:
        in_transaction(proofs.accept, term=term, person_id=self.approver, **OURS)

    def enrolled(self, place: str, number: str = NUMBER, term: Term = SPRING) -> str:
        made = self.open(place, term)
        self.prove(made, number)
        self.see(made)
        return made

    def release(self, *chosen: str, school: School = SCHOOL) -> str:
        asked: dict[str, Any] = {"budget_line": 1, "terms": list(chosen), "requester_id": self.officer}
        return in_transaction(releasing.release, campaign=self.campaign, school=school, **asked)

    def pay(self, payment: str) -> None:
        in_transaction(disbursing.approve, disbursement=payment, approver_id=self.approver)
        in_transaction(disbursing.send, disbursement=payment, officer_id=self.officer)
        in_transaction(disbursing.confirm, disbursement=payment, officer_id=self.officer, bank_reference="B-1")

    def free(self) -> int:
        """What the campaign may still promise."""
        db.session.rollback()
        of = db.session.scalars(select(Campaign).where(Campaign.public_id == self.campaign)).one()
        return disbursing.free_fen(db.session(), of, "test")

    @property
    def balance(self) -> int:
        return self.monthly.fund.balance(self.campaign)


def place_of(place: str) -> StudentPlace:
    db.session.rollback()
    return db.session.scalars(select(StudentPlace).where(StudentPlace.public_id == place)).one()


def term_of(term: str) -> SchoolTerm:
    db.session.rollback()
    return db.session.scalars(select(SchoolTerm).where(SchoolTerm.public_id == term)).one()


def payment_of(payment: str) -> Disbursement:
    db.session.rollback()
    return db.session.scalars(select(Disbursement).where(Disbursement.public_id == payment)).one()


def proof_rows() -> list[tuple[str, bool]]:
    """(verdict, whether the paper is still there), oldest first."""
    db.session.rollback()
    rows = db.session.execute(select(EnrolmentProof.verdict, EnrolmentProof.paper).order_by(EnrolmentProof.id))
    return [(row.verdict, row.paper is not None) for row in rows]


def sponsorships() -> list[tuple[str, str, str]]:
    """(alias, state, why it ended), oldest first."""
    db.session.rollback()
    mine = select(StudentPlace.public_id, Sponsorship.state, Sponsorship.end_reason)
    mine = mine.join(Sponsorship, Sponsorship.place_id == StudentPlace.id).order_by(Sponsorship.id)
    return [(place, str(state), why) for place, state, why in db.session.execute(mine)]


@pytest.fixture
def aid(monthly: Monthly) -> Aid:
    """Rolled back at the end."""
    return Aid(monthly, monthly.campaign(kind="student_aid"))


@pytest.fixture
def real_aid(real_monthly: Monthly) -> Iterator[Aid]:
    """Committed, on both databases."""
    yield Aid(real_monthly, real_monthly.campaign(kind="student_aid"))
