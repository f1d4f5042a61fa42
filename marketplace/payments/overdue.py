"""What takes longer than any way of paying should: nothing can be done by itself, so a person has to look. No mail."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.audit import AuditRecord
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState

PROCESSING: Final = timedelta(days=3)  # wallets and cards need minutes, a bank's weekend is two days
REFUNDING: Final = timedelta(days=10)
MOST: Final = 100  # in one transaction


def attempts() -> ColumnElement[bool]:
    """SQL: the payer has done everything, and the gateway still does not say how it went."""
    return (Attempt.state == AttemptState.PROCESSING) & (Attempt.created_at < clock.now() - PROCESSING)


def refunds() -> ColumnElement[bool]:
    """SQL: the gateway has been sending it for longer than its slowest way takes."""
    return (Refund.state == RefundState.PENDING) & (Refund.created_at < clock.now() - REFUNDING)


def report(session: Session) -> int:
    """Leave a trace of each that has become overdue, once; returns how many."""
    found = 0
    kinds: tuple[tuple[Any, ColumnElement[bool]], ...] = ((Attempt, attempts()), (Refund, refunds()))
    for kind, is_overdue in kinds:
        action, name = f"{kind.__tablename__}.overdue", kind.__tablename__
        told = exists().where(AuditRecord.subject == f"{name}:" + kind.public_id, AuditRecord.action == action)
        for public_id in session.scalars(select(kind.public_id).where(is_overdue, ~told).order_by(kind.id).limit(MOST)):
            audit.record(session, actor="system", action=action, subject=f"{name}:{public_id}")
            found += 1
    return found
