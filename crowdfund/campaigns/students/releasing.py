"""Terms whose enrolment was seen are paid to the school: a payment as all others, by two people, on the school's invoice.

Lines of the payment say term and stage and never an alias: nobody finds a student's school by it."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing
from crowdfund.campaigns.disbursing import Bill
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.states import PlaceState, TermState
from crowdfund.campaigns.students.calendar import Term
from crowdfund.campaigns.students.models import SchoolTerm, StudentPlace
from crowdfund.campaigns.students.terms import void
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import transition
from marketplace.payments.gateways import current_book

T = TermState
STAGES_ZH = {"primary": "小学", "junior": "初中", "senior": "高中", "vocational": "中职", "college": "大学"}


class NotSeen(Refusal):
    status = 422
    message = _l("Choose terms whose proof of enrolment a second person has seen.")


@record
class School:
    """Who is paid, on which invoice."""

    provider: str
    provider_credit_code: str
    invoice_number: str


def release(
    session: Session, *, campaign: str, budget_line: int, terms: list[str], school: School, requester_id: int
) -> str:
    """Ask for the money of these terms; returns the payment's public id. It goes on as every payment does.

    Raises NotSeen, and what `disbursing.request` raises."""
    of = disbursing.hold(session, Campaign.public_id == campaign)
    wanted = select(SchoolTerm, StudentPlace.stage).join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
    wanted = wanted.where(StudentPlace.campaign_id == of.id, SchoolTerm.public_id.in_(terms), SchoolTerm.state == T.ENROLLED)
    wanted = wanted.where(SchoolTerm.book == current_book()).order_by(SchoolTerm.starts_on, SchoolTerm.id)
    locked = wanted.with_for_update(of=SchoolTerm).execution_options(populate_existing=True)
    rows = session.execute(locked).all()
    if not rows or len(rows) != len(set(terms)):
        raise NotSeen(campaign)
    total = sum(term.fen for term, _stage in rows)
    lines = tuple((line_of(term, stage), term.fen) for term, stage in rows)
    bill = Bill(
        amount=Money(total),
        purpose=f"助学金 {len(rows)} 个名额",
        provider=school.provider,
        provider_credit_code=school.provider_credit_code,
        invoice_number=school.invoice_number,
        lines=lines,
    )
    asked: dict[str, Any] = {"campaign": campaign, "budget_line": budget_line, "requester_id": requester_id}
    made = disbursing.request(session, **asked, bill=bill, set_aside_fen=total)
    payment = disbursing.get(session, made)
    for term, _stage in rows:
        why, actor = f"payment {made}", f"person:{requester_id}"
        transition(session, term, T.BILLED, expected=T.ENROLLED, actor=actor, why=why, disbursement_id=payment.id)
    return made


def line_of(term: SchoolTerm, stage: str) -> str:
    half = "秋季" if Term(term.starts_on).is_autumn else "春季"
    return f"{term.starts_on.year}年{half}学期 {STAGES_ZH[stage]}助学金"


def take_back(session: Session, payment: Disbursement, person_id: int) -> None:
    """The payment was rejected: its terms wait for another one, but for a student who has left meanwhile."""
    mine = select(SchoolTerm, StudentPlace.state).join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
    mine = mine.where(SchoolTerm.disbursement_id == payment.id).order_by(SchoolTerm.id).with_for_update(of=SchoolTerm)
    for term, place in session.execute(mine).all():
        actor = f"person:{person_id}"
        transition(session, term, T.ENROLLED, expected=T.BILLED, actor=actor, why="payment rejected", disbursement_id=None)
        if place is PlaceState.LEFT:
            void(session, term, person_id=person_id, why="student left")
