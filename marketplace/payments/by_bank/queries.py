"""Bank transfers as pages show them: one statement each."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from marketplace.core.db import Columns
from marketplace.payments.by_bank.models import BankTransfer
from marketplace.payments.by_bank.states import BANK, BankTransferState as S, Way
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

LONGEST: Final = 100


def listed(session: Session) -> Sequence[Any]:
    """Those that wait for another person first, then the latest: each with what it pays for, or what was paid for that it
    gives back (`paid_for`)."""
    waits, back = BankTransfer.state == S.RECORDED, BankTransfer.way == Way.OUT
    paid_for = func.coalesce(Attempt.reference, BankTransfer.reference).label("paid_for")
    wanted = select(BankTransfer, paid_for).outerjoin(Refund, back & (Refund.public_id == BankTransfer.reference))
    wanted = wanted.outerjoin(Attempt, Attempt.id == Refund.attempt_id)
    return session.execute(wanted.order_by(waits.desc(), BankTransfer.id.desc()).limit(LONGEST)).all()


def waiting_for(session: Session, *, purpose: str, reference: str) -> Sequence[BankTransfer]:
    """What was written down for it, and not confirmed yet."""
    mine = select(BankTransfer).where(BankTransfer.purpose == purpose, BankTransfer.reference == reference)
    return session.scalars(mine.where(BankTransfer.state == S.RECORDED).order_by(BankTransfer.id)).all()


def refunds_to_send(session: Session) -> Sequence[Any]:
    """What has to go back by bank, and for which no transfer is written down: refund, fen, reason, what it was paid for,
    and as what that money had come (`came_as`, `came_on`), which is where whoever sends it finds the account."""
    return session.execute(to_send().order_by(Refund.id).limit(LONGEST)).all()


def to_send() -> Columns:
    wanted: Columns = select(Refund.public_id, Refund.fen, Refund.reason, Refund.reason_key, Refund.created_at)
    came = aliased(BankTransfer)
    wanted = wanted.add_columns(Attempt.reference, came.bank_reference.label("came_as"), came.moved_on.label("came_on"))
    wanted = wanted.join(Attempt, Attempt.id == Refund.attempt_id)
    wanted = wanted.outerjoin(came, Attempt.remote_id == f"{BANK}:" + came.public_id)
    sent = exists().where(BankTransfer.way == Way.OUT, BankTransfer.reference == Refund.public_id)
    sent = sent.where(BankTransfer.state != S.WITHDRAWN)
    return wanted.where(Attempt.gateway == BANK, Refund.state == RefundState.REQUESTED, ~sent)
