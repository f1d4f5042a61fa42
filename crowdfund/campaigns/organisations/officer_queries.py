"""An organisation's officers and what waits about them, as the province's desk shows them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns.organisations.officer_models import ROLES, OfficerEntry
from crowdfund.campaigns.organisations.officers import SCOPE
from crowdfund.campaigns.organisations.states import EntryState
from marketplace.accounts.models import Grant, Person

MOST: Final = 200


def officers(session: Session, organisation: str) -> Sequence[Any]:
    """(public_id, name, role, granted_at), who came first stands first. One statement."""
    wanted = select(Person.public_id, Person.name, Grant.role, Grant.granted_at).join(Grant, Grant.person_id == Person.id)
    wanted = wanted.where(Grant.scope_kind == SCOPE, Grant.scope_id == organisation, Grant.role.in_(ROLES))
    return session.execute(wanted.order_by(Grant.granted_at, Grant.id).limit(MOST)).all()


def changes(session: Session, organisation: str) -> Sequence[Any]:
    """(OfficerEntry, whom, who wrote it, who decided it), what waits first. One statement."""
    whom, writer, decider = aliased(Person), aliased(Person), aliased(Person)
    wanted = select(OfficerEntry, whom.name.label("whom"), writer.name.label("writer"), decider.name.label("decider"))
    wanted = wanted.join(whom, whom.id == OfficerEntry.person_id).join(writer, writer.id == OfficerEntry.writer_id)
    wanted = wanted.outerjoin(decider, decider.id == OfficerEntry.decider_id)
    wanted = wanted.where(OfficerEntry.organisation_code == organisation)
    order = (OfficerEntry.state != EntryState.WRITTEN, OfficerEntry.id.desc())
    return session.execute(wanted.order_by(*order).limit(MOST)).all()
