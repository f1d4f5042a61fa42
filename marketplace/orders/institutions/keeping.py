"""An institution's own life: applied for, decided by somebody else, given a limit, paused, closed; and who acts for it."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts import people
from marketplace.accounts.models import Person
from marketplace.core import audit, clock, ids
from marketplace.core.db import add_rows, insert_or_ignore
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace, transition
from marketplace.orders.institutions.models import Institution, InstitutionMember
from marketplace.orders.institutions.ordering import of_member
from marketplace.orders.institutions.states import InstitutionState

PURCHASER, PAYER = "purchaser", "payer"
LARGEST_LIMIT: Final = 100_000_000  # fen: a million yuan


class KnownAlready(Refusal):
    status = 422
    message = _l("An institution with this credit code is here already. Ask its payer to add you.")


class OwnApplication(Refusal):
    status = 403
    message = _l("Whoever applied, or acts for the institution, does not decide about it.")


class NobodyThere(Refusal):
    status = 422
    message = _l("No account has this phone number or e-mail. They need to sign in here once first.")


class LastPayer(Refusal):
    message = _l("Somebody has to be able to pay. Add another payer first.")


def apply(session: Session, *, person_id: int, facts: Mapping[str, str]) -> str:
    """A signed-in person applies for their institution and is its first payer; returns its id. Raises KnownAlready."""
    public_id = ids.public_id()
    values = {"public_id": public_id, "applicant_id": person_id, **facts}
    if not insert_or_ignore(session, Institution, values):
        raise KnownAlready(facts["credit_code"])
    row = get(session, public_id)
    add_rows(session, InstitutionMember, {"institution_id": row.id, "person_id": person_id, "role": PAYER})
    leave_trace(session, row, None, InstitutionState.APPLIED, actor=f"person:{person_id}", why="applied")
    return public_id


def decide(session: Session, *, institution: str, to: InstitutionState, person_id: int, why: str) -> None:
    """An operator admits, refuses, pauses, reopens or closes it. Raises NotFound, OwnApplication, IllegalTransition,
    StaleState."""
    row = get_by_another(session, institution, person_id)
    actor = f"person:{person_id}"
    decided: dict[str, Any] = {"decider_id": person_id, "decided_at": clock.now(), "answer": why}
    transition(session, row, to, expected=row.state, actor=actor, why=why or to.value, **decided)
    audit.record(session, actor=actor, action=f"institution.{to}", subject=f"institution:{institution}", why=why)


def set_terms(
    session: Session, *, institution: str, limit_fen: int, statement_day: int, days_to_pay: int, person_id: int
) -> None:
    """A finance operator says how much may be owed, on which day of the month it is billed and how long there is to pay.

    A limit below what is owed now lets nothing more be ordered on account. Raises NotFound, OwnApplication."""
    row = get_by_another(session, institution, person_id)
    was = row.limit_fen
    row.limit_fen, row.statement_day, row.days_to_pay = limit_fen, statement_day, days_to_pay
    told = {"actor": f"person:{person_id}", "action": "institution.terms", "subject": f"institution:{institution}"}
    audit.record(session, **told, was_fen=was, limit_fen=limit_fen, statement_day=statement_day, days_to_pay=days_to_pay)


def add_member(session: Session, *, institution: str, address: str, role: str, person_id: int) -> None:
    """A payer lets somebody act for the institution, or changes their part. Raises NotFound, NobodyThere, LastPayer."""
    row = of_member(session, institution, person_id, role=PAYER)
    person = people.find(session, people.normalised(address))
    if person is None or not person.is_active:
        raise NobodyThere(institution)
    lock(session, row.id)
    known = session.get(InstitutionMember, (row.id, person.id), populate_existing=True)
    if known is None:
        add_rows(session, InstitutionMember, {"institution_id": row.id, "person_id": person.id, "role": role})
    elif known.role != role:
        refuse_last_payer(session, row.id, person.id)
        known.role = role
    note(session, row, person, person_id, "institution.member_added", role=role)


def remove_member(session: Session, *, institution: str, member: str, person_id: int) -> None:
    """A payer ends what somebody may do for it. Raises NotFound, LastPayer."""
    row = of_member(session, institution, person_id, role=PAYER)
    wanted = select(Person).join(InstitutionMember, InstitutionMember.person_id == Person.id)
    person = session.scalar(wanted.where(InstitutionMember.institution_id == row.id, Person.public_id == member))
    if person is None:
        raise NotFound(member)
    lock(session, row.id)
    refuse_last_payer(session, row.id, person.id)
    gone = delete(InstitutionMember).where(InstitutionMember.institution_id == row.id)
    session.execute(gone.where(InstitutionMember.person_id == person.id))
    note(session, row, person, person_id, "institution.member_removed")


def refuse_last_payer(session: Session, institution: int, person_id: int) -> None:
    payers = select(InstitutionMember.person_id).where(InstitutionMember.institution_id == institution)
    if set(session.scalars(payers.where(InstitutionMember.role == PAYER))) == {person_id}:
        raise LastPayer(str(institution))


def note(session: Session, row: Institution, person: Person, by: int, action: str, **detail: str) -> None:
    told = {"actor": f"person:{by}", "action": action, "subject": f"institution:{row.public_id}"}
    audit.record(session, **told, member=person.public_id, **detail)


def lock(session: Session, institution: int) -> None:
    session.execute(select(Institution.id).where(Institution.id == institution).with_for_update())


def get(session: Session, institution: str) -> Institution:
    """Raises NotFound."""
    wanted = select(Institution).where(Institution.public_id == institution).with_for_update()
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(institution)
    return found


def get_by_another(session: Session, institution: str, person_id: int) -> Institution:
    """For whoever decides about it and has no part in it. Raises NotFound, OwnApplication."""
    row = get(session, institution)
    refuse_own(session, row.id, person_id)
    return row


def refuse_own(session: Session, institution: int, person_id: int) -> None:
    """Reads and locks nothing, so that it may be asked under any lock. Raises OwnApplication."""
    if has_part(session, institution, person_id):
        raise OwnApplication(str(institution))


def has_part(session: Session, institution: int, person_id: int) -> bool:
    """Whether they applied for it, or act for it."""
    member = select(InstitutionMember.person_id).where(InstitutionMember.institution_id == Institution.id)
    is_theirs = (Institution.applicant_id == person_id) | member.where(InstitutionMember.person_id == person_id).exists()
    return session.scalar(select(Institution.id).where(Institution.id == institution, is_theirs)) is not None
