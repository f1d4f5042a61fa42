"""Vouchers of deposits, and the files by which banks vouch for them. Never an account, an amount or an identity number."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.pledges.models.words import one_of
from crowdfund.pledges.states import BANDS, VOUCHER, VoucherState
from marketplace.core import clock, ids
from marketplace.core.db import Base


class Voucher(Base):
    """One deposit, known by a keyed hash of its number. What the bank has not said yet is empty."""

    __tablename__ = "voucher"
    __table_args__ = (
        UniqueConstraint("bank_code", "number_hash"),
        CheckConstraint("length(number_hash) = 64 AND length(last4) <= 4", "no_number"),
        CheckConstraint("cancellations IN (0, 1)", "cancelled_once"),
        one_of("band", ("", *BANDS)),
    )
    TRANSITIONS = VOUCHER
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    bank_code: Mapped[str] = mapped_column(ForeignKey("partner.code"))
    number_hash: Mapped[str]
    last4: Mapped[str]
    branch: Mapped[str] = mapped_column(default="")
    issued_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    band: Mapped[str] = mapped_column(default="")
    state: Mapped[VoucherState] = mapped_column(default=VoucherState.CLAIMED)
    saver_identity_hash: Mapped[str | None]  # of the last six places, as its bank says; to compare with a guardian's
    confirmed_at: Mapped[datetime | None]  # when the bank said that it is theirs
    cancellations: Mapped[int] = mapped_column(default=0)


class BankFile(Base):
    """One file of a bank's reconciliation, known by its hash and its place in the row of files."""

    __tablename__ = "bank_file"
    __table_args__ = (
        UniqueConstraint("bank_code", "file_hash"),
        UniqueConstraint("bank_code", "period", "sequence"),
        CheckConstraint("length(file_hash) = 64 AND sequence > 0 AND control_count >= 0", "figures"),
        one_of("state", ("received", "applied", "rejected")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    bank_code: Mapped[str] = mapped_column(ForeignKey("partner.code"))
    file_hash: Mapped[str]
    period: Mapped[str]
    sequence: Mapped[int]
    control_count: Mapped[int]
    control_total: Mapped[str]
    state: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)


class BankRow(Base):
    """What a bank says of one voucher: issued, taken back, ended early, corrected. Each is said once."""

    __tablename__ = "bank_row"
    __table_args__ = (
        UniqueConstraint("bank_code", "serial", "event"),
        one_of("event", ("issue", "reverse", "early_withdrawal", "correction")),
        one_of("state", ("waiting", "applied", "conflict")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("bank_file.id"), index=True)
    bank_code: Mapped[str] = mapped_column(ForeignKey("partner.code"))
    serial: Mapped[str]
    event: Mapped[str]
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("voucher.id"), index=True)
    state: Mapped[str]
