"""Bank transfers as pages show them: one statement each."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from marketplace.core.db import Columns
from marketplace.payments.by_bank.models import BankTransfer
from marketplace.payments.by_bank.states import BANK, BankTransferState as S, Way
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

LONGEST: Final = 100


def listed(session: Session) -> Sequence[BankTransfer]:
    """Those that wait for another person first, then the latest."""
    waits = BankTransfer.state == S.RECORDED
    return session.scalars(select(BankTransfer).order_by(waits.desc(), BankTransfer.id.desc()).limit(LONGEST)).all()


def waiting_for(session: Session, *, purpose: str, reference: str) -> Sequence[BankTransfer]:
    """What was written down for it, and not confirmed yet."""
    mine = select(BankTransfer).where(BankTransfer.purpose == purpose, BankTransfer.reference == reference)
    return session.scalars(mine.where(BankTransfer.state == S.RECORDED).order_by(BankTransfer.id)).all()


def refunds_to_send(session: Session) -> Sequence[Any]:
    """What has to go back by bank, and for which no transfer is written down: refund, fen, reason, what it was paid for."""
    return session.execute(to_send().order_by(Refund.id).limit(LONGEST)).all()


def to_send() -> Columns:
    wanted: Columns = select(Refund.public_id, Refund.fen, Refund.reason, Refund.reason_key, Refund.created_at)
    wanted = wanted.add_columns(Attempt.reference).join(Attempt, Attempt.id == Refund.attempt_id)
    sent = exists().where(BankTransfer.way == Way.OUT, BankTransfer.reference == Refund.public_id)
    sent = sent.where(BankTransfer.state != S.WITHDRAWN)
    return wanted.where(Attempt.gateway == BANK, Refund.state == RefundState.REQUESTED, ~sent)
