"""Bank transfers, as they stand on the bank's own statement of account."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only
from marketplace.payments.by_bank.states import BANK_TRANSFER, BankTransferState, Way

STANDS = text("state <> 'withdrawn'")


class BankTransfer(Base):
    """One transfer: of what was paid (`way` in, for a purpose and reference), or of a refund (out: its public id)."""

    __tablename__ = "bank_transfer"
    __table_args__ = (
        CheckConstraint("fen > 0", "moves_something"),
        CheckConstraint("(state = 'recorded') = (decided_at IS NULL)", "decided_once"),
        CheckConstraint("(decided_at IS NULL) = (decider_id IS NULL)", "decided_by_somebody"),
        CheckConstraint("state <> 'confirmed' OR decider_id <> recorder_id", "two_people"),
        Index("one_line_of_the_bank", "way", "bank_reference", unique=True, info=only(STANDS)),
        Index(None, "purpose", "reference"),
    )
    TRANSITIONS = BANK_TRANSFER
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    state: Mapped[BankTransferState] = mapped_column(default=BankTransferState.RECORDED)
    way: Mapped[Way]
    purpose: Mapped[str]
    reference: Mapped[str]
    book: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(default="CNY")
    bank_reference: Mapped[str]  # the bank's own number of it
    moved_on: Mapped[date]
    recorder_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]


FIXED = ("way", "purpose", "reference", "book", "fen", "currency", "bank_reference", "moved_on", "recorder_id", "public_id")
CHANGED = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in FIXED)
triggers.register(
    triggers.Guard("bank_transfer", "UPDATE", CHANGED, "what the bank has moved is written down once"),
    triggers.Guard("bank_transfer", "DELETE", "TRUE", "a bank transfer is kept"),
)
