"""Proof of enrolment: laid in by one person, seen by another, and forgotten then but for its hash.

The paper names a student, so it lies encrypted in the database and in no folder; whoever reads it leaves a trace."""

import base64
import hashlib
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.evidence import PICTURES, UnusableFile
from crowdfund.campaigns.states import TermState
from crowdfund.campaigns.students.models import LEFT_BEHIND, EnrolmentProof, SchoolTerm, StudentPlace
from crowdfund.campaigns.students.publishing import print_of
from crowdfund.campaigns.students.terms import of_theirs
from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import subject_of, transition

T = TermState
LARGEST: Final = 2 * 2**20
PDF: Final = b"%PDF-"


class PaperTooLarge(UnusableFile):
    message = _l("The paper may have at most 2 MB.")


class OtherStudent(Refusal):
    status = 422
    message = _l("This is not the number of the student who has this place. Please look at the paper again.")


class OwnProof(Refusal):
    status = 403
    message = _l("Whoever added the proof cannot confirm it. Another person must.")


def add(session: Session, *, term: str, organisations: list[str], officer_id: int, student_number: str, raw: bytes) -> None:
    """The school's paper, with the number that stands on it. Late is better than never: only the next term waits for it.

    Raises NotFound, UnusableFile, PaperTooLarge, OtherStudent, StaleState, IllegalTransition."""
    if len(raw) > LARGEST:
        raise PaperTooLarge
    if not raw.startswith((PDF, *PICTURES)):
        raise UnusableFile
    row = of_theirs(session, term, organisations)
    compare(session, session.get_one(StudentPlace, row.place_id), print_of(student_number))
    transition(session, row, T.PROVED, expected=T.OPENED, actor=f"person:{officer_id}", why="proof added")
    digest = hashlib.sha256(raw).hexdigest()
    session.add(EnrolmentProof(term_id=row.id, sha256=digest, paper=base64.b64encode(raw).decode(), added_by=officer_id))


def compare(session: Session, place: StudentPlace, student: str) -> None:
    """Of a place that came from another house the first proof says again whom it means. Raises OtherStudent."""
    if place.student.startswith(LEFT_BEHIND):
        has_a_place = session.scalar(select(StudentPlace.id).where(StudentPlace.student == student).limit(1))
        if has_a_place is None:
            place.student = student
    if place.student != student:
        raise OtherStudent(place.public_id)


def read(session: Session, *, term: str, organisations: list[str], person_id: int) -> bytes:
    """For the second person, while it waits for them. Raises NotFound, OwnProof."""
    row = of_theirs(session, term, organisations)
    proof = waiting(session, row, person_id)
    audit.record(session, actor=f"person:{person_id}", action="enrolment_proof.read", subject=subject_of(row))
    return base64.b64decode(proof.paper or "")


def accept(session: Session, *, term: str, organisations: list[str], person_id: int) -> None:
    """The student is enrolled: the term may be paid for. Raises NotFound, OwnProof, StaleState."""
    decide(session, of_theirs(session, term, organisations), person_id, "accepted", T.ENROLLED, "enrolment seen")


def refuse(session: Session, *, term: str, organisations: list[str], person_id: int, why: str) -> None:
    """Another proof is needed. Raises NotFound, OwnProof, StaleState."""
    decide(session, of_theirs(session, term, organisations), person_id, "refused", T.OPENED, why)


def decide(session: Session, row: SchoolTerm, person_id: int, verdict: str, to: TermState, why: str) -> None:
    proof = waiting(session, row, person_id)
    proof.verdict, proof.seen_by, proof.seen_at, proof.why = verdict, person_id, clock.now(), why
    proof.paper = None
    session.flush()  # the database asks for the verdict when the term moves
    transition(session, row, to, expected=T.PROVED, actor=f"person:{person_id}", why=why)
    audit.record(session, actor=f"person:{person_id}", action=f"enrolment_proof.{verdict}", subject=subject_of(row), why=why)


def waiting(session: Session, row: SchoolTerm, person_id: int) -> EnrolmentProof:
    """The proof, locked, that nobody has judged. Raises NotFound, OwnProof for whoever added it."""
    mine = select(EnrolmentProof).where(EnrolmentProof.term_id == row.id, EnrolmentProof.verdict == "")
    proof = session.scalar(mine.with_for_update())
    if proof is None:
        raise NotFound(row.public_id)
    if proof.added_by == person_id:
        raise OwnProof(row.public_id)
    return proof
