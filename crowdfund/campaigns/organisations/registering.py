"""An organisation is let in, or its new certificate, by two people of the province: one writes down what the register of the
civil affairs authority says, another looks there and confirms. Until then nothing changes."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Organisation
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.organisations.models import FACTS, OrganisationEntry
from crowdfund.campaigns.organisations.states import EntryState as E
from marketplace.core import audit, clock, page_cache
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace, transition


class SamePerson(Refusal):
    status = 403
    message = _l("You took part in this yourself, so another person must confirm it.")


class NoReason(Refusal):
    status = 422
    message = _l("Please give a reason. It is kept on record.")


class WaitsAlready(Refusal):
    message = _l("Something about this organisation waits to be confirmed already. Decide that first.")


class OtherCreditCode(Refusal):
    """Who an organisation is does not change with its certificate."""

    status = 422
    message = _l("This organisation has another credit code here. A new organisation needs a short name of its own.")


class CreditCodeUsed(Refusal):
    status = 422
    message = _l("Another organisation has this credit code here.")


def write(session: Session, *, facts: Mapping[str, Any], person_id: int) -> str:
    """`facts` are columns by their names, all of FACTS; the entry's public id.

    Raises OtherCreditCode, CreditCodeUsed, WaitsAlready."""
    refuse_other(session, facts["code"], facts["credit_code"])
    entry = OrganisationEntry(**facts, writer_id=person_id)
    try:
        with session.begin_nested():
            session.add(entry)
    except IntegrityError:
        raise WaitsAlready(facts["code"]) from None
    leave_trace(session, entry, None, E.WRITTEN, actor=f"person:{person_id}", why=entry.certificate_number)
    note(session, entry, person_id, "written")
    return entry.public_id


def refuse_other(session: Session, code: str, credit_code: str) -> None:
    """One code, one organisation, for good. Raises OtherCreditCode, CreditCodeUsed."""
    known = session.get(Organisation, code)
    if known is not None and known.credit_code != credit_code:
        raise OtherCreditCode(code)
    other = select(Organisation.code).where(Organisation.credit_code == credit_code, Organisation.code != code)
    if session.scalar(other.limit(1)) is not None:
        raise CreditCodeUsed(credit_code)


def confirm(session: Session, *, entry: str, person_id: int) -> None:
    """The house goes by it from now on: what the organisation collects for pauses, or goes on.

    Raises NotFound, SamePerson, IllegalTransition, OtherCreditCode, CreditCodeUsed."""
    row = by_another(session, entry, person_id)
    decide(session, row, E.CONFIRMED, person_id, "")
    refuse_other(session, row.code, row.credit_code)
    organisation = session.get(Organisation, row.code, with_for_update=True)
    if organisation is None:
        organisation = Organisation(code=row.code)
        session.add(organisation)
    for name in FACTS:
        setattr(organisation, name, getattr(row, name))
    session.flush()
    standing.look(session, row.code)
    shown = session.scalars(select(Campaign.public_id).where(Campaign.organisation_code == row.code)).all()
    page_cache.expire(session, "giving", "ledger", *(f"campaign:{campaign}" for campaign in shown))


def refuse(session: Session, *, entry: str, person_id: int, why: str) -> None:
    """The register says otherwise. Raises NotFound, SamePerson, NoReason, IllegalTransition."""
    row = by_another(session, entry, person_id)
    if not why.strip():
        raise NoReason(entry)
    decide(session, row, E.REFUSED, person_id, why.strip())


def by_another(session: Session, entry: str, person_id: int) -> OrganisationEntry:
    """Locked. Raises NotFound, SamePerson."""
    row = session.scalar(select(OrganisationEntry).where(OrganisationEntry.public_id == entry).with_for_update())
    if row is None:
        raise NotFound(entry)
    if row.writer_id == person_id:
        raise SamePerson(entry)
    return row


def decide(session: Session, row: OrganisationEntry, to: E, person_id: int, why: str) -> None:
    decided: dict[str, Any] = {"decider_id": person_id, "decided_at": clock.now()}
    told: dict[str, Any] = {"actor": f"person:{person_id}", "why": why or str(to)}
    if why:
        row.why = why
        session.flush()
    transition(session, row, to, expected=row.state, **told, **decided)
    note(session, row, person_id, str(to))


def note(session: Session, row: OrganisationEntry, person_id: int, what: str) -> None:
    told = {"actor": f"person:{person_id}", "action": f"organisation.{what}", "subject": f"organisation:{row.code}"}
    audit.record(session, **told, why=row.why or row.certificate_number, entry=row.public_id)
