"""Organisations and what waits about them, as the province's desk shows them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.organisations.models import FACTS, OrganisationEntry
from crowdfund.campaigns.organisations.states import EntryState
from marketplace.accounts.models import Person

MOST: Final = 200


def organisations(session: Session) -> Sequence[Organisation]:
    """Whose certificate ends first stands first."""
    return session.scalars(
        select(Organisation).order_by(Organisation.certificate_until, Organisation.code).limit(MOST)
    ).all()


def entries(session: Session) -> Sequence[Any]:
    """(OrganisationEntry, who wrote it, who decided it), what waits first. One statement."""
    decider = aliased(Person)
    wanted = select(OrganisationEntry, Person.name.label("writer"), decider.name.label("decider"))
    wanted = wanted.join(Person, Person.id == OrganisationEntry.writer_id)
    wanted = wanted.outerjoin(decider, decider.id == OrganisationEntry.decider_id)
    order = (OrganisationEntry.state != EntryState.WRITTEN, OrganisationEntry.id.desc())
    return session.execute(wanted.order_by(*order).limit(MOST)).all()


def known(session: Session, code: str) -> dict[str, Any]:
    """What the house goes by, for a form that says what is new of it; nothing for one that is not known."""
    row = session.get(Organisation, code) if code else None
    return {name: getattr(row, name) for name in FACTS} if row is not None else {}
