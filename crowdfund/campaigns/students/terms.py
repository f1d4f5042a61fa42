"""Terms: opened when the whole sum lies in the campaign's account, told of to the sponsor, void when it is not needed.

Whoever stops giving, or fails to, changes nothing of a term that is open: its money is there and belongs to nothing else."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import PlaceState, TermState
from crowdfund.campaigns.students import calendar
from crowdfund.campaigns.students.calendar import Term
from crowdfund.campaigns.students.models import EnrolmentProof, SchoolTerm, StudentPlace
from listings.screening import holds_contact
from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.transitions import leave_trace, subject_of, transition
from marketplace.payments.gateways import current_book

T = TermState
RUNS: Final = frozenset({PlaceState.OFFERED, PlaceState.HELD, PlaceState.TAKEN})


class OpenAlready(Refusal):
    status = 422
    message = _l("This term has been opened already.")


class NoSuchTerm(Refusal):
    status = 422
    message = _l("Only the running term and the next one can be opened.")


class ProofOverdue(Refusal):
    message = _l(
        "Proof of enrolment for an earlier term of this place is overdue. Until it is seen, no other term is opened."
    )


class LeadsOut(Refusal):
    status = 422
    message = _l("This holds a number, an address or an account. Sponsor and student never get each other's contact.")


def open_term(session: Session, *, place: str, organisations: list[str], term: Term, officer_id: int) -> str:
    """Set the term's sum aside; returns its public id. The campaign's row is held, so that nothing is set aside twice.

    Raises NotFound, StaleState, NoSuchTerm, OpenAlready, ProofOverdue, and what `disbursing.hold` and NotEnough say."""
    wanted = select(StudentPlace).join(Campaign, Campaign.id == StudentPlace.campaign_id)
    wanted = wanted.where(StudentPlace.public_id == place, Campaign.organisation_code.in_(organisations))
    row = session.scalar(wanted)
    if row is None:
        raise NotFound(place)
    of = disbursing.hold(session, Campaign.id == row.campaign_id)
    session.refresh(row, with_for_update=True)
    if row.state not in RUNS:
        raise StaleState(f"{place} is {row.state}")
    today = clock.today()
    if term not in calendar.to_open(today):
        raise NoSuchTerm(str(term.starts_on))
    mine = exists().where(SchoolTerm.place_id == row.id)
    if session.scalar(select(mine.where(SchoolTerm.starts_on == term.starts_on))):
        raise OpenAlready(place)
    if session.scalar(select(mine.where(SchoolTerm.state == T.OPENED, SchoolTerm.proof_due_on < today))):
        raise ProofOverdue(place)
    book, fen = current_book(), calendar.cost_fen(row.month_fen)
    disbursing.refuse_too_much(session, of, book, fen)
    opened = SchoolTerm(place_id=row.id, book=book, fen=fen, starts_on=term.starts_on, ends_on=term.ends_on)
    opened.opened_by, opened.proof_due_on = officer_id, term.proof_due_on(today)
    session.add(opened)
    session.flush()
    leave_trace(session, opened, None, T.OPENED, actor=f"person:{officer_id}", why=f"{fen} fen set aside")
    return opened.public_id


def close(session: Session, *, term: str, organisations: list[str], officer_id: int, why: str) -> None:
    """No proof will come: what was set aside is the campaign's again. Raises NotFound, StaleState, IllegalTransition."""
    void(session, of_theirs(session, term, organisations), person_id=officer_id, why=why)


def void(session: Session, row: SchoolTerm, *, person_id: int | None, why: str) -> None:
    """A proof that waits is forgotten unseen. Raises IllegalTransition where the school's money is asked for already."""
    actor = "system" if person_id is None else f"person:{person_id}"
    transition(session, row, T.VOID, expected=row.state, actor=actor, why=why)
    waiting = (EnrolmentProof.term_id == row.id) & (EnrolmentProof.verdict == "")
    session.execute(update(EnrolmentProof).where(waiting).values(verdict="dropped", paper=None))
    audit.record(session, actor=actor, action="school_term.void", subject=subject_of(row), why=why, fen=row.fen)


def report(session: Session, *, term: str, organisations: list[str], officer_id: int, words: str) -> None:
    """What the sponsor reads of this term: written by an officer, without any way to reach anybody.

    Raises NotFound, LeadsOut, and StaleState of a term that was closed."""
    row = of_theirs(session, term, organisations)
    if row.state is T.VOID:
        raise StaleState(f"{term} is void")
    if holds_contact(words):
        raise LeadsOut(term)
    row.report_zh, row.reported_at = words, clock.now()
    audit.record(session, actor=f"person:{officer_id}", action="school_term.reported", subject=subject_of(row))


def of_theirs(session: Session, term: str, organisations: list[str]) -> SchoolTerm:
    """Locked. Raises NotFound."""
    mine = select(SchoolTerm).join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
    mine = mine.join(Campaign, Campaign.id == StudentPlace.campaign_id)
    mine = mine.where(SchoolTerm.public_id == term, Campaign.organisation_code.in_(organisations))
    row = session.scalar(mine.with_for_update(of=SchoolTerm).execution_options(populate_existing=True))
    if row is None:
        raise NotFound(term)
    return row
