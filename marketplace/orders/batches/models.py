"""Payees' bank accounts, settlement batches and their lines; the database itself refuses to pay an owner twice at once."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.core.partial import only
from marketplace.orders.batches.states import BATCH, LINE, BatchState, LeftOut, LineState

KNOWN_OWNER = "owner_kind IN ('seller', 'station')"
OPEN = text("left_out = '' AND state IN ('due', 'sent')")


class PayoutAccount(Base):
    """Where the money of one seller or station goes. Every change of it is a new revision that nobody has verified."""

    __tablename__ = "payout_account"
    __table_args__ = (
        UniqueConstraint("owner_kind", "owner"),
        CheckConstraint(KNOWN_OWNER, "known_owner"),
        CheckConstraint("(verified_at IS NULL) = (verifier_id IS NULL)", "verified_by_somebody"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    owner_kind: Mapped[str]
    owner: Mapped[str]  # a seller's public id, a station's code: as the books name them
    holder: Mapped[str] = mapped_column(Encrypted("payout_account.holder"))
    bank: Mapped[str]
    number: Mapped[str] = mapped_column(Encrypted("payout_account.number"))
    last4: Mapped[str]
    revision: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    verified_at: Mapped[datetime | None]
    verifier_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    frozen_because: Mapped[str] = mapped_column(default="")  # empty: it is not frozen


class SettlementBatch(Base):
    """What is paid at once to a station and to the sellers whose goods it sends."""

    __tablename__ = "settlement_batch"
    __table_args__ = (
        CheckConstraint("approver_id <> drafter_id", "two_people"),
        CheckConstraint("(state = 'drafted') = (approver_id IS NULL)", "approved_by_somebody"),
        CheckConstraint("way IN ('', 'file', 'transfer')", "known_way"),
        CheckConstraint("book IN ('live', 'test')", "known_book"),
    )
    TRANSITIONS = BATCH
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.batch_number)  # PB-7F3KQ2MD
    state: Mapped[BatchState] = mapped_column(default=BatchState.DRAFTED)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), index=True)
    book: Mapped[str]
    gateway: Mapped[str]  # whose clearing account pays
    drafter_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    way: Mapped[str] = mapped_column(default="")  # how it was sent: a file for the bank, or transfers by hand
    file_sha256: Mapped[str] = mapped_column(default="")  # of the bank file, as it was when the batch was sent
    drafted_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]


class BatchLine(Base):
    """One owner's part: amount and account as they were drafted. A line that is left out says why, and pays nothing."""

    __tablename__ = "settlement_line"
    __table_args__ = (
        UniqueConstraint("batch_id", "owner_kind", "owner"),
        Index("one_open_payment", "owner_kind", "owner", "book", unique=True, info=only(OPEN)),  # nothing is paid twice
        Index(None, "owner", "owner_kind"),
        CheckConstraint(KNOWN_OWNER, "known_owner"),
        CheckConstraint("fen > 0 OR left_out <> ''", "pays_something"),
        CheckConstraint("left_out = '' OR state = 'due'", "left_out_is_not_sent"),
    )
    TRANSITIONS = LINE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)  # its end-to-end id at the bank
    batch_id: Mapped[int] = mapped_column(ForeignKey("settlement_batch.id"))
    state: Mapped[LineState] = mapped_column(default=LineState.DUE)
    left_out: Mapped[LeftOut] = mapped_column(default=LeftOut.NO)
    owner_kind: Mapped[str]
    owner: Mapped[str]
    owner_name: Mapped[str]
    book: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)  # owed when it was drafted
    currency: Mapped[str] = mapped_column(default="CNY")
    holder: Mapped[str] = mapped_column(Encrypted("settlement_line.holder"), default="")
    bank: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(Encrypted("settlement_line.number"), default="")
    last4: Mapped[str] = mapped_column(default="")
    account_revision: Mapped[int] = mapped_column(default=0)
    bank_said: Mapped[str] = mapped_column(default="")  # its reference, or why the money came back
    answered_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]  # when the bank took a confirmed payment back: a fact beside the state
    bounced_because: Mapped[str] = mapped_column(default="", server_default="")

    @property
    def may_bounce(self) -> bool:
        return self.state is LineState.CONFIRMED and self.bounced_at is None


CHANGED = " OR ".join(
    f"NEW.{name} <> OLD.{name}" for name in ("fen", "owner_kind", "owner", "book", "batch_id", "public_id")
)
BOUNCED_WRONGLY = """(NEW.bounced_at IS NOT NULL AND NEW.state <> 'confirmed')
    OR (OLD.bounced_at IS NOT NULL AND (NEW.bounced_at IS NULL OR NEW.bounced_at <> OLD.bounced_at))"""
triggers.register(
    triggers.Guard(
        "settlement_line",
        "UPDATE",
        f"{CHANGED} OR {BOUNCED_WRONGLY}",
        "who is paid how much is settled when it is drafted, and only a confirmed payment is taken back, once",
    ),
    triggers.Guard("settlement_line", "DELETE", "TRUE", "a line of a batch is kept"),
)
