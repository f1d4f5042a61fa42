"""What is disputed now, for those who pay out, spend or refund: none of it moves before it is decided."""

from collections.abc import Set
from functools import cache

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, bindparam, func, select
from sqlalchemy.orm import Session

from marketplace.core.db import Columns, rows
from marketplace.core.errors import Refusal
from marketplace.ledger import books
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import OPEN, DisputeState
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

LOSS: books.Account = ("chargeback_loss", "")
ELSEWHERE = "elsewhere"  # keys of refunds that nobody here has asked for


class PaymentIsDisputed(Refusal):
    message = _l("The payer's bank disputes this payment. Nothing of it moves until that is decided.")


def references(purpose: str, states: Set[DisputeState] = OPEN) -> Select[str]:
    """SQL: what is disputed now, or in such a state, by its reference; for `column.in_(...)`."""
    open_ones = select(Attempt.reference).join(Dispute, Dispute.attempt_id == Attempt.id)
    return open_ones.where(Attempt.purpose == purpose, Dispute.state.in_(sorted(states)))


def is_disputed(session: Session, *, purpose: str, reference: str) -> bool:
    found = select(Dispute.id).join(Attempt, Attempt.id == Dispute.attempt_id)
    found = found.where(Attempt.purpose == purpose, Attempt.reference == reference, Dispute.state.in_(sorted(OPEN)))
    return session.scalar(found.limit(1)) is not None


def refuse_disputed_payment(session: Session, attempt: Attempt) -> None:
    """Raises PaymentIsDisputed; of this payment alone, whatever becomes of others for the same thing."""
    if is_payment_disputed(session, attempt):
        raise PaymentIsDisputed(attempt.reference)


def is_payment_disputed(session: Session, attempt: Attempt) -> bool:
    found = select(Dispute.id).where(Dispute.attempt_id == attempt.id, Dispute.state.in_(sorted(OPEN)))
    return session.scalar(found.limit(1)) is not None


def refuse_disputed(session: Session, *, purpose: str, reference: str) -> None:
    """Raises PaymentIsDisputed."""
    if is_disputed(session, purpose=purpose, reference=reference):
        raise PaymentIsDisputed(reference)


def is_lost(session: Session, *, purpose: str, reference: str) -> bool:
    """A bank has taken its money for good, or somebody has sent it back on the gateway's own pages."""
    back = select(Refund.id).join(Attempt, Attempt.id == Refund.attempt_id).where(Attempt.purpose == purpose)
    back = back.where(Attempt.reference == reference, Refund.reason_key.startswith(f"{ELSEWHERE}:"), ~Attempt.is_surplus)
    if session.scalar(back.where(Refund.state != RefundState.FAILED, Refund.remote_payment.is_(None)).limit(1)):
        return True
    found = select(Dispute.id).join(Attempt, Attempt.id == Dispute.attempt_id).where(Attempt.purpose == purpose)
    lost = found.where(Attempt.reference == reference, Dispute.state == DisputeState.LOST, ~Attempt.is_surplus)
    return session.scalar(lost.limit(1)) is not None


def borne(session: Session, reference: str) -> int:
    """Fen that the province has lost to payers' banks for this, and not got back since."""
    lost = select(func.coalesce(func.sum(Line.amount), 0)).join(Entry, Entry.id == Line.entry_id)
    lost = lost.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(LedgerAccount.kind == LOSS[0])
    return int(session.scalar(lost.where(Entry.reference == reference)) or 0)


def gone(session: Session, attempt: Attempt) -> int:
    """Fen of this payment that a bank has taken for good: so much less can be refunded."""
    session.flush()
    return int(rows(session, gone_of_payment(), attempt=attempt.id)[0].fen)


@cache
def gone_of_payment() -> Columns:
    return select(lost(bindparam("attempt")).label("fen"))


def lost(attempt_id: SQLColumnExpression[int]) -> ColumnElement[int]:
    """SQL: fen that banks have taken for good of the payment with this id."""
    summed = select(func.coalesce(func.sum(Dispute.fen), 0))
    return summed.where(Dispute.attempt_id == attempt_id, Dispute.state == DisputeState.LOST).scalar_subquery()
