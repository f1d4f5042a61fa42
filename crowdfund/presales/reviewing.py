"""The station looks at the field and at the sum before anybody can pay: by another person than the seller."""

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crowdfund.presales import drafting
from crowdfund.presales.drafting import ClosesInThePast
from crowdfund.presales.models import Presale
from crowdfund.presales.states import PresaleState as P
from marketplace.core import clock, outbox
from marketplace.core.errors import NotFound, Refusal, StaleState

REVIEWED = "presale.reviewed"  # the outbox's topic: its seller is told


class OwnPresale(Refusal):
    status = 403
    message = _l("Somebody else must review what you made.")


class NotSeen(Refusal):
    status = 422
    message = _l("Look at the field and at the figures first, and say so.")


class NoReason(Refusal):
    status = 422
    message = _l("Say what is wrong. The seller will read it.")


def accept(session: Session, *, presale: str, station: str, reviewer: int, field_seen: bool, figures_sane: bool) -> None:
    """Everybody may pay from now on. Raises NotFound, OwnPresale, NotSeen, ClosesInThePast, StaleState."""
    row = get_submitted(session, presale, station, reviewer)
    if not (field_seen and figures_sane):
        raise NotSeen(presale)
    if row.closes_on < clock.today():
        raise ClosesInThePast(presale)
    decide(session, row, P.LIVE, reviewer, "field and figures seen")


def reject(session: Session, *, presale: str, station: str, reviewer: int, why: str) -> None:
    """Its seller may draft another. Raises NotFound, OwnPresale, NoReason, StaleState."""
    row = get_submitted(session, presale, station, reviewer)
    if not why.strip():
        raise NoReason(presale)
    decide(session, row, P.REJECTED, reviewer, why.strip())


def decide(session: Session, row: Presale, to: P, reviewer: int, why: str) -> None:
    row.reviewer_id = reviewer
    drafting.move(session, row, to, f"person:{reviewer}", why)
    outbox.put(session, REVIEWED, presale=row.public_id)


def get_submitted(session: Session, presale: str, station: str, reviewer: int) -> Presale:
    row = drafting.get(session, presale)
    if row.station_code != station or row.state is P.DRAFT:
        raise NotFound(presale)
    if row.seller_id == reviewer:
        raise OwnPresale(presale)
    if row.state is not P.SUBMITTED:
        raise StaleState(presale)
    return row
