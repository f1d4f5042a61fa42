"""What a reconciliation has left for people to look at."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.payments.reconciliation.models import UNMATCHED, GatewayMovement, ReconciliationRun
from marketplace.payments.reconciliation.states import WRONG, Verdict

SHOWN: Final = 100


def wrong(session: Session, *, gateway: str) -> Sequence[GatewayMovement]:
    """Movements that nobody can explain, the oldest first."""
    return of_verdicts(session, gateway, WRONG)


def waiting(session: Session, *, gateway: str) -> Sequence[GatewayMovement]:
    return of_verdicts(session, gateway, (Verdict.WAITING,))


def runs(session: Session, most: int) -> Sequence[ReconciliationRun]:
    """The newest first, dry and interrupted ones among them."""
    return session.scalars(select(ReconciliationRun).order_by(ReconciliationRun.id.desc()).limit(most)).all()


def of_verdicts(session: Session, gateway: str, verdicts: Sequence[Verdict]) -> Sequence[GatewayMovement]:
    wanted = select(GatewayMovement).where(GatewayMovement.gateway == gateway, UNMATCHED)
    wanted = wanted.where(GatewayMovement.verdict.in_(verdicts))
    return session.scalars(wanted.order_by(GatewayMovement.at, GatewayMovement.id).limit(SHOWN)).all()
