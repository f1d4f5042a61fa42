"""Disputes as operators see them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from marketplace.core.errors import NotFound
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.payments.disputes.models import Dispute, DisputeEvidence
from marketplace.payments.models import Attempt


@record
class DisputeLife:
    """One dispute with what happened and what we said, without the papers themselves."""

    dispute: Dispute
    attempt: Attempt
    events: Sequence[EventRow]
    evidence: Sequence[DisputeEvidence]


def life(session: Session, dispute: str) -> DisputeLife:
    """Three statements. Raises NotFound."""
    wanted = select(Dispute, Attempt).join(Attempt, Attempt.id == Dispute.attempt_id)
    found = session.execute(wanted.where(Dispute.public_id == dispute)).first()
    if found is None:
        raise NotFound(dispute)
    events = select(EventRow).where(EventRow.subject == f"dispute:{dispute}").order_by(EventRow.id)
    said = select(DisputeEvidence).where(DisputeEvidence.dispute_id == found[0].id).order_by(DisputeEvidence.id)
    said = said.options(defer(DisputeEvidence.content))
    return DisputeLife(found[0], found[1], session.scalars(events).all(), session.scalars(said).all())


def paper(session: Session, evidence: str) -> DisputeEvidence:
    """Raises NotFound."""
    found = session.scalar(select(DisputeEvidence).where(DisputeEvidence.public_id == evidence))
    if found is None or found.content is None:
        raise NotFound(evidence)
    return found
