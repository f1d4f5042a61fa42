"""Disputes and what we said to them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.payments.disputes.states import DISPUTE, DisputeState


class Dispute(Base):
    """One of the gateway's, on one payment. Its money is in the books under `dispute:<public id>`."""

    __tablename__ = "dispute"
    __table_args__ = (UniqueConstraint("gateway", "remote_id"), CheckConstraint("fen > 0 AND fee_fen >= 0", "figures"))
    TRANSITIONS = DISPUTE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    gateway: Mapped[str]
    remote_id: Mapped[str]
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), index=True)
    state: Mapped[DisputeState] = mapped_column(index=True)
    raw_status: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")  # the gateway's own word
    fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(default="CNY")
    fee_currency: Mapped[str | None]  # where the payment was settled in another one
    answer_by: Mapped[datetime | None]
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)


class DisputeEvidence(Base):
    """What we hold against it, as it was sent: words, and a picture or a PDF where there is one. Never changed."""

    __tablename__ = "dispute_evidence"
    __table_args__ = (CheckConstraint("length(words) > 0", "says_something"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("dispute.id"), index=True)
    words: Mapped[str]
    file_name: Mapped[str] = mapped_column(default="")
    file_type: Mapped[str] = mapped_column(default="")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)


triggers.register(*triggers.append_only("dispute_evidence"))
