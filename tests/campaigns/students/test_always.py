"""Whatever sponsors, students, officers and other payments do, in whatever order: no term is ever without its money."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import func, select

from crowdfund.campaigns import disbursing
from crowdfund.campaigns.disbursing import Bill
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.states import DisbursementState as D, TermState as T
from crowdfund.campaigns.students import proofs, publishing, terms
from crowdfund.campaigns.students.models import SchoolTerm, StudentPlace
from crowdfund.campaigns.students.releasing import School
from marketplace.core import ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from tests.campaigns.plans.conftest import Monthly, differences
from tests.campaigns.students.conftest import AUTUMN, OURS, SCHOOL, SPRING, Aid
from tests.examples import enough

CODE: Final = SCHOOL.provider_credit_code
STEPS: Final = (
    *("pool", "choose", "choose", "stop", "open", "open", "prove", "prove", "accept", "accept", "refuse"),
    *("release", "release", "approve", "reject", "send", "close", "leave", "other"),
)


class Story:
    """Two students and the money of one campaign; what is not possible at the moment is refused and changes nothing."""

    def __init__(self, aid: Aid) -> None:
        self.aid = aid
        self.numbers = [f"G{ids.public_id().upper()}"[:20].replace("-", "").replace("_", "") + "7" for _each in range(2)]
        self.places = [aid.publish(number, month=100) for number in self.numbers]
        self.terms: list[tuple[str, str]] = []
        self.plans: list[str] = []
        self.payments: list[str] = []

    def take(self, name: str, number: int) -> None:
        try:
            getattr(self, name)(number)
        except Refusal:
            db.session.rollback()
        self.refuse_any_lack()

    def pool(self, number: int) -> None:
        self.aid.pool(number)

    def choose(self, number: int) -> None:
        self.plans.append(self.aid.sponsor(self.places[number % 2]))

    def stop(self, number: int) -> None:
        self.some(self.plans, number, lambda plan: in_transaction(keeping.stop, plan=plan))

    def open(self, number: int) -> None:
        place = number % 2
        made = self.aid.open(self.places[place], (AUTUMN, SPRING)[number // 2 % 2])
        self.terms.append((made, self.numbers[place]))

    def prove(self, number: int) -> None:
        self.some(self.terms, number, lambda term: self.aid.prove(*term))

    def accept(self, number: int) -> None:
        self.some(self.terms, number, lambda term: self.aid.see(term[0]))

    def refuse(self, number: int) -> None:
        told: dict[str, Any] = {"person_id": self.aid.approver, "why": "看不清"}
        self.some(self.terms, number, lambda term: in_transaction(proofs.refuse, term=term[0], **OURS, **told))

    def release(self, number: int) -> None:
        school = School("示例中学", CODE, ids.public_id())
        self.some(self.terms, number, lambda term: self.payments.append(self.aid.release(term[0], school=school)))

    def approve(self, number: int) -> None:
        approver: dict[str, Any] = {"approver_id": self.aid.approver, "why_beyond": "贵了"}
        self.some(self.payments, number, lambda one: in_transaction(disbursing.approve, disbursement=one, **approver))

    def reject(self, number: int) -> None:
        told: dict[str, Any] = {"approver_id": self.aid.approver, "reason": "票不对"}
        self.some(self.payments, number, lambda one: in_transaction(disbursing.reject, disbursement=one, **told))

    def send(self, number: int) -> None:
        officer: dict[str, Any] = {"officer_id": self.aid.officer}
        self.some(self.payments, number, lambda one: in_transaction(disbursing.send, disbursement=one, **officer))

    def close(self, number: int) -> None:
        told: dict[str, Any] = {"officer_id": self.aid.officer, "why": "没有证明"}
        self.some(self.terms, number, lambda term: in_transaction(terms.close, term=term[0], **OURS, **told))

    def leave(self, number: int) -> None:
        if number % 5 == 0:
            told: dict[str, Any] = {"officer_id": self.aid.officer, "why": "转学"}
            in_transaction(publishing.leave, place=self.places[number % 2], **OURS, **told)

    def other(self, number: int) -> None:
        """Somebody else's bill."""
        bill = Bill(Money(number), "书", "示例书店", CODE, ids.public_id())
        asked: dict[str, Any] = {"campaign": self.aid.campaign, "budget_line": 1, "requester_id": self.aid.officer}
        self.payments.append(in_transaction(disbursing.request, bill=bill, **asked))

    def some(self, known: list[Any], number: int, act: Callable[[Any], object]) -> None:
        if known:
            act(known[number % len(known)])

    def refuse_any_lack(self) -> None:
        """What is set aside and what is approved lie in the account together."""
        db.session.rollback()
        mine = select(func.coalesce(func.sum(SchoolTerm.fen), 0)).join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
        mine = mine.join(Campaign, Campaign.id == StudentPlace.campaign_id).where(Campaign.public_id == self.aid.campaign)
        asked = select(Disbursement.id).where(Disbursement.state == D.REQUESTED)
        waiting = (SchoolTerm.state.in_((T.OPENED, T.PROVED, T.ENROLLED))) | SchoolTerm.disbursement_id.in_(asked)
        held = int(db.session.scalar(mine.where(waiting)) or 0)
        approved = select(func.coalesce(func.sum(Disbursement.fen), 0)).join(Campaign)
        approved = approved.where(Campaign.public_id == self.aid.campaign, Disbursement.state == D.APPROVED)
        promised = int(db.session.scalar(approved) or 0)
        assert 0 <= held + promised <= self.aid.balance
        assert self.aid.free() == self.aid.balance - held - promised


@pytest.mark.full
def test_no_term_is_ever_without_its_money(monthly: Monthly, pytestconfig: pytest.Config) -> None:
    @settings(max_examples=enough(15, pytestconfig), deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 1500)), min_size=8, max_size=24))
    def live(steps: list[tuple[str, int]]) -> None:
        story = Story(Aid(monthly, monthly.campaign(kind="student_aid")))
        story.pool(1300)
        for name, number in steps:
            story.take(name, number)
        assert differences(monthly) == []

    live()
