"""An organisation's officers are named by two operators, and taken back by two: one writes down whom, another confirms."""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.organisations.officer_models import OfficerEntry
from crowdfund.campaigns.organisations.registering import NoReason, SamePerson
from crowdfund.campaigns.organisations.states import EntryState as E
from marketplace.accounts import people
from marketplace.accounts.models import Grant, Person
from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace, transition

SCOPE: Final = "organisation"


class NoAccount(Refusal):
    status = 422
    message = _l("Nobody has an account with this phone number or e-mail. They sign in once, then it is there.")


class Themselves(Refusal):
    status = 422
    message = _l("Nobody names themselves. Ask two other people of the province.")


class HasRole(Refusal):
    status = 422
    message = _l("This person has this role already.")


class WaitsAlready(Refusal):
    message = _l("This waits to be confirmed already. Decide that first.")


def name_officer(session: Session, *, organisation: str, address: str, role: str, person_id: int) -> str:
    """Written down; nothing changes yet. The entry's public id.

    Raises NotFound, NoAccount, Themselves, HasRole, WaitsAlready."""
    of_organisation(session, organisation)
    person = people.find(session, people.normalised(address))
    if person is None or not person.is_active:
        raise NoAccount(organisation)
    if session.scalar(held(person.id, role, organisation)) is not None:
        raise HasRole(role)
    entry = OfficerEntry(organisation_code=organisation, person_id=person.id, role=role, is_given=True)
    return write(session, entry, person_id)


def take_officer_back(session: Session, *, organisation: str, officer: str, role: str, person_id: int, why: str) -> str:
    """Written down; nothing changes yet. Raises NotFound of a role that nobody has, NoReason, Themselves, WaitsAlready."""
    of_organisation(session, organisation)
    known = session.scalar(select(Person.id).where(Person.public_id == officer))
    if known is None or session.scalar(held(known, role, organisation)) is None:
        raise NotFound(officer)
    if not why.strip():
        raise NoReason(officer)
    entry = OfficerEntry(organisation_code=organisation, person_id=known, role=role, is_given=False, why=why.strip())
    return write(session, entry, person_id)


def write(session: Session, entry: OfficerEntry, writer_id: int) -> str:
    """Returns its public id. Raises Themselves, and WaitsAlready where a like entry waits for the second person."""
    if entry.person_id == writer_id:
        raise Themselves(entry.organisation_code)
    entry.writer_id = writer_id
    try:
        with session.begin_nested():
            session.add(entry)
    except IntegrityError:
        raise WaitsAlready(entry.organisation_code) from None
    leave_trace(session, entry, None, E.WRITTEN, actor=f"person:{writer_id}", why=entry.why or entry.role)
    note(session, entry, writer_id, "written")
    return entry.public_id


def confirm(session: Session, *, organisation: str, change: str, person_id: int) -> None:
    """The person has the role from their next page on, or has it no longer.

    Raises NotFound, SamePerson, Themselves, IllegalTransition, StaleState, RolesExclude."""
    row = by_another(session, organisation, change, person_id)
    decide(session, row, E.CONFIRMED, person_id, "")
    told: dict[str, Any] = {"role": row.role, "scope_kind": SCOPE, "scope_id": row.organisation_code}
    (people.grant if row.is_given else people.take_back)(
        session, person_id=row.person_id, actor=f"person:{person_id}", **told
    )


def refuse(session: Session, *, organisation: str, change: str, person_id: int, why: str) -> None:
    """Raises NotFound, SamePerson, Themselves, NoReason, IllegalTransition, StaleState."""
    row = by_another(session, organisation, change, person_id)
    if not why.strip():
        raise NoReason(change)
    decide(session, row, E.REFUSED, person_id, why.strip())


def by_another(session: Session, organisation: str, change: str, person_id: int) -> OfficerEntry:
    """Locked."""
    wanted = select(OfficerEntry).where(OfficerEntry.public_id == change, OfficerEntry.organisation_code == organisation)
    row = session.scalar(wanted.with_for_update())
    if row is None:
        raise NotFound(change)
    if row.writer_id == person_id:
        raise SamePerson(change)
    if row.person_id == person_id:
        raise Themselves(change)
    return row


def decide(session: Session, row: OfficerEntry, to: E, person_id: int, why: str) -> None:
    decided: dict[str, Any] = {"decider_id": person_id, "decided_at": clock.now()}
    told: dict[str, Any] = {"actor": f"person:{person_id}", "why": why or str(to)}
    transition(session, row, to, expected=row.state, refused_why=why, **told, **decided)
    note(session, row, person_id, str(to))


def note(session: Session, row: OfficerEntry, person_id: int, what: str) -> None:
    whom = session.scalars(select(Person.public_id).where(Person.id == row.person_id)).one()
    told = {"actor": f"person:{person_id}", "action": f"officer.{what}", "subject": f"organisation:{row.organisation_code}"}
    done = "given" if row.is_given else "taken back"
    audit.record(session, **told, why=row.refused_why or row.why, person=whom, role=row.role, what=done)


def of_organisation(session: Session, code: str) -> Organisation:
    """Raises NotFound."""
    found = session.get(Organisation, code)
    if found is None:
        raise NotFound(code)
    return found


def held(person: int, role: str, organisation: str) -> Any:
    mine = select(Grant.id).where(Grant.person_id == person, Grant.role == role)
    return mine.where(Grant.scope_kind == SCOPE, Grant.scope_id == organisation)
